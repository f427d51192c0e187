import { expect, it } from 'vitest'
import * as z from 'zod'
import { logBatch } from '../../protocol/logs.ts'
import { mapOf } from '../limits.ts'
import { misfitsOf } from './misfits.ts'

const schema = z.object({
  name: z.string().max(3),
  count: z.int().min(0),
  state: z.enum(['a', 'b']).optional(),
  map: mapOf(z.string().max(1), { most: 2 }).optional(),
  list: z
    .array(z.object({ n: z.int().positive().max(5) }))
    .max(3)
    .optional(),
  choice: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('x'), x: z.string().max(1) }),
      z.object({ type: z.literal('y') }),
    ])
    .optional(),
})
const good = { name: 'abc', count: 0 }

it.each([
  [
    'what fits',
    { ...good, state: 'a', map: { k: 'v' }, list: [{ n: 1 }], choice: { type: 'y' } },
    [],
  ],
  ['what the schema does not know', { ...good, more: 1 }, []],
  ['no object', [], ['']],
  ['what is missing', {}, ['name', 'count']],
  ['other types', { name: 1, count: '1' }, ['name', 'count']],
  ['null and halves', { name: null, count: 0.5 }, ['name', 'count']],
  ['what is too long or too small', { name: 'abcd', count: -1 }, ['name', 'count']],
  ['no such word', { ...good, state: 'c' }, ['state']],
  ['a map that is too large', { ...good, map: { a: '', b: '', c: '' } }, ['map']],
  ['an entry', { ...good, map: { a: 'too long' } }, ['map.a']],
  ['items', { ...good, list: [{ n: 0 }, { n: 1 }, { n: 6 }] }, ['list.0.n', 'list.2.n']],
  ['too many items', { ...good, list: [0, 0, 0, 0] }, ['list']],
  ['no choice', { ...good, choice: { type: 'x' } }, ['choice']],
])('%s', (_, given, found) => {
  expect(misfitsOf(schema, given, 10)).toEqual(found)
  expect(schema.safeParse(given).success).toBe(found.length === 0)
})

it('stops where enough was found', () => {
  let looked = 0
  const record = {
    get type() {
      looked += 1
      return 'none'
    },
  }
  const records = Array.from({ length: 20_000 }, () => record)
  expect(misfitsOf(logBatch, { session: 's', seq: 0, records }, 2)).toEqual([
    'records.0',
    'records.1',
  ])
  expect(looked).toBeLessThan(20)
})
