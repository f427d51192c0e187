import { expect, it } from 'vitest'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import type { StoreParts } from './store-parts.ts'
import { healthOf } from './upkeep.ts'

it.each([
  ['well', { mode: 'off', oldestWaitMs: 10_000 }, { ok: true }],
  [
    'a write that waits',
    { mode: 'off', oldestWaitMs: 12_000 },
    { ok: false, failed: 'writes', reason: 'a write waits for 12 s' },
  ],
  [
    'a database that takes no writes',
    { mode: 'on', oldestWaitMs: 0 },
    { ok: false, failed: 'database', reason: 'the database is read-only' },
  ],
])('the health of the store: %s', async (_, { mode, oldestWaitMs }, health) => {
  const parts = {
    sql: { query: () => Promise.resolve([{ mode }]) },
    clock: createFakeClock(),
    writer: { oldestWaitMs },
    keys: { sweep: () => undefined },
    keyRing: { health: () => Promise.resolve({ ok: true }) },
  }
  expect(await healthOf(parts as unknown as StoreParts)).toEqual(health)
})
