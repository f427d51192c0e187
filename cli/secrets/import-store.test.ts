import { describe, expect, it } from 'vitest'
import { isNameless, namesOfKeys, variableOf } from './import-store.ts'

describe('keys of a store', () => {
  it('become variables by what comes after the prefix', () => {
    expect(variableOf('prod/shop/db-password', 'prod/shop/')).toBe('DB_PASSWORD')
    expect(variableOf('prod/shop/a/b.c', 'prod/shop')).toBe('A_B_C')
    expect(variableOf('prod/2fa', 'prod/')).toBe('_2FA')
  })

  it('have no name where the prefix is all of them', () => {
    const keys = ['prod/shop/', 'prod/shop', 'prod/shop//', 'prod/shop/_', 'prod/shop/a']
    expect(keys.filter((key) => isNameless(key, 'prod/shop/'))).toEqual(keys.slice(0, 4))
  })

  it('that would be one variable are named together', () => {
    expect(() => namesOfKeys(['p/a-b', 'p/a_b', 'p/c-d', 'p/c_d'], 'p/')).toThrow(
      /p\/a-b and p\/a_b would be "A_B"; p\/c-d and p\/c_d would be "C_D"/,
    )
    expect(namesOfKeys(['p/a', 'p/b'], 'p/')).toEqual([
      ['A', 'p/a'],
      ['B', 'p/b'],
    ])
  })
})
