// What comes of an effect: the next status, what is told of it, and what is written along with it.
import type { RotationStatus } from '../../../src/resources/kinds/rotation.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { Next, Told } from '../machine/next.ts'
import { giveUp, takeBack, type Failed } from '../machine/phase-change.ts'
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

export const outcomeOf = (next: Next): Outcome =>
  next.do === 'effect'
    ? { status: {} }
    : { ...('told' in next && { told: next.told }), status: next.status }

export const tell = (status: RotationStatus, reason: Told['reason'], message: string): Outcome => ({
  ...{ status, told: { reason, message } },
})

export const end = (work: Work, failure: Failed): Outcome => {
  const outcome = outcomeOf(giveUp(work.status, work.nowMs, failure))
  return { ...outcome, write: dropStaged(work) }
}

export const dropStaged =
  ({ rotation }: Work): NonNullable<Outcome['write']> =>
  async (tx) => {
    await tx.endStaged(rotation.metadata.uid ?? '')
    return undefined
  }

export const takenBack = (work: Work, failure: Failed): Outcome =>
  outcomeOf(takeBack(work.status, work.nowMs, failure))

export const stagedLost: Failed = {
  reason: 'CandidateLost',
  message: 'the values that were under way are gone: an output was purged; run it again',
}
