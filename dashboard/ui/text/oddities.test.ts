import { expect, it } from 'vitest'
import { oddities } from './oddities.ts'

it('names what one does not see in a value', () => {
  expect(oddities(' a\tb\r\n')).toEqual([
    ...['ends with a line break', 'begins with a space', 'has carriage returns', 'has tabs'],
  ])
  expect(oddities('a ')).toEqual(['ends with a space'])
  expect(oddities('a\0b')).toEqual(['has a NUL byte'])
  expect(oddities('pass•word**')).toEqual([])
})

it('asks of a mask whether it is a value', () => {
  for (const mask of ['•', '••••••••', '***', '***REDACTED***', '•*•'])
    expect(oddities(mask)).toEqual(['looks like a masked value'])
})
