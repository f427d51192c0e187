import { expect, test } from 'vitest'
import * as z from 'zod'
import { fitTo } from './fit.ts'
import { mapOf } from '../limits.ts'

const schema = z.strictObject({
  kind: z.enum(['long enumeration']).optional(),
  text: z.string().max(4).optional(),
  list: z
    .array(z.strictObject({ note: z.string().max(3).optional(), count: z.int().min(0) }))
    .max(2),
  map: mapOf(z.string().max(3), { most: 2, key: z.string().max(5) }).optional(),
})

test('texts, lists and maps lose what is over, and each field that was cut is named once', () => {
  const given = {
    kind: 'long enumeration',
    text: '12345',
    list: [{ note: 'abcdef', count: 1 }, { note: 'abcd', count: 2 }, { count: 3 }],
    map: { a: '1', tooLong: '2', b: '3', c: '4' },
  }
  expect(fitTo(schema, given)).toEqual({
    value: {
      kind: 'long enumeration',
      text: '123…',
      list: [
        { note: 'ab…', count: 1 },
        { note: 'ab…', count: 2 },
      ],
      map: { a: '1', b: '3' },
    },
    cuts: [
      { field: 'text', had: 5, kept: 4 },
      { field: 'list', had: 3, kept: 2 },
      { field: 'list[].note', had: 6, kept: 3 },
      { field: 'map', had: 4, kept: 2 },
    ],
  })
})

test('what is within the bounds, or of another type, is returned as it is', () => {
  const good = { text: '1234', list: [{ note: 'abc', count: 1 }], map: { a: '1' } }
  expect(fitTo(schema, good).value).toBe(good)
  const wrong = { text: 7, list: 'x', map: [1, 2, 3], more: 'a field of a newer agent' }
  expect(fitTo(schema, wrong)).toEqual({ value: wrong, cuts: [] })
  expect(fitTo(schema, null).value).toBeNull()
})

test('no half of a character stays behind', () => {
  expect(fitTo(z.string().max(3), 'a\u{1f600}bc').value).toBe('a…')
})
