// Turns a cluster's Retry-After into a later attempt; the loop retries other failures.
import { StagelyError } from '../../src/kernel/errors.ts'
import { waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'

export const afterRetryAfter = (run: () => Promise<ReconcileOutcome>): Promise<ReconcileOutcome> =>
  run().catch((error: unknown) => {
    const seconds = error instanceof StagelyError ? error.details.retryAfterSeconds : undefined
    if (seconds === undefined) throw error
    return waitFor(seconds * 1000)
  })
