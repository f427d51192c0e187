// A controller is killed and comes back: its agents return spread over a window, are quiet after it,
// and end up with what is wanted. STAGELY_SWARM_AGENTS says how many; the agents are all in this process.
//
// The steady rate is what the agents send while each has something small to tell all the time (restart
// counts), of which an agent sends one report in 10 s for each stagelet. Beside it there is nothing:
// keep-alives go the other way. The first jitter window begins when the controller is ready again. It has
// the spread over which that one makes agents come back (agents / 300 per second, at least 0.5 s), as long
// again as back-off may have doubled to while nobody answered, and 1 s for the report that follows.
// After it, no mean over 5 s is to reach twice the steady rate; single seconds are the scheduler's.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { backoffCapMs } from '../../agent/link/reconnect.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { startWorld, type World } from '../support/programs/processes.ts'
import { joinAll, startSwarm, type Swarm } from '../support/agents/swarm.ts'
import { areInSync, declareSwarm } from '../support/agents/swarm-objects.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'
import { soak } from '../support/soak.ts'

const size = Number(process.env['STAGELY_SWARM_AGENTS'] ?? soak(20, 1_000))
const newsMs = 11_000
const meanSeconds = 5
const limitMs = 600_000

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length

describe(`${size} agents of a controller that is killed`, () => {
  let world: World
  let swarm: Swarm
  let database: TestDatabase

  const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<number> => {
    const start = performance.now()
    while (!(await holds())) {
      const waitedMs = performance.now() - start
      if (waitedMs > limitMs / 3) throw new Error(`not within ${waitedMs / 1000} s: ${what}`)
      await realClock.sleep(100)
    }
    return Math.round(performance.now() - start)
  }
  const inSync = (): Promise<boolean> => areInSync(world, size)
  /** Requests in each whole second from `from` on. */
  const perSecond = (from: number, to: number): number[] => {
    const bins = Array.from({ length: Math.floor((to - from) / 1000) }, () => 0)
    for (const at of swarm.sentAt) {
      const bin = Math.floor((at - from) / 1000)
      if (bin >= 0 && bin < bins.length) bins[bin]!++
    }
    return bins
  }

  beforeAll(async () => {
    database = await freshDatabase()
    world = await startWorld({ databaseUrl: database.url, withAgent: false })
    swarm = await startSwarm(await joinAll(await declareSwarm(world, size)))
    await until('all in sync at first', inSync)
  }, limitMs)
  afterAll(async () => {
    await swarm?.stop()
    await world?.stop()
    await database?.drop()
  }, 60_000)

  it(
    'come back within the jitter window, send less than twice the steady rate after it, and are in sync',
    async () => {
      const steady = size / (newsMs / 1000)
      swarm.reportEvery(newsMs)
      await realClock.sleep(2_000)

      await world.controller.kill('SIGKILL')
      const downAt = performance.now()
      await until('all have lost their streams', () => swarm.connected() === 0)
      await world.startController()
      const upAt = performance.now()
      const spreadMs = Math.max(500, (size / 300) * 1000)
      const windowMs = spreadMs + Math.min(upAt - downAt, backoffCapMs(spreadMs)) + 1000
      const backMs = await until('all are connected again', () => swarm.connected() === size)
      const inSyncMs = backMs + (await until('all are in sync again', inSync))
      await realClock.sleep(Math.max(0, upAt + windowMs - performance.now()))
      const afterFrom = performance.now()
      // The first small reports after coming back are spread from 10 to 20 s after it.
      await realClock.sleep(2 * newsMs)
      const during = perSecond(upAt, upAt + windowMs)
      const after = perSecond(afterFrom, performance.now())
      await world.patchSecret('shop-token.global', 'second')
      const changedMs = await until('all hold the new revision', () => swarm.holding(2) === size)
      const changeInSyncMs = changedMs + (await until('all are in sync with it', inSync))
      const means = after
        .slice(meanSeconds - 1)
        .map((_, i) => mean(after.slice(i, i + meanSeconds)))
      console.info(
        [
          `${size} agents, steady ${steady.toFixed(1)} requests/s; away ${Math.round(upAt - downAt)} ms`,
          `all back ${backMs} ms after the controller was ready, in sync after ${inSyncMs} ms`,
          `requests in each second of the window: ${during.join(' ')}; after it: ${after.join(' ')}`,
          `highest mean over ${meanSeconds} s after it: ${Math.max(...means).toFixed(1)} requests/s`,
          `a change is with all after ${changedMs} ms, in sync after ${changeInSyncMs} ms`,
        ].join('\n'),
      )
      expect(mean(after)).toBeGreaterThan(0.5 * steady)
      expect(Math.max(...means)).toBeLessThan(2 * steady)
    },
    limitMs,
  )
})
