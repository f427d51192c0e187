import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { StoreParts } from './store-parts.ts'
import { Refusals } from './log/refusals.ts'
import { healthOf } from './upkeep.ts'

it.each([
  [
    'well',
    { mode: 'off', oldestWaitMs: 10_000, isOutdated: false },
    { ok: true, clockAheadMs: 7_000 },
  ],
  [
    'a write that waits',
    { mode: 'off', oldestWaitMs: 12_000, isOutdated: false },
    { ok: false, failed: 'writes', reason: 'a write waits for 12 s' },
  ],
  [
    'a database that takes no writes',
    { mode: 'on', oldestWaitMs: 0, isOutdated: false },
    { ok: false, failed: 'database', reason: 'the database is read-only' },
  ],
  [
    'a database that was set back',
    { mode: 'off', oldestWaitMs: 0, isOutdated: true },
    {
      ok: false,
      failed: 'database',
      reason: 'the database was restored, or has lost commits: this controller begins anew',
    },
  ],
])('the health of the store: %s', async (_, { mode, oldestWaitMs, isOutdated }, health) => {
  const clock = createFakeClock()
  const parts = {
    sql: { query: () => Promise.resolve([{ mode, at: clock.now() - 7_000 }]) },
    clock,
    feed: { isOutdated },
    writer: { oldestWaitMs, refusals: new Refusals(clock) },
    keys: { sweep: () => undefined },
    keyRing: { health: () => Promise.resolve({ ok: true }) },
  }
  expect(await healthOf(parts as unknown as StoreParts)).toEqual(health)
})
