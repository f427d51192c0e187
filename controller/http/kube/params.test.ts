import { describe, expect, it } from 'vitest'
import { isTrueParam, parseSeconds } from './params.ts'

describe('a parameter that is true or not', () => {
  it.each(['true', 'True', '1', '', 'yes'])('is with %j', (text) => {
    expect(isTrueParam(text)).toBe(true)
  })

  it.each([undefined, 'false', 'False', '0'])('is not with %j', (text) => {
    expect(isTrueParam(text)).toBe(false)
  })
})

describe('a duration', () => {
  it.each([
    ['15', 15],
    ['2s', 2],
    ['1m30s', 90],
    ['1.5h', 5_400],
    ['500ms', 0.5],
  ])('of %s is read', (text, seconds) => {
    expect(parseSeconds(text)).toBe(seconds)
  })

  it.each(['abc', '-1', '1d', 's', '1m30'])('of %s is none', (text) => {
    expect(parseSeconds(text)).toBeUndefined()
  })
})
