import { expect, it } from 'vitest'
import { inputOf, placeholder, printing, stdinValue, yaml } from './text.ts'

it('takes a field of any name for what it is, and only a new value for one from standard input', () => {
  const body = { outputs: { given: 'TOKEN' } }
  expect(printing(body)).toBe(`printf '%s' '{"outputs":{"given":"TOKEN"}}'`)
  expect(inputOf(body)).toBeUndefined()
  expect(yaml(body)).toBe('outputs:\n  given: TOKEN\n')
  expect(inputOf({ value: stdinValue('KEY') })).toBe('the value of KEY, byte for byte')
  expect(yaml({ value: stdinValue('KEY') })).toBe(`value: ${placeholder('KEY')}\n`)
})
