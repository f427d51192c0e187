import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createReportPace } from './report-pace.ts'

it('reports of one stagelet come at once, and one a second where they go on; no other waits', async () => {
  const clock = createFakeClock()
  const delayOf = createReportPace(clock)
  const atOnce = (stagelet: string): number => {
    let count = 0
    while (count < 1_000 && delayOf(stagelet) === 0) count += 1
    return count
  }
  expect(atOnce('loud')).toBe(40)
  expect(delayOf('loud')).toBe(1_000)
  expect(atOnce('calm')).toBe(40)
  await clock.advance(600)
  expect(delayOf('loud')).toBe(400)
  await clock.advance(400)
  expect(delayOf('loud')).toBe(1_000)
  await clock.advance(21_000)
  expect(atOnce('loud')).toBe(20)
})
