import { expect, it } from 'vitest'
import { confirmedUntil } from './session-times.ts'

const now = 10_000_000
const minute = 60_000

it.each([
  ['nobody says when', undefined, undefined],
  ['now', now, now + 10 * minute],
  ['four minutes ago', now - 4 * minute, now + 6 * minute],
  ['ten minutes ago', now - 10 * minute, undefined],
  ['eight hours ago', now - 480 * minute, undefined],
  ['a little ahead, as another clock is', now + minute, now + 10 * minute],
  ['in the future', now + minute + 1, undefined],
])('a proof counts for ten minutes: %s', (_, provedAt, until) => {
  expect(confirmedUntil(provedAt, now)).toBe(until)
})
