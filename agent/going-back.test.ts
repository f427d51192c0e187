import { expect, it } from 'vitest'
import type { Quarantined } from '../src/resources/observation.ts'
import { createStackState, type StackState } from './stack-state.ts'
import { wayBackFrom } from './going-back.ts'
import { createWant } from './want.ts'

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
    ...createStackState(createWant(given, undefined, false)),
    quarantine: [failure],
    rollout,
  }
}

it('an older revision is the way back from what failed, whoever says to run it', () => {
  const failed = stackAt(20, { revision: 21, result: 'Failed' })
  expect(wayBackFrom(failed)).toBe(failure)
  // While the way back is gone, and where it has to be tried again.
  for (const result of ['Progressing', 'Failed'] as const) {
    const begun = { ...stackAt(20, { revision: 20, result }), goingBackFrom: failure }
    expect(wayBackFrom(begun)).toBe(failure)
    expect(wayBackFrom({ ...begun, quarantine: [] })).toBe(undefined)
  }
})

it('what comes after the way back is not a way back', () => {
  for (const result of ['RolledBack', 'Healthy'] as const) {
    const over = { ...stackAt(20, { revision: 20, result }), goingBackFrom: failure }
    expect(wayBackFrom(over)).toBe(undefined)
  }
  expect(wayBackFrom(stackAt(20, undefined))).toBe(undefined)
  expect(wayBackFrom(stackAt(22, { revision: 21, result: 'Failed' }))).toBe(undefined)
  expect(wayBackFrom(stackAt(21, { revision: 21, result: 'Failed' }))).toBe(undefined)
})
