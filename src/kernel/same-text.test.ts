import { expect, it } from 'vitest'
import { sameText } from './same-text.ts'

it('tells equal texts from others', () => {
  expect(sameText('abc', 'abc')).toBe(true)
  expect(sameText('abc', 'abd')).toBe(false)
  expect(sameText('abc', 'abcd')).toBe(false)
})

it('takes texts of as many characters in other numbers of bytes', () => {
  expect(sameText('abc', 'abé')).toBe(false)
})
