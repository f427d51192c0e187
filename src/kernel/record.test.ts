import { expect, it } from 'vitest'
import { isRecord, tryParseJson } from './record.ts'

it('knows an object from null, a list and the rest', () => {
  expect([{}, { a: 1 }].every(isRecord)).toBe(true)
  expect([null, undefined, [], 'text', 1].some(isRecord)).toBe(false)
})

it('reads JSON, and any other text as undefined', () => {
  expect(tryParseJson('{"a":[null]}')).toEqual({ a: [null] })
  expect(['', '{', 'text', '{"a":1} x'].map(tryParseJson)).toEqual(Array(4).fill(undefined))
})
