// What follows where the store does not take what came of an effect. Pure.
import { toTimestamp as time } from '../../../src/kernel/clock.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { afterResult, type Failed } from './enter.ts'
import type { Move } from './facts.ts'

const refusalMs = 10_000

export const afterRefusal = (
  status: RotationStatus,
  nowMs: number,
  { reason, message }: Failed,
): Move => {
  // After a restore services may run the new value already.
  const mayRun = status.restored?.state === 'Renewing' && status.cause !== 'Refused'
  const isOfValue = reason === 'Invalid' || reason === 'SameAsProduction'
  if (isOfValue && status.step !== 'Back' && !mayRun) {
    const failure = {
      reason: 'OutputRefused',
      message: `an output does not take the new value: ${message}`,
    }
    const isAgain = status.provingSince !== undefined
    return afterResult(['write', isAgain ? 'RefusedAgain' : 'Refused'], status, nowMs, { failure })
  }
  const isGone = reason === 'NotFound' || reason === 'Conflict'
  const blockedBy = [{ reason: isGone ? 'OutputMissing' : reason, message }]
  const set = { retryAt: time(nowMs + refusalMs), blockedBy }
  return afterResult(['write', 'RetryLater'], status, nowMs, { set })
}
