import { expect, test } from 'vitest'
import { sameJson } from './same-json.ts'

test.each([
  [
    { a: 1, b: [1, { c: 'x' }] },
    { b: [1, { c: 'x' }], a: 1 },
  ],
  [{ a: undefined, b: 1 }, { b: 1 }],
  [null, null],
  [undefined, undefined],
  [[], []],
])('%j equals %j', (a, b) => {
  expect(sameJson(a, b)).toBe(true)
})

test.each([
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { b: 1 }],
  [
    { a: 1, b: undefined },
    { a: undefined, b: 1 },
  ],
  [
    [1, 2],
    [2, 1],
  ],
  [[], {}],
  [null, {}],
  [{ a: null }, {}],
  ['1', 1],
])('%j differs from %j', (a, b) => {
  expect(sameJson(a, b)).toBe(false)
  expect(sameJson(b, a)).toBe(false)
})

test('members that are ignored do not count, at the top', () => {
  expect(sameJson({ a: 1, at: 2 }, { a: 1, at: 3 }, ['at'])).toBe(true)
  expect(sameJson({ a: { at: 2 } }, { a: { at: 3 } }, ['at'])).toBe(false)
})
