import { describe, expect, it, test } from 'vitest'
import { loadAll } from './command-line.ts'
import { formerWords, wordsOfToday } from './former-words.ts'

test('former words lead to the command of today, with the flags that were given', () => {
  const argv = ['receipt', 'get', 'shop', '--revision', '44']
  const now = ['report', 'receipt', '-o', 'json', 'shop', '--revision', '44']
  expect(wordsOfToday(argv)).toMatchObject({ argv: now, was: 'receipt get' })
  expect(wordsOfToday(['leak-test', 'KEY'])?.argv).toEqual(['where', '--logs', 'KEY'])
  expect(wordsOfToday(['rotation', 'show', 'db'])?.argv).toEqual(['describe', 'rotation', 'db'])
  const yaml = ['rotation', 'show', 'db', '-oyaml']
  expect(wordsOfToday(yaml)?.argv).toEqual(['get', 'rotation', 'db', '-oyaml'])
  expect(wordsOfToday(['team', 'add', 'a'])?.argv).toEqual(['admin', 'team', 'add', 'a'])
  expect(wordsOfToday(['receipt'])).toBeUndefined()
  expect(wordsOfToday(['get', 'receipt', 'get'])).toBeUndefined()
})

describe('a command of today', async () => {
  const roots = await loadAll()
  /** The words that name a command; what follows are its arguments. */
  const named = (words: readonly string[]): boolean => {
    let level = roots
    for (const word of words) {
      const found = level.find((one) => one.name() === word)
      if (found === undefined) return false
      if (found.registeredArguments.length > 0) return true
      level = [...found.commands]
    }
    return true
  }
  const wordsBeforeFlags = (text: string): string[] => text.split(/ -/)[0]!.split(' ')

  it.each(formerWords)('stands for $was: $now', ({ now, withFormat = now }) => {
    expect(named(wordsBeforeFlags(now)), now).toBe(true)
    expect(named(wordsBeforeFlags(withFormat)), withFormat).toBe(true)
    expect(wordsOfToday(now.split(' ')), 'the words of today are no former words').toBeUndefined()
  })
})
