import { describe, expect, it } from 'vitest'
import { isInstant, toFineTimestamp, toTimestamp } from './clock.ts'

describe('a moment as a text', () => {
  it.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [8.64e15 + 1, '9999-12-31T23:59:59.999Z'],
    [Infinity, '9999-12-31T23:59:59.999Z'],
    [-Infinity, '0000-01-01T00:00:00.000Z'],
  ])('is one for any number: %d', (ms, text) => {
    expect(toFineTimestamp(ms)).toBe(text)
    expect(toTimestamp(ms)).toBe(text.replace(/\.\d+/, ''))
    expect(isInstant(toFineTimestamp(ms))).toBe(true)
  })

  it.each([
    ['2026-01-31T10:00:00Z', true],
    ['2026-01-31T10:00:00.123456789+02:00', true],
    ['0001-01-01T00:00:00Z', true],
    ['+275760-09-13T00:00:00.000Z', false],
    ['2026-01-31', false],
    ['2026-13-31T10:00:00Z', false],
    ['Thu, 01 Jan 1970 00:00:00 GMT', false],
    ['', false],
  ])('%s is one: %s', (text, is) => {
    expect(isInstant(text)).toBe(is)
  })
})
