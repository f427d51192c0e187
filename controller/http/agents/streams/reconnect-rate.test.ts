import { describe, expect, it } from 'vitest'
import { backoffCapMs } from '../../../../agent/link/reconnect.ts'
import { awayAfterMs, restartGraceMs, spreadMsFor } from './reconnect-rate.ts'

describe('restartGraceMs', () => {
  it.each([1, 300, 2_000, 5_000, 100_000])(
    'covers the back-off of %i agents, and the time of a reconnect after it',
    (agents) => {
      const backoffMs = backoffCapMs(spreadMsFor(agents))
      expect(restartGraceMs(agents)).toBeGreaterThanOrEqual(awayAfterMs + backoffMs)
    },
  )
})
