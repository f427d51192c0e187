import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { copyJson } from './copy-json.ts'

describe('copyJson', () => {
  it('gives an equal value that shares nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = copyJson(value)
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
        if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value)
      }),
    )
  })

  it('keeps a member named __proto__ a member', () => {
    const value = JSON.parse('{"__proto__": {"admin": true}}') as Record<string, unknown>
    const copy = copyJson(value)
    expect(Object.keys(copy)).toEqual(['__proto__'])
    expect((copy as { admin?: boolean }).admin).toBeUndefined()
  })
})
