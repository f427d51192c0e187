import { expect, it } from 'vitest'
import { complete, suggest } from './filter-suggest.ts'

const valuesOf = (name: string): readonly string[] =>
  name === 'scope' ? ['web', 'worker', 'global'] : name === 'is' ? ['unseen', 'global'] : []
const at = (text: string): readonly string[] => suggest(text, text.length, valuesOf)

it('offers names of the language, and then the values that there are', () => {
  expect(at('s')).toEqual(['scope:', 'stagelet:', 'state:'])
  expect(at('key:DB -sc')).toEqual(['-scope:'])
  expect(at('scope:w')).toEqual(['scope:web', 'scope:worker'])
  expect(at('-is:')).toEqual(['-is:unseen', '-is:global'])
  expect(at('scope:web')).toEqual([])
  expect(at('nothing:x')).toEqual([])
})

it('puts the chosen word where the caret is', () => {
  expect(complete('key:A sc is:global', 8, 'scope:')).toEqual({
    text: 'key:A scope:is:global',
    caret: 12,
  })
  expect(complete('scope:w', 7, 'scope:web')).toEqual({ text: 'scope:web ', caret: 10 })
})
