// The values of the Helm chart: what is misspelt or cannot work is refused, and what there is is told.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { at, chartDir, renderChart } from '../../support/kube/helm.ts'

interface Schema {
  readonly type?: string | string[]
  readonly properties?: Record<string, Schema>
  readonly additionalProperties?: unknown
}

/** Maps of the user's own names, and whole objects of Kubernetes, which its API server checks. */
const ownMaps = new Set([
  ...['affinity', 'ingress.annotations', 'keyProvider.env', 'metrics.serviceMonitor.labels'],
  ...['nodeSelector', 'podAnnotations', 'podLabels', 'resources', 'service.annotations'],
  ...['metrics.grafanaDashboard.labels', 'metrics.prometheusRule.labels'],
  'serviceAccount.annotations',
])
const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

test('a misspelt value is refused at every depth', async () => {
  const schema = JSON.parse(readFileSync(join(chartDir, 'values.schema.json'), 'utf8')) as Schema
  const values = parse(readFileSync(join(chartDir, 'values.yaml'), 'utf8')) as object
  const open: string[] = []
  // Helm hands it to every chart of another one.
  const { global: _, ...ours } = schema.properties!
  const walk = (node: Schema, value: unknown, path: string): void => {
    const { type, properties = {}, additionalProperties } = node
    if (![type].flat().includes('object') || ownMaps.has(path)) return
    if (additionalProperties !== false) open.push(path)
    // Each is in both: what the schema knows and values.yaml does not, nobody finds.
    expect(Object.keys(value as object).sort(), path).toEqual(Object.keys(properties).sort())
    for (const [key, inner] of Object.entries(properties))
      walk(inner, (value as Record<string, unknown>)[key], below(path, key))
  }
  walk({ ...schema, properties: ours }, values, '')
  expect(open).toEqual([])
  await expect(renderChart('database.uri="postgres://x"')).rejects.toThrow(/'uri' not allowed/)
  await expect(renderChart('tls.certManager.isuer="x"')).rejects.toThrow(/'isuer' not allowed/)
})

test.each([
  ['image.repositry="x"', /'repositry' not allowed/],
  ['replicaCount="two"', /replicaCount/],
  ['replicaCount=2', /database\.url or database\.existingSecret/],
  ['tls.mode="certManager"', /issuerRef\.name/],
  ['keyProvider.name="vault-transit"', /keyProvider\.key/],
  ['ingress.enabled=true', /ingress\.host/],
  ['ingress.host="https://stagely.example.com"', /ingress\/host/],
  ['service.nodePort=30443', /service\.type/],
  ['podLabels={"app.kubernetes.io/name":"mine"}', /podLabels/],
  ['database.url="mysql://x"', /database\/url/],
  ['fullnameOverride="My_Stagely"', /fullnameOverride/],
  ['nameOverride="Bad_Name"', /nameOverride/],
  ['podDisruptionBudget.maxUnavailable="half"', /maxUnavailable/],
])('%s is refused with what to do', async (set, message) => {
  await expect(renderChart(set)).rejects.toThrow(message)
})

test('the README names every value with its default', () => {
  const readme = readFileSync(join(chartDir, 'README.md'), 'utf8').split('## Certificates')[0]!
  const values = parse(readFileSync(join(chartDir, 'values.yaml'), 'utf8')) as object
  const whole = new Set(['resources', 'ingress.annotations'])
  const leaves = (value: unknown, path: string): string[] =>
    value !== null && typeof value === 'object' && !Array.isArray(value) && !whole.has(path)
      ? Object.entries(value)
          .flatMap(([k, v]) => leaves(v, below(path, k)))
          .concat(Object.keys(value).length === 0 ? [path] : [])
      : [path]
  const said = new Map<string, string>()
  for (const [, names, defaults] of readme.matchAll(/^\| (`[^|]*`) \| ([^|]*?) \|/gm)) {
    const texts = defaults!.split(', ')
    // The last stands for all that follow.
    for (const [i, name] of names!.split(', ').entries())
      said.set(name.replaceAll('`', ''), texts[i] ?? texts.at(-1)!)
  }
  const isEmpty = (value: unknown): boolean => ['', '[]', '{}', 'null'].includes(shown(value))
  const shown = (value: unknown): string =>
    typeof value === 'string' ? value : JSON.stringify(value)
  const wrong = leaves(values, '').filter((path) => {
    const text = said.get(path)
    const value = at(values, path)
    if (text === undefined) return true
    // What has no name of its own is said in words: empty, made, all.
    return text.startsWith('`')
      ? text !== `\`${shown(value)}\``
      : !isEmpty(value) && !whole.has(path)
  })
  expect(wrong).toEqual([])
  expect(at(values, 'resources')).toEqual({
    requests: { cpu: '100m', memory: '512Mi' },
    limits: { memory: '1Gi' },
  })
})
