import { describe, expect, it } from 'vitest'
import { namesOf, variableOf } from './import-store.ts'

describe('keys of a store', () => {
  it('become variables by what comes after the prefix', () => {
    expect(variableOf('prod/shop/db-password', 'prod/shop/')).toBe('DB_PASSWORD')
    expect(variableOf('prod/shop/a/b.c', 'prod/shop')).toBe('A_B_C')
    expect(variableOf('prod/2fa', 'prod/')).toBe('_2FA')
  })

  it('that would be one variable, or none, are named together', () => {
    expect(() => namesOf(['p/a-b', 'p/a_b', 'p/'], 'p/')).toThrow(
      /p\/a-b and p\/a_b would be "A_B"; p\/ would be ""/,
    )
    expect(namesOf(['p/a', 'p/b'], 'p/')).toEqual([
      ['A', 'p/a'],
      ['B', 'p/b'],
    ])
  })
})
