// The effects of a rotation: each looks before it acts, and may be done again after a crash. What comes of one is told
// back; the performer stores it.
import { statusOf } from '../../../src/kinds/typed.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { refOf } from '../../../src/resources/meta.ts'
import type { StagedCredential } from '../../../src/store/secrets/staged-values.ts'
import type { Transaction } from '../../../src/store/store.ts'
import { afterFault } from './after-fault.ts'
import type { Effect } from '../machine/machine.ts'
import { discard } from './discard.ts'
import type { Failed } from '../machine/enter.ts'
import { idleFaults, isLoginAlone, sameValues, turnsOf } from './logins.ts'
import { afterEffect, dropStagedValues, stagedLost, type EffectOutcome } from './outcome.ts'
import { beginRevoke, checkUse, endVersions, revoke } from './revoke.ts'
import { retest } from './retest.ts'
import { takeOver } from './take-over.ts'
import { verify } from './verify.ts'
import { keepLogins, ownLoginsOf } from './own-logins.ts'
import { renewed } from '../machine/restored.ts'
import {
  RotatorFault,
  type Credential,
  type Rotator,
  type RolloutStep,
} from '../providers/rotator.ts'
import { attemptIdOf, stagedPlaceOf, projectOfRotation, type EffectContext } from './work.ts'

const notAllowed = (work: EffectContext, faults: readonly string[]): EffectOutcome => ({
  ...afterEffect(work, ['prepare', 'NotAllowed'], {
    failure: { reason: 'Preflight', message: faults.join('; ') },
  }),
  write: dropStagedValues(work),
})

const prepare = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotator, rotation, staged, signal } = work
  const warnings: string[] = []
  const faults = await rotator.preflight(signal, (warning) => warnings.push(warning))
  if (faults.length > 0) return notAllowed(work, faults)
  const { old, candidateSlot } = await turnsOf(work)
  const stagedCredential = await staged.open(stagedPlaceOf(work, 'new'))
  const made =
    stagedCredential ??
    (rotator.create === undefined ? await rotator.make(candidateSlot) : undefined)
  const unsafe = made === undefined ? [] : await idleFaults(work, made, old)
  if (unsafe.length > 0) return notAllowed(work, unsafe)
  // Noted before the login is set: a crash must not make it look like somebody else's.
  const all = new Set([...ownLoginsOf(work), candidateSlot])
  const ownSlots = rotator.slots.filter((slot) => all.has(slot))
  const set = {
    ...(candidateSlot !== undefined && { candidateSlot, ownSlots }),
    ...(old !== undefined && { hasOld: true }),
    ...(old !== undefined && isLoginAlone(old) && { oldIsLogin: true }),
  }
  const project = projectOfRotation(rotation)
  const message = `the rotator warns: ${warnings.join('; ')}`
  const result = warnings.length > 0 ? 'PreparedWithWarnings' : 'Prepared'
  return {
    ...afterEffect(work, ['prepare', result], { set, message }),
    write: async (tx) => {
      if (old !== undefined) await tx.stage(project, stagedPlaceOf(work, 'old'), old)
      if (made !== undefined) await tx.stage(project, stagedPlaceOf(work, 'new'), made)
      await keepLogins(work, ownSlots)(tx)
      await endIdle(work, tx)
      return undefined
    },
  }
}

/**
 * The idle login gets another password next. So no version but the one of now is a credential any more, also one that an
 * attempt has left valid which was given up.
 */
const endIdle = async (work: EffectContext, tx: Transaction): Promise<void> => {
  const { rotator, rotation, status, gathered } = work
  const isAdoption = rotator.adopt !== undefined && status.lastRotatedAt === undefined
  if (rotator.slots.length === 0 || rotation.spec.inPlace === true || isAdoption) return
  const versions: Record<string, number> = {}
  for (const [output, { status: is }] of gathered.outputs)
    if (is?.version !== undefined) versions[output] = is.version
  await endVersions(work, versions)(tx)
}

const isSet = (work: EffectContext): EffectOutcome => {
  const { candidateSlot, cause, hasOld } = work.status
  const whose = candidateSlot === undefined ? '' : ` for ${candidateSlot}`
  const isUnnamed = cause === 'Refused' && hasOld !== true
  const rest = isUnnamed
    ? 'what services have run with until now cannot be named, and is not ended: end it by hand'
    : 'the old one stays valid'
  // A credential that is set again and again, and never accepted, has failed too.
  const { tries } = work.status
  const set = tries === undefined ? {} : { tries }
  const message = `a new credential${whose} is set; ${rest}`
  return afterEffect(work, ['set', 'Set'], { set, message })
}

const sameCredential: Failed = {
  reason: 'SameCredential',
  message:
    'the rotator answered the credential that is in use, and no new one: correct its step create',
}

/** Made outside: asked twice, since one attempt has one credential. */
const create = async (
  work: EffectContext,
  stagedCredential: StagedCredential | undefined,
  ask: NonNullable<Rotator['create']>,
): Promise<EffectOutcome> => {
  const { rotation, signal } = work
  const attempt = attemptIdOf(work)
  const made = await ask(attempt, signal)
  const old =
    stagedCredential === undefined ? await work.staged.open(stagedPlaceOf(work, 'old')) : undefined
  // To take it back, or to end the old one, would end what runs.
  if (old !== undefined && sameValues(old, made))
    return {
      ...afterEffect(work, ['set', 'SameCredential'], { failure: sameCredential }),
      write: dropStagedValues(work),
    }
  if (stagedCredential === undefined)
    return {
      ...afterEffect(work, ['set', 'Created']),
      write: async (tx) => {
        await tx.stage(projectOfRotation(rotation), stagedPlaceOf(work, 'new'), made)
        return undefined
      },
    }
  if (sameValues(stagedCredential, made)) return isSet(work)
  const message = 'the rotator answered two different credentials for one attempt'
  return afterEffect(work, ['set', 'GivenUp'], { failure: { reason: 'TwoCredentials', message } })
}

const set = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotator, staged, signal } = work
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  if (rotator.create !== undefined) return create(work, candidate, rotator.create.bind(rotator))
  if (candidate === undefined) return afterEffect(work, ['set', 'GivenUp'], { failure: stagedLost })
  if ((await rotator.checkAccepted(candidate, signal)) !== 'accepted')
    await rotator.set(candidate, attemptIdOf(work), signal)
  return isSet(work)
}

const test = async (work: EffectContext): Promise<EffectOutcome> => {
  const { rotator, staged, status, gathered, signal } = work
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  if (candidate === undefined)
    return afterEffect(work, ['test', 'GivenUp'], { failure: stagedLost })
  const answer = await rotator.test(candidate, signal)
  if (answer === 'meaningless') {
    const message =
      'a random password is accepted too, so that a test says nothing, and no secret was changed: let the server ask for passwords (Postgres: scram-sha-256 in pg_hba.conf)'
    return afterEffect(work, ['test', 'GivenUp'], {
      failure: { reason: 'TestMeaningless', message },
    })
  }
  if (answer === 'refused')
    throw new RotatorFault('Refused', 'the new credential was set, and is not accepted')
  const [first = 'Switch'] = gathered.facts.steps
  const step = status.hasOld === true ? first : 'Switch'
  return afterEffect(work, ['test', 'Accepted'], { set: { step } })
}

/** What the outputs hold after a step, or held before the one that failed. */
const valuesOf = (
  { rotator, status, gathered }: EffectContext,
  old: Credential | undefined,
  candidate: Credential,
): Credential['values'] => {
  const at = (step: RolloutStep): Credential['values'] =>
    rotator.valuesAt?.(step, old, candidate) ?? candidate.values
  const { step = 'Switch', backFrom = 'Switch' } = status
  if (step !== 'Back') return at(step)
  const before = gathered.facts.steps[gathered.facts.steps.indexOf(backFrom) - 1]
  return before === undefined ? (old?.values ?? {}) : at(before)
}

const mostNamed = 100

const write = async (work: EffectContext): Promise<EffectOutcome> => {
  const { staged, rotator, rotation, status, gathered, nowMs } = work
  const candidate = await staged.open(stagedPlaceOf(work, 'new'))
  if (candidate === undefined)
    return {
      ...afterEffect(work, ['write', 'CandidateLost'], { failure: stagedLost }),
      write: dropStagedValues(work),
    }
  const old = await staged.open(stagedPlaceOf(work, 'old'))
  const values = valuesOf(work, old, candidate)
  const { namespace } = refOf(rotation)
  const { provenRuns: _, ...unwatched } = status
  const { unsteady } = gathered.facts.proof
  return {
    ...afterEffect(work, ['write', status.step === 'Back' ? 'WrittenBack' : 'Written'], {
      status: unwatched,
      set: { provingSince: toTimestamp(nowMs), illBefore: unsteady.slice(0, mostNamed) },
    }),
    isChange: true,
    detail: { step: status.step ?? 'Switch' },
    write: async (tx) => {
      const versions: Record<string, number> = {}
      let isOther = false
      for (const [output, name] of Object.entries(rotation.spec.outputs)) {
        const value = values[output]
        const ref = { kind: 'StagelySecret', namespace, name }
        const before = gathered.outputs.get(output)?.status?.version
        if (value === undefined) {
          if (before !== undefined) versions[output] = before
          continue
        }
        const written = await tx.setOutput(ref, rotation, value)
        versions[output] = statusOf('StagelySecret', written).version ?? 0
        isOther ||= versions[output] !== before
      }
      // The way back ends the new one. What services share is accepted by nobody else.
      const isBack = status.step === 'Back' && rotator.valuesAt === undefined
      const isDead = isBack || status.cause === 'Refused' || status.revokeStartedAt !== undefined
      if (isDead) await endVersions(work, versions)(tx)
      const { closed, closesAt } = await tx.revisionsOf(gathered.projectUid ?? '')
      // This write opens the next one at its end, where none is open yet.
      const revision = isOther || closesAt !== undefined ? closed + 1 : closed
      return { versions, revision, ...renewed(status, revision, gathered.facts.project) }
    },
  }
}

const scramble = async (work: EffectContext): Promise<EffectOutcome> => {
  const { failures = 0, backFrom } = work.status
  if (backFrom !== 'Remove') await discard(work)
  const next = afterEffect(work, ['scramble', 'Discarded'], { set: { failures: failures + 1 } })
  return { ...next, write: dropStagedValues(work) }
}

const effects: Readonly<Record<Effect, (work: EffectContext) => Promise<EffectOutcome>>> = {
  takeOver,
  retest,
  verify,
  prepare,
  set,
  test,
  write,
  checkUse,
  scramble,
  revoke,
  beginRevoke,
}

export const runEffect = async (effect: Effect, work: EffectContext): Promise<EffectOutcome> => {
  try {
    return await effects[effect](work)
  } catch (error) {
    if (error instanceof RotatorFault) return afterFault(work, effect, error)
    throw error
  }
}
