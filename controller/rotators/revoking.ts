// The end of an old credential: nobody uses it, that it ends is stored, and it is refused.
import { toTimestamp } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { refOf } from '../../src/resources/meta.ts'
import type { RotationStatus } from '../../src/resources/rotation.ts'
import type { Transaction } from '../../src/store/store.ts'
import { afterUse, askAgainMs } from './decide.ts'
import { atRest } from './phase-change.ts'
import { isSameLogin, sameValues } from './logins.ts'
import { stillReleased } from './released.ts'
import { dropStaged, end, outcomeOf, stagedLost, type Outcome } from './outcome.ts'
import { RotatorFault, type Credential } from './rotator.ts'
import { attemptOf, placeOf, type Work } from './work.ts'

export const checkUse = async (work: Work): Promise<Outcome> => {
  const { rotator, staged, status, gathered, nowMs, signal } = work
  const old = await staged.open(placeOf(work, 'old'))
  if (old === undefined) return end(work, stagedLost)
  const { sessions, from } = await rotator.stillUsed(old, signal)
  if (sessions === undefined || sessions === 0) {
    const outcome = outcomeOf(afterUse(status, { nowMs, steps: gathered.facts.steps }))
    return sessions === undefined ? outcome : { ...outcome, detail: { sessions } }
  }
  const message = `${sessions} ${sessions === 1 ? 'session uses' : 'sessions use'} the old credential${from.length === 0 ? '' : `, from ${from.slice(0, 5).join(', ')}`}: find out whose they are, and end them`
  const blockedBy = [{ reason: 'StillUsed', message }]
  return { status: { ...status, blockedBy, retryAt: toTimestamp(nowMs + askAgainMs) } }
}

/** Versions of the outputs before these are of credentials that are dead. */
export const endVersions =
  ({ rotation }: Work, versions: NonNullable<RotationStatus['versions']>) =>
  async (tx: Transaction): Promise<void> => {
    const { namespace } = refOf(rotation)
    for (const [output, name] of Object.entries(rotation.spec.outputs)) {
      const before = versions[output]
      const ref = { kind: 'StagelySecret', namespace, name }
      if (before !== undefined) await tx.revokeVersions(ref, before)
    }
  }

/** No rollback brings the old versions back from here on, and no failure leads back to them. */
export const beginRevoke = (work: Work): Outcome => {
  const { status, nowMs } = work
  return {
    status: { ...status, revokeStartedAt: toTimestamp(nowMs) },
    write: async (tx) => {
      await endVersions(work, status.versions ?? {})(tx)
      return undefined
    },
  }
}

/** How the old credential ended, in words. */
const endOf = ({ rotation, status }: Work, old: Credential | undefined): string => {
  const login = old?.values['username'] ?? status.slot
  const whose = login === undefined ? '' : ` of ${login}`
  const proof = status.withoutProof === true ? ', without a proof that nothing runs with it' : ''
  const measured =
    rotation.spec.inPlace === true ? 'its password was replaced' : 'it is refused now'
  const how =
    rotation.spec.rotator.generate === undefined ? measured : 'no output holds it any more'
  return `the old credential${whose} is ended${proof}: ${how}`
}

export const revoke = async (work: Work): Promise<Outcome> => {
  const { rotator, rotation, staged, status, nowMs, signal } = work
  const old = status.hasOld === true ? await staged.open(placeOf(work, 'old')) : undefined
  if (old !== undefined && rotation.spec.inPlace !== true) {
    const candidate = await staged.open(placeOf(work, 'new'))
    const isSame =
      candidate !== undefined && (isSameLogin(work, old, candidate) || sameValues(old, candidate))
    if (isSame)
      throw new RotatorFault(
        'Refused',
        'the old and the new credential are the same: it is not ended',
      )
    await rotator.revoke(old, attemptOf(work), signal)
    if ((await rotator.look(old, signal)) !== 'refused')
      throw new RotatorFault('Refused', 'the old credential is still accepted')
  }
  const { slot, candidateSlot = slot, failure: _, restored, released: __, ...rest } = status
  // A proof that is no part of what a restore began.
  const isPast = status.hasOld === true && status.cause !== 'Refused'
  const released = [...stillReleased(status)]
  const next = atRest(rest, nowMs, {
    ...(!isPast && defined({ restored })),
    ...defined({ slot: candidateSlot }),
    ...(released.length > 0 && { released }),
    ...{ lastRotatedAt: toTimestamp(nowMs), failures: 0 },
  })
  const done = { status: next, write: dropStaged(work) }
  if (status.hasOld !== true) return done
  return { ...done, told: { reason: 'CredentialRevoked', message: endOf(work, old) } }
}
