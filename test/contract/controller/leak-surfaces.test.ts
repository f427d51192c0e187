// Canaries are planted where values go in, rightly and wrongly; then everything that answers is read.
// The values that running containers have are the subject of test/integration/leak.test.ts.
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import { runCliProcess, type Ran } from '../../support/programs/processes.ts'
import { soak } from '../../support/soak.ts'

/** Not a word of any message, and odd enough for parsers to stumble over. */
const canary = 'Kanarie7c0f"{<1'
const forms = [
  canary,
  'Kanarie7c0f',
  Buffer.from(canary).toString('base64'),
  encodeURIComponent(canary),
]
/** What is around each hit, to be told where it is. */
const found = (text: string): string[] =>
  forms
    .map((form) => text.indexOf(form))
    .filter((at) => at >= 0)
    .map((at) => text.slice(Math.max(0, at - 200), at + 20))

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
let database: Awaited<ReturnType<typeof freshDatabase>>
let controller: TestController
let everything = ''
const statuses = new Map<number, number>()

const send = async (
  method: string,
  path: string,
  init: Parameters<TestController['call']>[2] = {},
): Promise<number> => {
  const { status, headers, text } = await controller.call(method, path, init)
  statuses.set(status, (statuses.get(status) ?? 0) + 1)
  everything += `${method} ${path} ${status} ${JSON.stringify(headers)}\n${text}\n`
  return status
}

const secret = (spec: object, name = 'planted'): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name, namespace: 'default' },
  spec: { projectRef: { name: 'shop' }, key: 'PLANTED', ...spec },
})

/** Bodies that are wrong around a value, or have one where none belongs. */
const wrong: readonly unknown[] = [
  { key: 'A B', value: canary },
  { key: 'A', value: { nested: canary } },
  { key: 'A', value: [canary] },
  { key: 'A', value: canary, scope: 'no such scope!' },
  { key: 'A', value: canary, type: 'neither' },
  { key: 'A', value: canary, type: 'file' },
  { key: 'A', value: canary, unknown_field: canary },
  { value: canary },
  { key: 'A', value: `${canary}\u0000` },
  { key: 'A', value: canary, value_base64: canary },
  { key: 'A', value: canary, format: 'port' },
  { value: canary, format: 'regex', pattern: '[0-9]+' },
  { operations: [{ op: 'create', key: 'A B', value: canary }] },
  [{ key: 'A', value: canary }],
  canary,
]
/** Routes of secrets get all of them, the others every third, in turn; all of them in the long form. */
const nth = soak(3, 1)

/** What the planted secret stays for: these would really be done to it, and take it away. */
const takesAway = /\/(purge|restore)$/

const idOf = (path: string): string =>
  path.replace(/:[a-z_]+/g, (name) => {
    if (name === ':project_id') return 'default%2Fshop'
    if (name === ':version') return '1'
    return name === ':secret_id' && !takesAway.test(path) ? 'planted' : 'default'
  })

beforeAll(async () => {
  database = await freshDatabase()
  controller = await startTestController({ databaseUrl: database.url })
  const project = {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Project',
    metadata: { name: 'shop' },
    spec: {},
  }
  await send('POST', `${kube}/projects`, { body: project })
  await send('POST', `${kube}/stagelysecrets`, { body: secret({ value: canary }) })
  await send('PUT', `${kube}/stagelysecrets/planted`, {
    body: secret({ value: `${canary} again` }),
  })
})
afterAll(async () => {
  await controller.remove()
  await database.drop()
})

describe('a value never comes back', () => {
  it('from a refused write to any route of the REST API', async () => {
    const routes = restRoutes.filter(({ method }) => method !== 'GET' && method !== 'DELETE')
    for (const [i, { method, path }] of routes.entries()) {
      const bodies = wrong.filter((_, j) => path.includes('/secrets') || (i + j) % nth === 0)
      for (const body of bodies) await send(method, `/api/v1${idOf(path)}`, { body })
      const headers = { 'content-type': 'application/json' }
      await send(method, `/api/v1${idOf(path)}`, { raw: `{"key":"A","value":"${canary}`, headers })
      await send(method, `/api/v1${idOf(path)}`, { raw: canary, headers })
      await send(method, `/api/v1${idOf(path)}`, {
        raw: canary,
        headers: { 'content-type': 'text/plain' },
      })
    }
    expect(statuses.get(422) ?? 0).toBeGreaterThan(routes.length)
    for (const refused of ['is not a port (1 to 65535)', 'does not match spec.pattern'])
      expect(everything).toContain(refused)
    expect(await send('GET', `${kube}/stagelysecrets/planted`)).toBe(200)
    expect(found(everything)).toEqual([])
  })

  it('from a read of any route of the REST API', async () => {
    // Streams do not end by themselves; what they tell is what the other routes read.
    const endless = /\/(stream|logs)$/
    const reads = restRoutes.filter(({ method, path }) => method === 'GET' && !endless.test(path))
    expect(reads.length).toBeGreaterThan(3)
    await expect
      .poll(async () => (await controller.call('GET', '/api/v1/activity')).text)
      .toContain('"keys":["PLANTED"]')
    for (const { path } of reads) {
      const status = await send('GET', `/api/v1${idOf(path)}`)
      if (path.includes(':secret_id')) expect([path, status]).toEqual([path, 200])
    }
    expect(found(everything)).toEqual([])
  })

  it('from the Kubernetes-style API, refused or read', async () => {
    const specs = [
      { value: { nested: canary } },
      { value: canary, valueBase64: canary },
      { value: canary, scope: 'a b' },
      { value: canary, type: 'neither' },
      { value: canary, file: { path: 'x', mode: '0999' } },
      { valueBase64: canary },
      { value: canary, valu: canary },
    ]
    const patches = [
      'merge-patch+json',
      'json-patch+json',
      'apply-patch+yaml',
      'strategic-merge-patch+json',
    ]
    for (const spec of specs) {
      await send('POST', `${kube}/stagelysecrets?fieldValidation=Strict`, {
        body: secret(spec, 'bad'),
      })
      await send('PUT', `${kube}/stagelysecrets/planted`, { body: secret(spec) })
      for (const type of patches) {
        const headers = { 'content-type': `application/${type}` }
        await send('PATCH', `${kube}/stagelysecrets/planted?fieldManager=m`, {
          raw: JSON.stringify(secret(spec)),
          headers,
        })
      }
    }
    await send('POST', `${kube}/stagelysecrets`, {
      raw: `spec: {value: "${canary}`,
      headers: { 'content-type': 'application/yaml' },
    })
    const table = { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } }
    await send('GET', `${kube}/stagelysecrets`, table)
    for (const path of ['stagelysecrets', 'stagelysecrets/planted', 'projects', 'projects/shop']) {
      await send('GET', `${kube}/${path}`)
    }
    await send('GET', '/api/v1/namespaces/default/events')
    expect(found(everything)).toEqual([])
  })

  it('from documents, metrics and the audit log', async () => {
    for (const path of [
      '/openapi/v3',
      '/openapi/v3/apis/stagely.dev/v1alpha1',
      '/api/v1/openapi.json',
      '/api/docs',
      '/metrics',
      '/readyz',
      '/version',
    ]) {
      expect(await send('GET', path), path).toBe(200)
    }
    expect(await send('GET', '/api/v1/audit?limit=1000')).toBe(200)
    expect(await send('GET', '/api/v1/audit/export')).toBe(200)
    expect(everything).toContain('"action":"create"')
    expect(found(everything)).toEqual([])
  })

  it('from a token that was never one, in the log of refused attempts', async () => {
    const headers = { authorization: `Bearer ${canary}` }
    await send('GET', '/api/v1/projects', { headers })
    await send('GET', `${kube}/projects`, { headers })
    await send('GET', '/api/v1/audit?result=denied')
    expect(statuses.get(401)).toBe(2)
    expect(found(everything)).toEqual([])
  })

  it('from the command: what it prints, what it keeps, and its arguments', async () => {
    const home = controller.dataDir
    const env = {
      HOME: home,
      STAGELY_SERVER: controller.url,
      STAGELY_TOKEN: controller.token,
      STAGELY_CA_FILE: `${home}/ca.crt`,
    }
    let commandLines = ''
    const look = async (): Promise<void> => {
      for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        commandLines += await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
      }
    }
    const running: Promise<Ran>[] = [
      runCliProcess(['secrets', 'set', 'GIVEN', '--project', 'shop'], env, canary),
      runCliProcess(['secrets', 'set', 'NOT A KEY', '--project', 'shop'], env, canary),
      runCliProcess(['apply', '-f', '-'], env, `spec: {value: "${canary}`),
      runCliProcess(['admin', 'audit', 'list', '-o', 'json'], env),
    ]
    const watching = (async () => {
      for (let i = 0; i < 5; i++) {
        await look()
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    })()
    const ran = await Promise.all(running)
    await watching
    expect(ran.map(({ code }) => code)).toEqual([0, 1, 1, 0])
    expect(commandLines).toContain('secrets')
    expect(found(commandLines)).toEqual([])
    expect(found(ran.map(({ stdout, stderr }) => stdout + stderr).join('\n'))).toEqual([])
    for (const name of await readdir(home)) {
      const text = await readFile(`${home}/${name}`, 'latin1').catch(() => '')
      expect(found(text), name).toEqual([])
    }
  })
})
