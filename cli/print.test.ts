import { expect, it } from 'vitest'
import { printable } from './print.ts'

it('what is printed cannot steer the terminal', () => {
  expect(printable('a\tb\nü 日本')).toBe('a\tb\nü 日本')
  expect(printable('\u001b]52;c;aGk=\u0007 \u009b31m')).toBe('\\x1b]52;c;aGk=\\x07 \\x9b31m')
})
