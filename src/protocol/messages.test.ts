import { expect, test } from 'vitest'
import type * as z from 'zod'
import {
  bundle,
  orderMessage,
  reportRequest,
  reportResponse,
  streamMessage,
  streamRequest,
} from './messages.ts'

const stream = { protocol: '1.1', boot: 'b', version: '1', now: 0, holds: [] }

test('what the database could not store is refused at the door, by field', () => {
  const bad = { ...stream, boot: 'a\0b', version: '\ud800', composeVersion: 'v'.repeat(300) }
  const { error } = streamRequest.safeParse(bad)
  expect(error?.issues.map(({ path }) => path.join('.'))).toEqual(['boot', 'composeVersion'])
  expect(streamRequest.parse({ ...stream, version: '\ud800' }).version).toBe('\\ud800')
  expect(streamRequest.safeParse({ ...stream, version: '1 \u{1f600}' }).success).toBe(true)
  expect(reportRequest.safeParse({ boot: '\0', seq: 1, observations: [] }).success).toBe(false)
})

test('no time that travels unsealed keeps an agent away, or has it ask without a pause', () => {
  const after = (afterMs: number): unknown => streamMessage.parse({ type: 'reconnect', afterMs })
  expect(after(1e15)).toEqual({ type: 'reconnect', afterMs: 300_000 })
  expect(after(-1)).toEqual({ type: 'reconnect', afterMs: 1_000 })
  const ids = { protocol: '2.0', controllerId: 'c', agentUid: 'a', enc: 'e' }
  const hello = {
    type: 'hello',
    ...ids,
    stream: 's',
    signMs: 8_000,
    keepAliveMs: 1e15,
    spreadMs: 1e15,
  }
  expect(streamMessage.parse(hello)).toMatchObject({ keepAliveMs: 300_000, spreadMs: 300_000 })
})

// What peers of protocol 1.0 sent, field by field; 1.1 has added to it since.
const compose = { directory: '/srv/shop', onChange: 'Hold' }
const ofProtocol10 = {
  item: {
    uid: 's',
    namespace: 'default',
    name: 'shop',
    generation: 1,
    projectUid: 'p',
    epoch: 1,
    revision: 4,
    compose,
    paused: false,
    redeploy: '',
  },
  entry: {
    secretId: 'x',
    name: 'key.web',
    version: 1,
    key: 'KEY',
    scope: 'web',
    type: 'file',
    file: { path: 'key.pem', mode: '0440' },
    bytes: 1,
    valueDigest: 'd',
    value: 'dg==',
  },
  observation: {
    stageletUid: 's',
    generation: 1,
    epoch: 1,
    revision: 4,
    phase: 'Failed',
    services: [{ name: 'web', digests: ['d'], containers: 1, state: 'running', restarts: 0 }],
    passed: { web: 'd' },
    rollout: { revision: 4, result: 'Failed' },
    fault: { reason: 'ComposeInvalid', message: 'm' },
    pendingEdits: [],
    missingVariables: [],
  },
}
const { item, entry, observation } = ofProtocol10
const sealed = { seq: 0, ciphertext: 'c' }
const messages: readonly [string, z.ZodType, object][] = [
  ['stream', streamRequest, { ...stream, protocol: '1.0', holds: [{ stageletUid: 's', epoch: 1, revision: 4 }] }], // prettier-ignore
  ['report', reportRequest, { boot: 'b', seq: 1, observations: [observation] }],
  ['desired', orderMessage, { type: 'desired', items: [item] }],
  ['stagelet', orderMessage, { type: 'stagelet', item }],
  ['removed', orderMessage, { type: 'removed', uid: 's' }],
  ['bundle', bundle, { entries: [entry] }],
  ['order line', streamMessage, { type: 'order', ...sealed }],
  ['bundle line', streamMessage, { type: 'bundle', ...sealed, projectUid: 'p', stageletUid: 's', epoch: 1, revision: 4 }], // prettier-ignore
  ['hello', streamMessage, { type: 'hello', protocol: '1.0', controllerId: 'c', agentUid: 'a', enc: 'e', keepAliveMs: 1, spreadMs: 1, stream: 'r.c', signMs: 1_000 }], // prettier-ignore
  ['answer', reportResponse, { refused: ['s'] }],
]

/** A field that nobody knows yet, in every object; `passed` has names of services for fields. */
const withMore = (value: unknown, key = ''): unknown => {
  if (Array.isArray(value)) return value.map((inner) => withMore(inner))
  if (typeof value !== 'object' || value === null || key === 'passed') return value
  const more = Object.entries(value).map(([k, v]) => [k, withMore(v, k)])
  return { ...Object.fromEntries(more), ofTheNextVersion: [{ deep: 1 }] }
}

test.each(messages)('%s of an older peer is understood whole', (_, schema, message) => {
  expect(schema.parse(message)).toMatchObject(message)
})

test.each(messages)('%s of a newer peer is what it was, less what is new', (_, schema, message) => {
  expect(schema.parse(withMore(message))).toEqual(schema.parse(message))
})

test('an order of an older controller asks for nothing that it does not know', () => {
  const order = orderMessage.parse({ type: 'stagelet', item })
  expect(order).toEqual({ type: 'stagelet', item: { ...item, order: 0, retry: '' } })
})
