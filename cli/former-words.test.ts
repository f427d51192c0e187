import { describe, expect, it, test } from 'vitest'
import { loadAll } from './command-line.ts'
import { formerWords, wordsOfToday } from './former-words.ts'

test('former words lead to the command of today, with the flags that were given', () => {
  const argv = ['receipt', 'get', 'shop', '--revision', '44']
  const now = ['report', 'receipt', '-o', 'json', 'shop', '--revision', '44']
  expect(wordsOfToday(argv)).toMatchObject({ argv: now, was: 'receipt get' })
  expect(wordsOfToday(['leak-test', 'KEY'])?.argv).toEqual(['where', '--logs', 'KEY'])
  expect(wordsOfToday(['receipt'])).toBeUndefined()
  expect(wordsOfToday(['get', 'receipt', 'get'])).toBeUndefined()
})

describe('a command of today', async () => {
  const roots = await loadAll()
  it.each(formerWords)('stands for %s: %s', (was, now) => {
    const find = (words: readonly string[]) => {
      let level = roots
      for (const [i, word] of words.entries()) {
        const found = level.find((one) => one.name() === word || one.aliases().includes(word))
        if (found === undefined) return i
        level = [...found.commands]
      }
      return words.length
    }
    const words = now
      .split(' ')
      .filter((_, i, all) => !all.slice(0, i + 1).some((w) => w.startsWith('-')))
    expect(find(words), now).toBe(words.length)
    expect(wordsOfToday(now.split(' ')), 'the words of today are no former words').toBeUndefined()
    expect(find(was.split(' ')), was).toBeLessThan(was.split(' ').length)
  })
})
