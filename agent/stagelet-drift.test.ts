import { describe, expect, it } from 'vitest'
import { createEndings } from './endings.ts'
import { createStackState, createWant, type StackState } from './stack-state.ts'
import { takeEvent } from './stagelet-drift.ts'

const stoppedAt = 1_700_000_000_000

/** A stack that is held, since all of it was stopped; is it still, once a lost stream is back? */
const isHeldAfterGap = (lostAfterMs: number, backAfterMs: number): boolean => {
  const desired = { uid: 'u', compose: { directory: '/srv' } }
  const want = createWant({ desired: desired as never, entries: [], base: {} }, undefined, false)
  const state: StackState = { ...createStackState(want), heldSinceMs: stoppedAt }
  takeEvent(createEndings(), state, {
    event: undefined,
    lostAtMs: stoppedAt + lostAfterMs,
    nowMs: stoppedAt + backAfterMs,
  })
  return state.heldSinceMs !== undefined
}

describe('a stack that was stopped as a whole', () => {
  it('was stopped by the engine where that went away within a minute, however long it was away', () => {
    expect(isHeldAfterGap(1_000, 5_000)).toBe(false)
    expect(isHeldAfterGap(15_000, 3_600_000)).toBe(false)
  })

  it('was stopped by a person where the engine stayed for a minute', () => {
    expect(isHeldAfterGap(61_000, 62_000)).toBe(true)
  })
})
