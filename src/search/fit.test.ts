import { expect, it } from 'vitest'
import { bestOf, fitOf, wordsOf } from './fit.ts'

const names = { own: ['shop-db-url.web', 'DB_URL'], others: ['team-a', 'shop'] }

it('every word must be somewhere, in any case', () => {
  expect(fitOf(names, wordsOf('  DB_url  SHOP '))).toBe(1)
  expect(fitOf(names, wordsOf('db_url blog'))).toBeUndefined()
  expect(fitOf(names, [])).toBe(0)
})

it('a whole name is better than its beginning, its middle, and the place', () => {
  const fits = ['db_url', 'db', 'url', 'team-a'].map((text) => fitOf(names, [text]))
  expect(fits).toEqual([0, 1, 2, 3])
})

it('the best come first, equally good ones as they were', () => {
  const found = bestOf(['web-2', 'my-web', 'web', 'web-1', 'db'], ['web'], (own) => ({
    own: [own],
  }))
  expect(found).toEqual(['web', 'web-2', 'web-1', 'my-web'])
})
