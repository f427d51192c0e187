import { expect, it } from 'vitest'
import { queryOf } from './rows.ts'

it('asks the API for what the filter says', () => {
  const now = Date.parse('2026-03-02T14:00:00Z')
  expect(queryOf({ by: 'ann', since: '24h', result: 'denied' }, now)).toEqual({
    by: 'ann',
    since: '2026-03-01T14:00:00.000Z',
    result: 'denied',
  })
  expect(queryOf({ since: 'ever', result: 'perhaps' }, now)).toEqual({})
})
