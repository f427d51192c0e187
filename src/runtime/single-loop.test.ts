import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { silentLogger } from '../kernel/log.ts'
import { done, waitFor, type ReconcileOutcome } from './control-loop.ts'
import { startSingleLoop } from './single-loop.ts'

const start = (
  run: (nowMs: number) => ReconcileOutcome | Promise<ReconcileOutcome> = () => done,
) => {
  const clock = createFakeClock(0)
  const runs: number[] = []
  const loop = startSingleLoop(
    { clock, log: silentLogger },
    {
      name: 'test',
      settleMs: 100,
      run: async () => {
        runs.push(clock.now())
        return run(clock.now())
      },
    },
  )
  return { clock, loop, runs }
}

describe('a single loop', () => {
  it('runs nothing before it is asked', async () => {
    const { clock, loop, runs } = start()
    await clock.advance(3_600_000)
    expect(runs).toEqual([])
    await loop.stop()
  })

  it('runs at once by a wake, and once for a burst of events, when they have settled', async () => {
    const { clock, loop, runs } = start()
    loop.runNow()
    await clock.advance(10)
    for (let i = 0; i < 5; i++) loop.schedule()
    await clock.advance(99)
    expect(runs).toEqual([0])
    await clock.advance(1)
    expect(runs).toEqual([0, 110])
    loop.schedule()
    loop.runNow()
    await clock.advance(1_000)
    expect(runs).toEqual([0, 110, 110])
    await loop.stop()
  })

  it('rests as long as the run says, and an event cuts that short', async () => {
    const { clock, loop, runs } = start(() => waitFor(5_000))
    loop.runNow()
    await clock.advance(5_000)
    loop.schedule()
    await clock.advance(100)
    expect(runs).toEqual([0, 5_000, 5_100])
    await loop.stop()
  })

  it('lets events of its own run settle after the run', async () => {
    const { clock, loop, runs } = start(async (nowMs) => {
      if (nowMs > 0) return done
      await clock.sleep(1_000)
      return waitFor(60_000)
    })
    loop.runNow()
    await clock.advance(500)
    loop.schedule()
    await clock.advance(599)
    expect(runs).toEqual([0])
    await clock.advance(1)
    expect(runs).toEqual([0, 1_100])
    await loop.stop()
  })

  it('stops when the run in work has ended, and runs no more', async () => {
    const { clock, loop, runs } = start(async () => {
      await clock.sleep(1_000)
      return waitFor(0)
    })
    loop.runNow()
    await clock.advance(0)
    let stopped = false
    const stopping = loop.stop().then(() => (stopped = true))
    loop.schedule()
    await clock.advance(999)
    expect(stopped).toBe(false)
    await clock.advance(1)
    await stopping
    loop.runNow()
    await clock.advance(3_600_000)
    expect(runs).toEqual([0])
  })
})
