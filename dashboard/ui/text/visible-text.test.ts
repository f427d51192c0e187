import { expect, it } from 'vitest'
import { visibleText } from './visible-text.ts'

it('shows what nobody sees, and leaves lines and letters of all scripts', () => {
  expect(visibleText('pay \u202Egpj.exe\u2066\u200B\u0007')).toBe(
    'pay <U+202E>gpj.exe<U+2066><U+200B>^G',
  )
  expect(visibleText('a\tß\n日本 <b>שלום</b>')).toBe('a\tß\n日本 <b>שלום</b>')
})
