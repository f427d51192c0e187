import { describe, expect, it } from 'vitest'
import type { Happened } from '../../../src/generated/rest-types.ts'
import { byDay, countNew, activityState } from './words.ts'

const row = (id: string, at: string, more: Partial<Happened> = {}): Happened => ({
  id,
  at,
  kind: 'rollout',
  what: 'Healthy',
  is_bad: false,
  team: 'default',
  by: [],
  message: 'm',
  ...more,
})

describe('the feed', () => {
  it('is grouped by the days of who reads it, in the order of its rows', () => {
    const rows = ['2026-03-03T12:00:00Z', '2026-03-03T11:00:00Z', '2026-03-01T12:00:00Z']
    const days = byDay(rows.map((at, i) => row(String(i), at)))
    expect(days.map(({ rows: own }) => own.map(({ id }) => id))).toEqual([['0', '1'], ['2']])
  })

  it('counts what came since, and what is known anew of a row that is shown', () => {
    const shown = [row('1', '2026-03-03T12:00:00Z')]
    const news = [row('2', '2026-03-03T12:00:01Z'), row('1', '2026-03-03T12:00:02Z'), ...shown]
    expect(countNew(shown, news)).toBe(2)
    expect(countNew(news, news)).toBe(0)
  })

  it('has a glyph and a word for what it does not know', () => {
    expect(activityState(row('1', '', { kind: 'drift', what: 'healed' }))).toEqual(['ok', 'Healed'])
    expect(activityState(row('1', '', { kind: 'drift', what: 'unheard' }))).toEqual([
      'wait',
      'unheard',
    ])
  })
})
