import { expect, it } from 'vitest'
import { duration, durationMs, isDuration, lifetime } from './duration.ts'

it.each([
  ['90s', 90_000],
  ['60s', 60_000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['90d', 7_776_000_000],
])('takes %s', (text, ms) => {
  expect(duration.safeParse(text).success).toBe(true)
  expect(isDuration(text)).toBe(true)
  expect(durationMs(text)).toBe(ms)
})

it.each(['59s', '30s', '0m', '1.5h', '5', '5 m', 'soon'])('does not take %s', (text) => {
  expect(isDuration(text)).toBe(false)
})

it('takes a lifetime of ten minutes and more, in any unit', () => {
  for (const text of ['600s', '900s', '10m', '72h', '14d'])
    expect(lifetime.safeParse(text).success, text).toBe(true)
  for (const text of ['599s', '9m', '60s'])
    expect(lifetime.safeParse(text).success, text).toBe(false)
})
