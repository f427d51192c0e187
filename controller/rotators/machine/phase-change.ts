// How a Rotation comes to its next phase, and how an attempt fails: pure.
import { toTimestamp as time } from '../../../src/kernel/clock.ts'
import type { Phase, RotationStatus } from '../../../src/resources/kinds/rotation.ts'
import type { Move, Next, Told } from './next.ts'

/** The status in another phase. */
export const inPhase = (
  status: RotationStatus,
  phase: Phase,
  nowMs: number,
  more: Partial<RotationStatus> = {},
): RotationStatus => {
  const { tries: _t, retryAt: _r, retryFor: _f, provenSince: _p, blockedBy: _b, ...kept } = status
  return { ...kept, phase, phaseSince: time(nowMs), ...more }
}

/** The status without what belongs to an attempt. */
export const atRest = (
  status: RotationStatus,
  nowMs: number,
  more: Partial<RotationStatus>,
): RotationStatus => {
  const { step: _s, cause: _c, now: _n, withoutProof: _w, ...kept } = inPhase(status, 'Idle', nowMs)
  const {
    candidateSlot: _cs,
    hasOld: _h,
    startedAt: _st,
    nextAt: _na,
    provenAt: _pa,
    provingSince: _ps,
    revokeStartedAt: _rs,
    oldIsLogin: _oi,
    provenRuns: _pr,
    illBefore: _ib,
    ...rest
  } = kept
  return { ...rest, endedAt: time(nowMs), ...more }
}

export interface Failed {
  readonly reason: string
  readonly message: string
}

/** The outputs get the old values again, before anything else is done. */
export const goBack = (status: RotationStatus, nowMs: number, failure: Failed): Move => ({
  do: 'move',
  status: inPhase(status, 'RollingOut', nowMs, {
    ...{ step: 'Back', failure },
    backFrom: status.step === 'Add' || status.step === 'Remove' ? status.step : 'Switch',
  }),
  told: { reason: 'RotationFailed', message: failure.message },
})

/** The attempt has failed before its values were written: the candidate ends next, and with that the attempt. */
export const takeBack = (status: RotationStatus, nowMs: number, failure: Failed): Move => {
  const { phase = 'Setting' } = status
  const told: Told = { reason: 'RotationFailed', message: failure.message }
  return { do: 'move', status: inPhase(status, phase, nowMs, { failure }), told }
}

/** The attempt ends; nothing that runs was changed by it. */
export const giveUp = (status: RotationStatus, nowMs: number, failure: Failed): Next => ({
  do: 'move',
  status: atRest(status, nowMs, { failure, failures: (status.failures ?? 0) + 1 }),
  told: { reason: 'RotationFailed', message: failure.message },
})

const refusalMs = 10_000

/** What follows where the store does not take what came of an effect. */
export const afterRefusal = (
  status: RotationStatus,
  nowMs: number,
  { reason, message }: Failed,
): Extract<Next, { status: RotationStatus }> => {
  // After a restore services may run the new value already.
  const mayRun = status.restored?.state === 'Renewing' && status.cause !== 'Refused'
  if (reason === 'Invalid' && status.step !== 'Back' && !mayRun) {
    const failure = {
      reason: 'OutputRefused',
      message: `an output does not take the new value: ${message}`,
    }
    const isWritten = status.provingSince !== undefined
    return isWritten ? goBack(status, nowMs, failure) : takeBack(status, nowMs, failure)
  }
  const isGone = reason === 'NotFound' || reason === 'Conflict'
  const blockedBy = [{ reason: isGone ? 'OutputMissing' : reason, message }]
  const retryAt = time(nowMs + refusalMs)
  return { do: 'wait', status: { ...status, retryAt, blockedBy }, until: nowMs + refusalMs }
}
