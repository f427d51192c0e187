// Whether the new credential is accepted now: asked right before the old one ends, and right after. The proof is older
// than the end, and a failover, or somebody at the database, may have changed the login since.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { RotationSpec } from '../../../src/kinds/rotation/schema.ts'
import { isUntestable } from '../machine/after-end.ts'
import { isLoginAlone } from './logins.ts'
import { afterEffect, stagedLost, type EffectOutcome } from './outcome.ts'
import { RotatorFault, type Credential } from '../providers/rotator.ts'
import { stagedPlaceOf, type EffectContext } from './work.ts'

const againMs = 60_000

/** From where the credential is tried, in words. */
export const triedFrom = ({
  rotator: { postgres, mariadb, redis, webhook },
}: RotationSpec): string => {
  const place = postgres ?? mariadb ?? redis
  if (place?.in !== undefined) return `tried in the service ${place.in.service}`
  return webhook === undefined ? 'tried by the controller' : 'as the service of the webhook says'
}

/** What was measured of the new credential around the end of the old one, in words. */
export const triedInWords = ({ rotation: { spec }, status }: EffectContext): string => {
  if (isUntestable(spec))
    return 'whether the new one is accepted cannot be tried: only services know it'
  const when = status.withoutProof === true ? 'right after' : 'right before and right after'
  return `the new one was accepted ${when} (${triedFrom(spec)})`
}

/** Undefined where the credential is accepted, or nobody can try it; else why it is not, in words. */
const faultOfNew = async (work: EffectContext): Promise<string | undefined> => {
  const { rotator, rotation, staged, signal } = work
  if (isUntestable(rotation.spec)) return undefined
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  if (candidate === undefined) throw new RotatorFault('Failed', stagedLost.message)
  const answer = await rotator.test(candidate, signal)
  if (answer === 'accepted') return undefined
  if (answer === 'meaningless')
    return 'a random password is accepted too, so that no test says anything'
  const login = candidate.values['username'] ?? candidate.slot
  return `the new credential${login === undefined ? '' : ` of ${login}`} was proven, and is refused now (${triedFrom(rotation.spec)})`
}

/** What is left of the old one, in words. */
const stateOfOld = async (work: EffectContext, old: Credential | undefined): Promise<string> => {
  if (old === undefined || isLoginAlone(old)) return 'the old one is not asked for'
  const isAccepted = (await work.rotator.checkAccepted(old, work.signal)) === 'accepted'
  return isAccepted
    ? 'the old one is accepted, and is kept'
    : 'the old one is refused too, so that nothing that the outputs have held can log in'
}

/** The outcome that blocks, where the new credential is not accepted. */
export const blockedByNew = async (
  work: EffectContext,
  effect: 'beginRevoke' | 'revoke',
): Promise<EffectOutcome | undefined> => {
  const fault = await faultOfNew(work)
  if (fault === undefined) return undefined
  const { staged, nowMs, rotation } = work
  const rest = await stateOfOld(work, await staged.open(stagedPlaceOf(work, 'old')))
  const message = `${fault}; ${rest}. Give that login what the outputs hold again; it is tried each minute. To end the old one all the same: stagely rotation revoke ${rotation.metadata.name}`
  const blockedBy = [{ reason: 'NewRefused', message }]
  const set = { blockedBy, retryAt: toTimestamp(nowMs + againMs) }
  return afterEffect(work, [effect, 'NewRefused'], { set })
}
