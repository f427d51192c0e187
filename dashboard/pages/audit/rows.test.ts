import { expect, it } from 'vitest'
import { detailWords, auditQuery } from './rows.ts'

it('asks the API for what the filter says', () => {
  const now = Date.parse('2026-03-02T14:00:00Z')
  expect(auditQuery({ by: 'ann', since: '24h', result: 'denied' }, now)).toEqual({
    by: 'ann',
    since: '2026-03-01T14:00:00.000Z',
    result: 'denied',
  })
  expect(auditQuery({ since: 'ever', result: 'perhaps' }, now)).toEqual({})
})

it('says the detail of a row in names and values, and not as JSON', () => {
  const detail = {
    token_name: 'ci',
    sinceRevision: 4,
    keys: ['A', 'B'],
    none: [],
    change: { from: 1, to: null },
  }
  expect(detailWords(detail)).toEqual([
    ['token name', 'ci'],
    ['since revision', '4'],
    ['keys', 'A, B'],
    ['none', 'none'],
    ['change: from', '1'],
    ['change: to', 'null'],
  ])
})
