// What comes of an effect: the next status, what is told of it, and what is written along with it.
import type { RotationStatus } from '../../../src/resources/kinds/rotation.ts'
import type { Transaction } from '../../../src/store/store.ts'
import { afterResult, type Failed, type Observed, type ResultOf } from '../machine/enter.ts'
import type { Move, Told, Wait } from '../machine/facts.ts'
import type { Effect } from '../machine/machine.ts'
import type { Work } from './work.ts'

/** What follows, and what is written along with it. */
export interface Outcome {
  readonly status: RotationStatus
  readonly told?: Told | undefined
  readonly detail?: Record<string, unknown>
  /** Done in the write; its answer is added to the status. */
  readonly write?: (tx: Transaction) => Promise<Partial<RotationStatus> | undefined>
  /** Closes the revision at once. */
  readonly isChange?: true
}

/** What follows from the result of the effect. */
export const after = <E extends Effect>(
  { status, nowMs }: Work,
  result: readonly [E, ResultOf<E>],
  observed: Observed = {},
): Outcome => {
  const next = afterResult(result, status, nowMs, observed) as Move | Wait
  return next.do === 'wait' ? { status: next.status } : next
}

export const dropStaged =
  ({ rotation }: Work): NonNullable<Outcome['write']> =>
  async (tx) => {
    await tx.endStaged(rotation.metadata.uid ?? '')
    return undefined
  }

export const stagedLost: Failed = {
  reason: 'CandidateLost',
  message: 'the values that were under way are gone: an output was purged; run it again',
}
