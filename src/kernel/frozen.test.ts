import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frozenCopy } from './frozen.ts'

test('a frozen copy is what its JSON says', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const members = { value, absent: undefined }
      expect(JSON.stringify(frozenCopy(members))).toBe(JSON.stringify(members))
      expect(Object.keys(frozenCopy(members))).toEqual(['value'])
    }),
  )
})

test('what JSON has no word for is null, as there', () => {
  const value = { list: [undefined, NaN, 1], number: -Infinity }
  expect(frozenCopy(value)).toEqual(JSON.parse(JSON.stringify(value)))
})

test('it shares what is frozen, and nothing that can be changed', () => {
  const [kept, open] = [Object.freeze({ a: 1 }), { b: [2] }]
  const copy = frozenCopy({ kept, open })
  open.b.push(3)
  expect(copy).toEqual({ kept: { a: 1 }, open: { b: [2] } })
  expect(copy.kept).toBe(kept)
  expect(Object.isFrozen(copy.open.b)).toBe(true)
})

test('a member named __proto__ stays a member', () => {
  const value = JSON.parse('{"__proto__": {"admin": true}}') as Record<string, unknown>
  expect(JSON.stringify(frozenCopy(value))).toBe('{"__proto__":{"admin":true}}')
})
