// What follows from a fault of a rotator: another try, or the end of the attempt.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { Effect } from '../machine/machine.ts'
import { retryMs } from '../machine/idle.ts'
import { discard } from './discard.ts'
import { afterEffect, dropStagedValues, type EffectOutcome } from './outcome.ts'
import type { RotatorFault } from '../providers/rotator.ts'
import { afterNoLook } from '../machine/old-use.ts'
import type { EffectContext } from './work.ts'

/** A service that answers "pending" for ever has so long. */
const pendingMs = 21_600_000
const mostTries = 5

/** Whether a service that answers "pending" may do so still. */
const mayWait = ({ rotation, status, nowMs }: EffectContext): boolean => {
  const { pendingFor = '6h' } = rotation.spec.rotator.webhook ?? {}
  const since = Date.parse(status.phaseSince ?? '') || nowMs
  return nowMs - since < Math.min(pendingMs, durationMs(pendingFor))
}

/** What the failing effect leaves open. */
const unknownBy = {
  checkUse: 'who still uses the old credential',
  beginRevoke: 'whether services can do without the old credential, so that the old one is kept',
  revoke: 'whether the old credential is ended',
  scramble: 'whether the new credential of the failed attempt is ended; the old one is in use',
} as const

/** Of a fault that a rotator tells: when it is tried again, or that the attempt ends. */
export const afterFault = async (
  work: EffectContext,
  effect: Effect,
  fault: RotatorFault,
): Promise<EffectOutcome> => {
  const { status, nowMs } = work
  const later = (set: Partial<RotationStatus>): EffectOutcome =>
    afterEffect(work, [effect, 'RetryLater'], { set })
  if (fault.kind === 'Pending' && mayWait(work)) {
    const retryAt = toTimestamp(nowMs + Math.max(1_000, fault.retryAfterMs ?? 60_000))
    return later({ retryAt, retryFor: fault.message })
  }
  const around = { nowMs, why: fault.message, random: work.random() }
  const early = effect === 'checkUse' && afterNoLook(work.rotation.spec, status, around)
  if (early) return later(early)
  const tries = (status.tries ?? 0) + 1
  const retryAt = toTimestamp(nowMs + retryMs(tries))
  if (effect in unknownBy) {
    const reason = effect === 'checkUse' ? 'StillUsed' : 'NotRevoked'
    const message = `it is not known ${unknownBy[effect as keyof typeof unknownBy]}: ${fault.message}; it is tried again at ${retryAt}. Where that can never work, delete the rotation: its credentials stay as they are`
    return later({ tries, retryAt, blockedBy: [{ reason, message }] })
  }
  const isOver = tries >= mostTries || fault.kind === 'Failed' || fault.kind === 'Pending'
  if (!isOver) {
    // Services must log in meanwhile: of one login the old password is set again until the next try.
    if (effect !== 'prepare' && work.rotation.spec.inPlace === true)
      await discard(work).catch(() => undefined)
    const set = { tries, retryAt, retryFor: fault.message }
    return effect === 'test' ? afterEffect(work, ['test', 'SetAgain'], { set }) : later(set)
  }
  return givenUp(work, effect, fault)
}

const givenUp = (
  work: EffectContext,
  effect: Effect,
  { kind, message }: RotatorFault,
): EffectOutcome => {
  if (effect === 'prepare') {
    const failure = { reason: 'Preflight', message }
    return {
      ...afterEffect(work, ['prepare', 'NotAllowed'], { failure }),
      write: dropStagedValues(work),
    }
  }
  const failure = { reason: kind === 'Pending' ? 'PendingTooLong' : 'SetFailed', message }
  return afterEffect(work, [effect === 'test' ? 'test' : 'set', 'GivenUp'], { failure })
}
