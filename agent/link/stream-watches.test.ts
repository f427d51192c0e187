import { expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { watchClock } from './stream-watches.ts'

it.each([7_200_000, -7_200_000])(
  'a stream is opened anew after the clock of the machine was set by %d ms, and not before',
  async (ms) => {
    const clock = createFakeClock()
    const stream = { isOutdated: false }
    const ending = new AbortController()
    void watchClock({ clock, log: silentLogger }, stream, ending)
    await clock.advance(3_600_000)
    expect([stream.isOutdated, ending.signal.aborted]).toEqual([false, false])
    clock.jump(ms)
    await clock.advance(5_000)
    expect([stream.isOutdated, ending.signal.aborted]).toEqual([true, true])
  },
)
