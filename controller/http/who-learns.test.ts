// Closed by default: a message, or a field of what an agent or another controller gets, is refused here until somebody says
// what its receiver learns.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { leavesOf } from '../../test/support/http/schema-leaves.ts'
import { lines, orders, toldMessages } from '../../test/support/http/told-messages.ts'
import { composeSpec } from '../../src/kinds/stagelet/compose.ts'
import { bundle } from '../../src/protocol/messages.ts'
import { peerRequests } from './peers/requests.ts'
import { restRoutes } from './rest/table.ts'

const ids = ['id', 'uid', 'projectUid', 'stageletUid', 'session', 'request', 'rotation', 'attempt']
const names = ['namespace', 'name', 'service', 'services[]', 'plugin', 'step']
const numbers = ['generation', 'epoch', 'order', 'revision', 'healthyRevision', 'previousRevision']
const settings = ['paused', 'redeploy', 'retry', 'release', 'releaseVolumes']
const reading = ['since', 'tail', 'follow', 'containersOnly']

/** What any order may tell: ids, names, numbers and settings of the agent's own stagelets. */
const ofOwn = new Set([...ids, ...names, ...numbers, ...settings, ...reading])
/** `spec.compose`, which whoever may read the stagelet reads. */
const ofCompose = new Set(leavesOf(composeSpec).map(({ path }) => `compose.${path}`))

/** Fields from which a value is learnt, or could be tried, by message. Everything else is named above. */
const tells: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bundle: {
    'entries[].value': 'the value',
    'entries[].valueDigest': 'a digest under the key of the project',
    'entries[].bytes': 'its length',
  },
  task: { 'params{key}': 'names', 'params{}': 'the credential of the step' },
  lookFor: {
    'values[].value': 'a value that the agent was sent before',
    'values[].name': 'a name of this look',
    key: 'of this look',
    'prints[].name': 'a name of this look',
    'prints[].filter': 'under the key of this look',
    'prints[].length': 'under the key of this look',
    'prints[].mac': 'under the key of this look',
  },
}

/** Besides, what a bundle says of a secret. */
const ofSecret = new Set(
  [
    ...['secretId', 'name', 'version', 'key', 'scope', 'type', 'stagelet', 'plain'],
    ...['path', 'mode', 'uid', 'gid', 'target', 'envVar'].map((name) => `file.${name}`),
  ].map((name) => `entries[].${name}`),
)

const ofStream = new Set([
  ...['protocol', 'controllerId', 'agentUid', 'enc', 'keepAliveMs', 'spreadMs', 'stream', 'signMs'],
  ...['seq', 'ciphertext', 'afterMs', 'reason', 'message'],
])

const unsaid = (
  message: string,
  schema: z.ZodType,
  known: readonly ReadonlySet<string>[],
): string[] =>
  leavesOf(schema)
    .map(({ path }) => path.replace(/^items?(\[\])?\./, ''))
    .filter((path) => path !== 'type' && tells[message]?.[path] === undefined)
    .filter((path) => !known.some((set) => set.has(path)))
    .map((path) => `${message} ${path}`)

test('each field of an order, a line and a bundle says what an agent learns from it', () => {
  const silent = [
    ...orders.flatMap(([type, schema]) => unsaid(type, schema, [ofOwn, ofCompose])),
    ...lines.flatMap(([type, schema]) => unsaid(`line ${type}`, schema, [ofOwn, ofStream])),
    ...unsaid('bundle', bundle, [ofSecret]),
  ]
  expect(silent).toEqual([])
})

test('a value is in a bundle, a task and a look, and in nothing else that a controller sends', () => {
  const named = /(^|\.|\[\])(value|values|secret|password|token|key|params)(\[\]|\{\}|$)/
  const all = [...orders, ...lines, ['bundle', bundle] as const, ...Object.entries(peerRequests)]
  const holding = all.flatMap(([message, schema]) =>
    leavesOf(schema)
      .map(({ path }) => path)
      .filter((path) => named.test(path) && !/\.compose\.|values\[\]\.name$/.test(path))
      .map((path) => `${message} ${path}`),
  )
  expect(holding).toEqual([
    'task params{}',
    'lookFor values[].value',
    'lookFor key',
    'bundle entries[].key',
    'bundle entries[].value',
    'takeTaskRequest report.found.places[].values[]', // names of the look
    'takeTaskRequest report.printed.services[].hits[].key', // names of secrets
  ])
})

const table = (): string[] => {
  const text = readFileSync(new URL('../../docs/security-model.md', import.meta.url), 'utf8')
  const [, section = ''] = /## Who learns what\n([^]*?)\n## /.exec(text) ?? []
  return section.split('\n').flatMap((line) => {
    const [, first = ''] = /^\| (`[^|]*) \|/.exec(line) ?? []
    return [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  })
}

test('the security model has a row for each message, and no other', () => {
  expect(table().sort()).toEqual(toldMessages)
})

test('a field that is shown once may be missing, as it is in a repeated answer', () => {
  const always = restRoutes.flatMap(({ id, shownOnce = [], responses, status }) => {
    const schema = responses.get(status)?.schema
    if (!(schema instanceof z.ZodObject)) return []
    const isThere = (field: string): boolean =>
      Object.hasOwn(schema.shape, field) && !(schema.shape[field] instanceof z.ZodOptional)
    return shownOnce.filter(isThere).map((field) => `${id} ${field}`)
  })
  expect(always).toEqual([])
})
