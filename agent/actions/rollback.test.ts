import { expect, it } from 'vitest'
import type { Quarantined } from '../../src/kinds/observation/schema.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { createStackState, takeTarget, type StackState } from '../state/stack-state.ts'
import { finishedRollout } from './stagelet-gate.ts'
import { rollbackCauseOf } from './rollback.ts'
import { createStackTarget } from '../state/stack-target.ts'

const failure: Quarantined = {
  service: 'web',
  digest: 'd',
  revision: 21,
  retry: '',
  message: 'web exited with code 3',
}

/** A stack that is to run this revision; 21 is in quarantine. */
const stackAt = (revision: number, rollout: StackState['rollout']): StackState => {
  const given = { desired: { compose: {}, revision } as never, entries: [], base: {} }
  return {
    ...createStackState(createStackTarget(given, undefined, false)),
    quarantine: [failure],
    rollout,
  }
}

it('an older revision is the way back from what failed, whoever says to run it', () => {
  const failed = stackAt(20, { revision: 21, result: 'Failed' })
  expect(rollbackCauseOf(failed)).toBe(failure)
  // While the stack is on its way back, and where that has to be tried again, also to other revisions meanwhile.
  for (const result of ['Progressing', 'Failed'] as const)
    for (const wanted of [19, 20, 22]) {
      const begun = { ...stackAt(wanted, { revision: 19, result }), rollbackCause: failure }
      expect(rollbackCauseOf(begun)).toBe(failure)
      expect(rollbackCauseOf({ ...begun, quarantine: [] })).toBe(failure)
    }
})

it('a rollout to what is newer than the failure is no way back', () => {
  const finished = (revision: number, rollbackCause: Quarantined | undefined) => {
    const state = { ...stackAt(22, { revision, result: 'Progressing' }), rollbackCause }
    return finishedRollout({ clock: realClock }, state)
  }
  const { service, message } = failure
  expect(finished(20, failure)).toMatchObject({ result: 'RolledBack', service, message })
  expect(finished(22, failure)).toMatchObject({ result: 'Healthy' })
  expect(finished(20, undefined)).toMatchObject({ result: 'Healthy' })
})

it('a failure says nothing of another project, or of before a restore', () => {
  for (const other of [{ projectUid: 'other' }, { epoch: 2 }]) {
    const before = { ...stackAt(20, { revision: 21, result: 'Failed' }), rollbackCause: failure }
    const given = {
      desired: { compose: {}, revision: 3, ...other } as never,
      entries: [],
      base: {},
    }
    const state = takeTarget(before, createStackTarget(given, undefined, false))
    expect(rollbackCauseOf(state)).toBe(undefined)
    expect(state.rollout).toBe(undefined)
  }
})

it('what comes after the way back is not a way back', () => {
  for (const result of ['RolledBack', 'Healthy'] as const) {
    const over = { ...stackAt(20, { revision: 20, result }), rollbackCause: failure }
    expect(rollbackCauseOf(over)).toBe(undefined)
  }
  expect(rollbackCauseOf(stackAt(20, undefined))).toBe(undefined)
  expect(rollbackCauseOf(stackAt(22, { revision: 21, result: 'Failed' }))).toBe(undefined)
  expect(rollbackCauseOf(stackAt(21, { revision: 21, result: 'Failed' }))).toBe(undefined)
})
