import fc from 'fast-check'
import { expect, it } from 'vitest'
import { differenceOf, withSpaces } from './differing.ts'

it('is what stands between a like beginning and a like end', () => {
  expect(differenceOf('postgres://a:old@db', 'postgres://a:newer@db')).toEqual({
    before: 'postgres://a:',
    left: 'old',
    right: 'newer',
    after: '@db',
  })
  expect(differenceOf('aa', 'aaa')).toEqual({ before: 'aa', left: '', right: 'a', after: '' })
  expect(differenceOf('😀', '😁')).toEqual({ before: '', left: '😀', right: '😁', after: '' })
  expect(differenceOf('same', 'same')).toMatchObject({ left: '', right: '', before: 'same' })
})

it('leaves nothing out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      const { before, left, right, after } = differenceOf(a, b)
      expect([before + left + after, before + right + after]).toEqual([a, b])
    }),
  )
})

it('gives white space a form', () => {
  expect(withSpaces('a b\tc\r\n')).toBe('a·b⇥c␍⏎\n')
})
