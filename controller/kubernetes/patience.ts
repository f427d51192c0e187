// A cluster that asks for patience gets it; what else fails is for the loop to repeat.
import { StagelyError } from '../../src/kernel/errors.ts'
import { waitFor, type Outcome } from '../../src/runtime/control-loop.ts'

export const patiently = (run: () => Promise<Outcome>): Promise<Outcome> =>
  run().catch((error: unknown) => {
    const seconds = error instanceof StagelyError ? error.details.retryAfterSeconds : undefined
    if (seconds === undefined) throw error
    return waitFor(seconds * 1000)
  })
