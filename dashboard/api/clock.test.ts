import { afterEach, expect, it } from 'vitest'
import { syncClock, now } from './clock.ts'

/** What the clock is ahead by after the controller has told a time. */
const aheadAfter = (time: number, took = 20): number => {
  const gotAt = Date.now()
  syncClock(new Date(time).toUTCString(), gotAt - took, gotAt)
  return now() - Date.now()
}
const hour = 3_600_000

afterEach(() => {
  aheadAfter(Date.now())
})

it('takes the time of the controller where the clock of this computer is wrong', () => {
  expect(aheadAfter(Date.now() - hour)).toBeGreaterThan(-hour - 3000)
  expect(aheadAfter(Date.now() - hour)).toBeLessThan(-hour + 3000)
  expect(Math.round(aheadAfter(Date.now() + hour) / hour)).toBe(1)
})

it('keeps the clock of this computer where it is right, and where an answer took long', () => {
  expect(aheadAfter(Date.now() - 1500)).toBe(0)
  expect(aheadAfter(Date.now() - 50_000, 60_000)).toBe(0)
})

it('does not jump while what is known fits', () => {
  const first = aheadAfter(Date.now() + hour)
  expect(aheadAfter(Date.now() + hour + 700)).toBe(first)
  syncClock(null, Date.now(), Date.now())
  syncClock('no time', Date.now(), Date.now())
  expect(now() - Date.now()).toBe(first)
  expect(aheadAfter(Date.now())).toBe(0)
})
