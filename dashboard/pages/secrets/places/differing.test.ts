import fc from 'fast-check'
import { expect, it } from 'vitest'
import { differenceOf, withSpaces } from './differing.ts'

it('is what stands between a like beginning and a like end', () => {
  expect(differenceOf('postgres://a:old@db', 'postgres://a:newer@db')).toEqual({
    before: 'postgres://a:',
    one: 'old',
    other: 'newer',
    after: '@db',
  })
  expect(differenceOf('aa', 'aaa')).toEqual({ before: 'aa', one: '', other: 'a', after: '' })
  expect(differenceOf('😀', '😁')).toEqual({ before: '', one: '😀', other: '😁', after: '' })
  expect(differenceOf('same', 'same')).toMatchObject({ one: '', other: '', before: 'same' })
})

it('leaves nothing out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      const { before, one, other, after } = differenceOf(a, b)
      expect([before + one + after, before + other + after]).toEqual([a, b])
    }),
  )
})

it('gives white space a form', () => {
  expect(withSpaces('a b\tc\r\n')).toBe('a·b⇥c␍⏎\n')
})
