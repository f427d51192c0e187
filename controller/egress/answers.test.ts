import { describe, expect, it } from 'vitest'
import { parseAnswer, retryAfterMs } from './answers.ts'

describe('the JSON of an answer', () => {
  it('nests no deeper than 32, also where brackets are in texts', () => {
    expect(parseAnswer(`${'['.repeat(32)}"[[[\\"{"${']'.repeat(32)}`)).toBeTruthy()
    expect(() => parseAnswer(`${'['.repeat(33)}${']'.repeat(33)}`)).toThrow('deeper than 32')
    expect(() => parseAnswer('{"a": ')).toThrow('not JSON')
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-28T12:00:00Z')
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Sat, 28 Nov 2026 12:00:30 GMT', 30_000],
    ['Sat, 28 Nov 2026 11:00:00 GMT', 0],
    ['-1', undefined],
    ['soon', undefined],
    ['9999999999', undefined],
    ['', undefined],
  ])('%s asks for %s ms', (text, ms) => {
    expect(retryAfterMs({ headers: { 'retry-after': text } }, now)).toBe(ms)
  })

  it('counts from the time that the same answer names, where clocks differ', () => {
    const headers = {
      'retry-after': 'Sat, 28 Nov 2026 13:00:30 GMT',
      date: 'Sat, 28 Nov 2026 13:00:00 GMT',
    }
    expect(retryAfterMs({ headers }, now)).toBe(30_000)
  })

  it('may be absent', () => {
    expect(retryAfterMs({ headers: {} }, now)).toBeUndefined()
  })
})
