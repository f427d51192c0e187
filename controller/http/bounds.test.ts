import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import * as z from 'zod'
import * as byHand from '../../src/protocol/by-hand.ts'
import * as join from '../../src/protocol/join.ts'
import * as printed from '../../src/protocol/printed.ts'
import * as logs from '../../src/protocol/logs.ts'
import * as messages from '../../src/protocol/messages.ts'
import * as looks from '../../src/protocol/look.ts'
import * as tasks from '../../src/protocol/tasks.ts'
import { mapOf } from '../../src/resources/limits.ts'
import { ownerReferences } from '../../src/resources/owner-references.ts'
import { decodeMetadata, metadataFields } from '../../src/resources/validation/metadata.ts'
import { kinds, requireKind } from '../../src/kinds/index.ts'
import { unboundedIn } from '../../test/support/http/unbounded.ts'
import { peerRequests } from './peers/requests.ts'
import { restRoutes } from './rest/table.ts'

const protocol = { ...messages, ...join, ...logs, ...printed, ...looks, ...tasks, ...byHand }

/** What the controller says to an agent, or an agent to a person on its machine. */
const fromController = [
  ...['bundle', 'orderMessage', 'streamMessage', 'refusal', 'reportResponse', 'joinResponse'],
  ...['logBatchResponse', 'taskResponse'],
  ...['logsOrder', 'countOrder', 'lookOrder', 'taskOrder', 'manualLine'],
]

const schemas: readonly (readonly [string, z.ZodType])[] = [
  ...kinds.map(({ kind, spec }) => [`spec of ${kind}`, spec] as const),
  ...kinds.flatMap(({ kind, status }) => (status ? [[`status of ${kind}`, status] as const] : [])),
  ['ownerReferences', ownerReferences],
  ...restRoutes.flatMap(({ id, body, query }) => [
    ...(body === undefined ? [] : [[`body of ${id}`, body] as const]),
    ...(query === undefined ? [] : [[`query of ${id}`, query] as const]),
  ]),
  ...Object.entries(peerRequests),
  ...Object.entries(protocol).flatMap(([name, schema]) =>
    schema instanceof z.ZodType && !fromController.includes(name) ? [[name, schema] as const] : [],
  ),
]

/** What is looked at by itself, with a bound of its own. */
const elsewhere: readonly string[] = [
  'reportEnvelope observations[]: any', // fit-report.ts
  ...['taskEnvelope : map', 'taskEnvelope {}: any'], // taskReport
]

test('everything that comes from outside has a bound', () => {
  const found = schemas.flatMap(([name, schema]) =>
    unboundedIn(schema).map((where) => `${name} ${where}`),
  )
  expect(found.filter((one) => !elsewhere.includes(one))).toEqual([])
})

test('every file with messages of agents is looked at', () => {
  const folder = 'src/protocol'
  const files = readdirSync(folder).filter((name) => /^(?!.*\.test\.).*\.ts$/.test(name))
  const withSchemas = files.filter((name) =>
    readFileSync(`${folder}/${name}`, 'utf8').includes("from 'zod'"),
  )
  expect(withSchemas).toEqual([
    ...['by-hand.ts', 'fit-report.ts', 'join-token.ts', 'join.ts'],
    ...['logs.ts', 'look.ts', 'messages.ts', 'printed.ts', 'tasks.ts'],
  ])
})

/** Larger than a field of metadata may be; any other field is a text. */
const tooLarge: Readonly<Record<string, unknown>> = {
  labels: Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`k${i}`, ''])),
  annotations: { a: 'x'.repeat(262_144) },
  finalizers: Array.from({ length: 10_001 }, (_, i) => `example.com/f${i}`),
}

/** Numbers, and what is looked at with the other schemas. */
const noTexts = ['generation', 'deletionGracePeriodSeconds', 'ownerReferences']
const texts = [...metadataFields].filter((field) => !noTexts.includes(field))

test.each(texts)('the metadata of an object has a bound of %s', (field) => {
  const value = tooLarge[field] ?? 'x'.repeat(254)
  const { faults, metadata } = decodeMetadata(requireKind('Agent'), {
    name: 'box',
    [field]: value,
  })
  expect(faults).toMatchObject([{ field: `metadata.${field}`, reason: 'FieldValueTooLong' }])
  expect(JSON.stringify(metadata).length).toBeLessThan(300)
})

describe('what has no bound is found', () => {
  it.each([
    ['text', z.string(), [': text']],
    ['text of an open pattern', z.string().regex(/^a[bc]*$/), [': text']],
    ['text of a pattern that is open in a group', z.string().regex(/^(ab+){2}$/), [': text']],
    ['text of a pattern without an end', z.string().regex(/^a|b$/), [': text']],
    ['a list', z.array(z.string().max(1)), [': list']],
    ['a map', z.record(z.string().max(1), z.boolean()), [': map']],
    ['keys of a map', z.record(z.string(), z.boolean()).meta({ maxProperties: 1 }), [' key: text']],
    ['a number', z.object({ a: z.int(), b: z.number() }), ['a: number', 'b: number']],
    ['anything', z.object({ a: z.unknown() }), ['a: any']],
    ['a choice', z.object({ a: z.union([z.string(), z.null()]) }), ['a: text']],
    ['items', z.array(z.object({ a: z.string() })).max(1), ['[].a: text']],
  ])('%s', (_, schema: z.ZodType, found) => {
    expect(unboundedIn(schema)).toEqual(found)
  })

  it('and nothing else', () => {
    const bounded = z.strictObject({
      text: z.string().max(3),
      form: z.string().regex(/^(a|b){1,3}[x*]\+$/),
      list: z.array(z.enum(['a'])).max(1),
      map: mapOf(z.int().min(0), { most: 1 }),
      pair: z.tuple([z.boolean(), z.literal('a')]),
      number: z.number().min(-1).optional(),
    })
    expect(unboundedIn(bounded)).toEqual([])
  })
})
