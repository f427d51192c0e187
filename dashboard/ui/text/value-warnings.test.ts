import { expect, it } from 'vitest'
import { valueWarnings } from './value-warnings.ts'

it('names what one does not see in a value', () => {
  expect(valueWarnings(' a\tb\r\n')).toEqual([
    ...['ends with a line break', 'begins with a space', 'has carriage returns', 'has tabs'],
  ])
  expect(valueWarnings('a ')).toEqual(['ends with a space'])
  expect(valueWarnings('a\0b')).toEqual(['has a NUL byte'])
  expect(valueWarnings('pass•word**')).toEqual([])
})

it('asks of a mask whether it is a value', () => {
  for (const mask of ['•', '••••••••', '***', '***REDACTED***', '•*•'])
    expect(valueWarnings(mask)).toEqual(['looks like a masked value'])
})
