// What comes of an effect: the next status, what is told of it, and what is written along with it.
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { Transaction } from '../../../src/store/store.ts'
import { afterResult, type Failed, type Observed, type ResultOf } from '../machine/enter.ts'
import type { Move, RotationEvent, MachineWait } from '../machine/facts.ts'
import type { Effect } from '../machine/machine.ts'
import type { EffectContext } from './work.ts'

/** What follows, and what is written along with it. */
export interface EffectOutcome {
  readonly status: RotationStatus
  readonly rotationEvent?: RotationEvent | undefined
  readonly detail?: Record<string, unknown>
  /** Done in the write; its answer is added to the status. */
  readonly write?: (tx: Transaction) => Promise<Partial<RotationStatus> | undefined>
  /** Closes the revision at once. */
  readonly isChange?: true
}

/** What follows from the result of the effect. */
export const afterEffect = <E extends Effect>(
  { status, nowMs }: EffectContext,
  result: readonly [E, ResultOf<E>],
  observed: Observed = {},
): EffectOutcome => {
  const next = afterResult(result, status, nowMs, observed) as Move | MachineWait
  return next.do === 'wait' ? { status: next.status } : next
}

export const dropStagedValues =
  ({ rotation }: EffectContext): NonNullable<EffectOutcome['write']> =>
  async (tx) => {
    await tx.endStaged(rotation.metadata.uid ?? '')
    return undefined
  }

export const stagedLost: Failed = {
  reason: 'CandidateLost',
  message: 'the values that were under way are gone: an output was purged; run it again',
}
