// The end of an old credential: nobody uses it, that it ends is stored, and it is refused.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { refOf, type ObjectRef } from '../../../src/resources/meta.ts'
import type { Phase, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { EventInput, Transaction } from '../../../src/store/store.ts'
import { isSameLogin, sameValues } from './logins.ts'
import { stillReleased } from '../proof/released.ts'
import { afterEffect, dropStagedValues, stagedLost, type EffectOutcome } from './outcome.ts'
import { RotatorFault, type Credential } from '../providers/rotator.ts'
import { nothingSeen, type SeenElsewhere } from '../../where/elsewhere.ts'
import { isUntestable } from '../machine/after-end.ts'
import { blockedByNew, triedInWords } from './try-new.ts'
import { isAwayOver } from '../machine/proving.ts'
import { afterLook, useInWords, watchMs } from '../machine/old-use.ts'
import { revocationIdOf, stagedPlaceOf, type EffectContext } from './work.ts'

export const checkUse = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotator, rotation, staged, status, gathered, random, signal } = work
  const { spec } = rotation
  const old = await staged.open(stagedPlaceOf(work, 'old'))
  if (old === undefined)
    return {
      ...afterEffect(work, ['checkUse', 'CandidateLost'], { failure: stagedLost }),
      write: dropStagedValues(work),
    }
  const use = await rotator.stillUsed(old, signal, watchMs(spec))
  const { steps } = gathered.facts
  const next = afterLook(spec, status, { nowMs: work.nowMs, steps, random: random() }, use)
  const isOver = next.do === 'move'
  return { ...next, ...(isOver && { detail: defined({ use: next.status.use }) }) }
}

type Versions = NonNullable<RotationStatus['versions']>

const forVersions =
  (act: (tx: Transaction, ref: ObjectRef, version: number) => Promise<void>) =>
  ({ rotation }: EffectContext, versions: Versions) =>
  async (tx: Transaction): Promise<void> => {
    const { namespace } = refOf(rotation)
    for (const [output, name] of Object.entries(rotation.spec.outputs)) {
      const version = versions[output]
      if (version !== undefined) await act(tx, { kind: 'StagelySecret', namespace, name }, version)
    }
  }

/** Versions of the outputs before these are of credentials that are dead. */
export const endVersions = forVersions((tx, ref, version) => tx.revokeVersions(ref, version))

const refuseVersions = (
  work: EffectContext,
  versions: Versions,
  atMs: number,
): ((tx: Transaction) => Promise<void>) =>
  forVersions((tx, ref, version) => tx.refuseVersions(ref, version, atMs))(work, versions)

/** So often it is looked again while somebody else's container holds the old credential. */
const lookAgainMs = 60_000

/** Containers that nobody manages and that hold the old credential. */
const seenElsewhere = async (work: EffectContext): Promise<SeenElsewhere> => {
  const { rotation, staged, status, lookElsewhere, signal } = work
  if (lookElsewhere === undefined) return nothingSeen
  const old = await staged.open(stagedPlaceOf(work, 'old'))
  if (old === undefined) return nothingSeen
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  const { outputs: secrets, rotator } = rotation.spec
  const outputs = Object.fromEntries(
    Object.entries(secrets).map(([output, secret]) => [
      output,
      { secret, before: status.versions?.[output] ?? Infinity },
    ]),
  )
  const ending = {
    namespace: refOf(rotation).namespace,
    values: old.values,
    outputs,
    // The first one was there before the Rotation. What a webhook answers is anybody's.
    generated: status.lastRotatedAt !== undefined && rotator.webhook === undefined,
  }
  return lookElsewhere(ending, candidate, signal)
}

const listOf = (containers: readonly string[]): string =>
  containers.slice(0, mostContainers).join(', ') + (containers.length > mostContainers ? ', …' : '')

const mostContainers = 5

const heldInWords = (found: readonly string[], copied: readonly string[]): string => {
  const where = [
    ...(found.length === 0
      ? []
      : [
          `containers that are in no stack of Stagely: ${listOf(found)}: give them the new one or remove them`,
        ]),
    ...(copied.length === 0
      ? []
      : [
          `containers of stacks that have it from no output of this rotation: ${listOf(copied)}: let what they see follow the output (valueFrom.secretRef, or references)`,
        ]),
  ]
  return `the old credential sits in ${where.join('; and in ')}, or end it without a proof with stagely rotation revoke`
}

/** Agents that are away are waited for only as long as the Rotation says. */
const checkAnswered = (
  { rotation, status, gathered }: EffectContext,
  unanswered: readonly string[],
) => {
  const { spec, metadata } = rotation
  if (unanswered.length === 0 || isAwayOver(spec, status, gathered.facts)) return
  throw new RotatorFault(
    'Unreachable',
    `what has got the old credential has not said whether a container holds it: ${listOf(unanswered)}; an owner ends it all the same by stagely rotation revoke ${metadata.name}`,
  )
}

interface LookedAt {
  /** Why the old one is kept for now. */
  readonly held?: EffectOutcome | undefined
  readonly claimed: readonly string[]
}

/**
 * Right before an end, and before it is stored: agents look, and the new one is tried. Whoever ends it whatever runs does
 * so at once; it is tried after that all the same.
 */
const lookAt = async (work: EffectContext, effect: 'beginRevoke' | 'revoke'): Promise<LookedAt> => {
  if (work.status.withoutProof === true) return { claimed: [] }
  const { found, copied, claimed, unanswered } = await seenElsewhere(work)
  if (found.length + copied.length > 0) {
    const message = heldInWords(found, copied)
    const blockedBy = [{ reason: 'SeenElsewhere', message }]
    const set = { blockedBy, retryAt: toTimestamp(work.nowMs + lookAgainMs) }
    return { held: afterEffect(work, [effect, 'SeenElsewhere'], { set }), claimed }
  }
  checkAnswered(work, unanswered)
  return { held: await blockedByNew(work, effect), claimed }
}

/** No rollback brings the old versions back from here on, and no failure leads back to them. */
export const beginRevoke = async (work: EffectContext): Promise<EffectOutcome> => {
  const { held, claimed } = await lookAt(work, 'beginRevoke')
  if (held !== undefined) return held
  const { blockedBy: _, retryAt: __, tries: ___, retryFor: ____, ...status } = work.status
  const { versions = {} } = status
  return {
    ...afterEffect(work, ['beginRevoke', 'Stored'], { status }),
    write: async (tx) => {
      await endVersions(work, versions)(tx)
      if (claimed.length > 0) await tx.recordEvent(claimedElsewhere(work, claimed))
      return undefined
    },
  }
}

/** One bad machine must not keep a credential alive. */
const claimedElsewhere = ({ rotation }: EffectContext, claimed: readonly string[]): EventInput => ({
  regarding: rotation,
  type: 'Warning',
  reason: 'SeenElsewhere',
  message: `agents that never got the old credential say that it sits in containers of no stack: ${listOf(claimed)}. It ends all the same: look there`,
})

/** What was measured of the end. */
type Ended = 'Refused' | 'LoginTaken' | 'PasswordReplaced' | 'OfNoOutput'

const measured: Readonly<Record<Ended, string>> = {
  Refused: 'it is refused now',
  LoginTaken: 'its login is taken away',
  PasswordReplaced: 'its password was replaced',
  OfNoOutput: 'no output holds it any more',
}

/** How the old credential ended, in words. */
const endInWords = (
  work: EffectContext,
  { values, slot = work.status.slot }: Credential,
  ended: Ended,
): string => {
  const { status } = work
  const login = values['username'] ?? slot
  const whose = login === undefined ? '' : ` of ${login}`
  const proof = status.withoutProof === true ? ', without a proof that nothing runs with it' : ''
  const looked = useInWords(status)
  return `the old credential${whose} is ended${proof}: ${measured[ended]}${looked === undefined ? '' : `; ${looked}`}; ${triedInWords(work)}`
}

/** Ends it, and looks whether it has. `onEnd` is called before it is looked, which may take seconds. */
const endOld = async (work: EffectContext, old: Credential, onEnd: () => void): Promise<Ended> => {
  const { rotator, rotation, staged, status, signal } = work
  if (rotation.spec.inPlace === true) return 'PasswordReplaced'
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  if (candidate !== undefined && (isSameLogin(work, old, candidate) || sameValues(old, candidate)))
    throw new RotatorFault(
      'Refused',
      'the old and the new credential are the same: it is not ended',
    )
  await rotator.revoke(old, revocationIdOf(work), signal)
  onEnd()
  if (isUntestable(rotation.spec)) return 'OfNoOutput'
  // Nobody knows its password: what is asked is whether the login takes any.
  if (status.oldIsLogin === true) {
    const { canLogIn } = await rotator.stillUsed(old, signal)
    return canLogIn === false ? 'LoginTaken' : 'PasswordReplaced'
  }
  if ((await rotator.checkAccepted(old, signal)) !== 'refused')
    throw new RotatorFault('Refused', 'the old credential is still accepted')
  return 'Refused'
}

/** Of these it was measured that nothing can log in with the old credential. */
const isRefused = (ended: Ended): boolean => ended === 'Refused' || ended === 'LoginTaken'

/** Phases that the attempt has passed without doing what they are for. */
const skippedBy = ({ rotation: { spec }, status }: EffectContext): Phase[] => {
  const { hasOld, now, withoutProof } = status
  if (hasOld !== true) return ['Proving', 'Overlapping', 'Revoking']
  if (withoutProof === true) return ['Proving', 'Overlapping']
  return now === true || spec.inPlace === true ? ['Overlapping'] : []
}

const noOldOne = 'the credential is given out; there was no old one, so nothing was proven or ended'

export const revoke = async (work: EffectContext): Promise<EffectOutcome> => {
  const { staged, status, nowMs } = work
  const old = status.hasOld === true ? await staged.open(stagedPlaceOf(work, 'old')) : undefined
  // Hours may have passed since the end began: such as while the database was away.
  const { held } = old === undefined ? {} : await lookAt(work, 'revoke')
  if (held !== undefined) return held
  let endedAtMs = nowMs
  const onEnd = (): void => {
    endedAtMs = work.clock.now()
  }
  const ended = old && (await endOld(work, old, onEnd))
  const dead = ended && (await blockedByNew(work, 'revoke'))
  if (dead !== undefined) return dead
  const { slot, candidateSlot = slot, failure: _, restored, released: __, ...rest } = status
  // A proof that is no part of what a restore began.
  const isPast = status.hasOld === true && status.cause !== 'Refused'
  const released = [...stillReleased(status)]
  const set = {
    ...(!isPast && defined({ restored })),
    ...defined({ slot: candidateSlot }),
    ...(released.length > 0 && { released }),
    lastRotatedAt: toTimestamp(nowMs),
    failures: 0,
    skipped: skippedBy(work),
    // It was tried right after the end.
    ...(ended !== undefined &&
      !isUntestable(work.rotation.spec) && {
        accepted: { at: toTimestamp(work.clock.now()), is: 'accepted' as const },
      }),
  }
  const write = dropStagedValues(work)
  if (old === undefined || ended === undefined) {
    const detail = status.hasOld === true ? {} : { detail: { message: noOldOne } }
    return {
      ...afterEffect(work, ['revoke', 'NothingEnded'], { status: rest, set }),
      write,
      ...detail,
    }
  }
  const message = endInWords(work, old, ended)
  const ofVersions = refuseVersions(work, status.versions ?? {}, endedAtMs)
  return {
    ...afterEffect(work, ['revoke', 'Ended'], { status: rest, set, message }),
    write: async (tx) => {
      if (isRefused(ended)) await ofVersions(tx)
      return write(tx)
    },
  }
}
