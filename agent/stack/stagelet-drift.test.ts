import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/kernel/clock.ts'
import { aContainer } from '../../test/support/agents/a-container.ts'
import { createFakeClock } from '../../test/support/fake-clock.ts'
import { createContainerExits } from '../observed/container-exits.ts'
import { mostHeals } from '../observed/heal-guard.ts'
import type { ActionPlan } from '../actions/plan.ts'
import {
  createStackCell,
  createStackState,
  type StackCell,
  type StackState,
} from '../state/stack-state.ts'
import { createStackTarget } from '../state/stack-target.ts'
import { delayHealing, stoppedAfterGap, type HealDelay } from './stagelet-drift.ts'
import type { PassDeps } from './stagelet-observe.ts'
import type { Deployment } from '../state/state-file.ts'

const stoppedAt = 1_700_000_000_000
const desired = { uid: 'u', compose: { directory: '/srv' } }

const depsWith = (clock: Clock): PassDeps =>
  ({
    clock,
    stateFile: { get: () => undefined, set: () => Promise.resolve() },
    exits: createContainerExits(),
    manualRuns: { by: () => undefined },
  }) as unknown as PassDeps

/** A stack that is held, since all of it was stopped; is it still, once a lost stream is back? */
const isHeldAfterGap = (lostAfterMs: number): boolean => {
  const target = createStackTarget(
    { desired: desired as never, entries: [], base: {} },
    undefined,
    false,
  )
  const state: StackState = { ...createStackState(target), stoppedSinceMs: stoppedAt }
  return stoppedAfterGap(state, stoppedAt + lostAfterMs) !== undefined
}

describe('a stack that was stopped as a whole', () => {
  it('was stopped by the engine where that went away within a minute, however long it was away', () => {
    expect(isHeldAfterGap(1_000)).toBe(false)
    expect(isHeldAfterGap(15_000)).toBe(false)
  })

  it('was stopped by a person where the engine stayed for a minute', () => {
    expect(isHeldAfterGap(61_000)).toBe(true)
  })

  it('is remembered so, whatever is done to the clock, and also after a restart of the agent', async () => {
    const clock = createFakeClock(stoppedAt)
    let stored: Partial<Deployment> = {}
    const stateFile = {
      get: () => stored,
      set: (_uid: string, next: Deployment) => Promise.resolve(void (stored = next)),
    }
    const deps = { ...depsWith(clock), stateFile } as unknown as PassDeps
    const plan = { steps: [{}], affected: ['web'], peers: [] } as unknown as ActionPlan
    const web = aContainer('web', '', { state: 'exited' })
    const begin = (stoppedSinceMs?: number): StackCell => {
      const target = createStackTarget(
        { desired: desired as never, entries: [], base: {} },
        undefined,
        false,
      )
      return createStackCell({ ...createStackState(target), containers: [web], stoppedSinceMs })
    }
    const rest = (cell: StackCell): Promise<HealDelay> =>
      delayHealing(deps, cell, { plan, overrides: [], asked: false })
    const cell = begin(clock.monotonic())
    await rest(cell)
    expect(stored.stoppedByHand ?? false).toBe(false)
    await clock.advance(60_000)
    await rest(cell)
    expect(stored.stoppedByHand).toBe(true)
    for (const ms of [-86_400_000, 2 * 86_400_000]) {
      clock.jump(ms)
      await rest(cell)
      expect(stored.stoppedByHand).toBe(true)
    }
    const later = { ...deps, clock: createFakeClock(1) }
    await delayHealing(later, begin(), { plan, overrides: [], asked: false })
    expect(stored.stoppedByHand).toBe(true)
  })
})

describe('a stack that stays down', () => {
  it('is no longer told of so once a deploy starts it', async () => {
    const clock = createFakeClock(stoppedAt)
    const target = createStackTarget(
      { desired: desired as never, entries: [], base: {} },
      undefined,
      false,
    )
    const web = aContainer('web', '', { state: 'exited' })
    const stoppedSinceMs = clock.monotonic()
    const cell = createStackCell({ ...createStackState(target), containers: [web], stoppedSinceMs })
    const plan = { steps: [{}], affected: ['web'], peers: [] } as unknown as ActionPlan
    const rest = (asked: boolean): Promise<HealDelay> =>
      delayHealing(depsWith(clock), cell, { plan, overrides: [], asked })
    await rest(false)
    expect(cell.state.drift?.state).toBe('Held')
    await rest(true)
    expect(cell.state.drift?.state).toBe('Found')
  })
})

describe('a service that ended before an action for another target', () => {
  const driftAfter = async (settledKey: string): Promise<StackState['drift']> => {
    const target = createStackTarget(
      { desired: desired as never, entries: [], base: {} },
      undefined,
      false,
    )
    const web = aContainer('web', '')
    const cell = createStackCell({
      ...createStackState(target),
      settled: { key: settledKey, containers: [web], project: '' },
      containers: [{ ...web, state: 'exited', exitCode: 1 }],
    })
    const plan = { steps: [{}], affected: ['web'], peers: [] } as unknown as ActionPlan
    const deps = depsWith(createFakeClock(stoppedAt))
    await delayHealing(deps, cell, { plan, overrides: [], asked: true })
    return cell.state.drift
  }

  it('is told, so that nothing is called ready meanwhile', async () => {
    expect(await driftAfter('the target before')).toMatchObject({
      state: 'Found',
      changes: [{ service: 'web', what: 'Died' }],
    })
  })

  it('is not where an action has begun since: that may have ended it', async () => {
    expect(await driftAfter('')).toBeUndefined()
  })
})

describe('a service that healing does not help', () => {
  /** What is done when only `web` has to be mended, which was healed so often in the last minute. */
  const restAfter = async (heals: number): Promise<{ rest: HealDelay; state: StackState }> => {
    const target = createStackTarget(
      { desired: desired as never, entries: [], base: {} },
      undefined,
      false,
    )
    const atMs = stoppedAt - 60_000
    const cell = createStackCell({
      ...createStackState(target),
      settled: { key: target.key, containers: [], project: '' },
      heals: Array.from({ length: heals }, () => ({ service: 'web', atMs })),
    })
    const deps = depsWith(createFakeClock(stoppedAt))
    const plan = { steps: [{}], affected: ['web'], peers: [] } as unknown as ActionPlan
    const rest = await delayHealing(deps, cell, { plan, overrides: [], asked: false })
    return { rest, state: cell.state }
  }

  it('is healed, and each time is remembered', async () => {
    const { rest, state } = await restAfter(mostHeals - 1)
    expect(rest).toEqual({ waitMs: 0, blocked: [] })
    expect(state.drift?.state).toBe('Found')
    expect(state.heals.at(-1)).toEqual({ service: 'web', atMs: stoppedAt })
  })

  it('is left alone for the rest of ten minutes after five times, and told of as Flapping', async () => {
    const { rest, state } = await restAfter(mostHeals)
    expect(rest).toEqual({ waitMs: 9 * 60_000, blocked: ['web'] })
    expect(state.drift?.state).toBe('Flapping')
    expect(state.heals).toHaveLength(mostHeals)
  })
})
