import { describe, expect, it } from 'vitest'
import { createMasker } from '../../src/masking/masker.ts'
import { createKnownValues } from './known-values.ts'
import { createLineMasker, maxLineBytes } from './line-masker.ts'
import { held } from '../../test/support/held.ts'

const secret = 'hunter2-canary-value'
const masker = createMasker([Buffer.from(secret)])
const texts = (lines: readonly { text: string }[]): string[] => lines.map((l) => l.text)

describe('lines of a log', () => {
  it('hide a secret wherever the frames are cut', () => {
    const bytes = Buffer.from(`a ${secret} b\nnext\n`)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const lines = createLineMasker(() => masker)
      const shown = [
        ...lines.take('1', bytes.subarray(0, cut)),
        ...lines.take('2', bytes.subarray(cut)),
        ...lines.end(),
      ]
      expect(texts(shown)).toEqual(['a ***REDACTED*** b', 'next'])
    }
  })

  it('hide a secret of several lines, short ones too', () => {
    const key = 'first-line-of-key\nmid\nlast-line-of-key'
    const hiding = createMasker([Buffer.from(key)])
    const lines = createLineMasker(() => hiding)
    const shown = [
      ...lines.take('1', Buffer.from('key:\n')),
      ...lines.take('2', Buffer.from('first-line-of-key\n')),
      ...lines.take('3', Buffer.from('mid\n')),
      ...lines.take('4', Buffer.from('last-line-of-key\n')),
      ...lines.take('5', Buffer.from('after\n')),
    ]
    expect(texts(shown)).toEqual(['key:', '***REDACTED***', 'after'])
  })

  it('come at once, with the time of their beginning', () => {
    const hiding = createMasker([Buffer.from('\nbegins-with-a-newline')])
    const lines = createLineMasker(() => hiding)
    expect(lines.take('1', Buffer.from('one\n'))).toEqual([{ time: '1', text: 'one' }])
    expect(lines.take('2', Buffer.from('tw'))).toEqual([])
    expect(lines.take('3', Buffer.from('o\r\n'))).toEqual([{ time: '2', text: 'two' }])
    expect(lines.take('4', Buffer.from('no end'))).toEqual([])
    expect(lines.end()).toEqual([{ time: '4', text: 'no end' }])
  })

  it('are cut when they are too long, between characters', () => {
    const lines = createLineMasker(() => masker)
    const shown = [...lines.take('1', Buffer.from(`x${'é'.repeat(maxLineBytes)}`)), ...lines.end()]
    expect(texts(shown).join('')).toBe(`x${'é'.repeat(maxLineBytes)}`)
    expect(shown.length).toBeGreaterThan(1)
  })

  it('hide what becomes known while they are followed, and what was rotated away', () => {
    const values = createKnownValues()
    values.learn([held('A', 'the-old-canary-value')])
    const lines = createLineMasker(() => values.masker())
    expect(texts(lines.take('1', Buffer.from('the-old-canary-value\n')))).toEqual([
      '***REDACTED***',
    ])
    values.learn([held('A', 'the-new-canary-value')])
    const both = 'the-old-canary-value the-new-canary-value\n'
    expect(texts(lines.take('2', Buffer.from(both)))).toEqual(['***REDACTED*** ***REDACTED***'])
  })
})
