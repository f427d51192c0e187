// The effects of a rotation: each looks before it acts, and may be done again after a crash. What comes of one is told
// back; the performer stores it.
import { refOf } from '../../src/resources/meta.ts'
import type { RotationStatus } from '../../src/resources/rotation.ts'
import type { StagedCredential } from '../../src/store/staged-values.ts'
import type { Transaction } from '../../src/store/store.ts'
import { afterUse, askAgainMs, retryMs, type Effect, type Next, type Told } from './decide.ts'
import { atRest, giveUp, inPhase, takeBack, type Failed } from './endings.ts'
import { idleFaults, isSameLogin, readOld } from './logins.ts'
import { attemptOf, placeOf, projectOf, type Work } from './work.ts'
import { RotatorFault, type Credential, type Rotator, type Step } from './rotator.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'
import { durationMs } from '../../src/resources/duration.ts'

/** A service that answers "pending" for ever has so long. */
const pendingMs = 21_600_000
const mostTries = 5

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

const outcomeOf = (next: Next): Outcome =>
  next.do === 'effect'
    ? { status: {} }
    : { ...('told' in next ? { told: next.told } : {}), status: next.status }

const tell = (status: RotationStatus, reason: Told['reason'], message: string): Outcome => ({
  ...{ status, told: { reason, message } },
})

const end = (work: Work, failure: Failed): Outcome => {
  const outcome = outcomeOf(giveUp(work.status, work.nowMs, failure))
  return { ...outcome, write: dropStaged(work) }
}

const dropStaged =
  ({ rotation }: Work): NonNullable<Outcome['write']> =>
  async (tx) => {
    await tx.endStaged(rotation.metadata.uid ?? '')
    return undefined
  }

const takenBack = (work: Work, failure: Failed): Outcome =>
  outcomeOf(takeBack(work.status, work.nowMs, failure))

const stagedLost: Failed = {
  reason: 'CandidateLost',
  message: 'the values that were under way are gone: an output was purged; run it again',
}

const prepare = async (work: Work): Promise<Outcome> => {
  const { rotator, rotation, status, staged, nowMs, signal } = work
  const warnings: string[] = []
  const faults = await rotator.preflight(signal, (warning) => warnings.push(warning))
  if (faults.length > 0) return end(work, { reason: 'Preflight', message: faults.join('; ') })
  const old = await readOld(work)
  const live = old === undefined ? status.slot : old.slot
  const candidateSlot = rotator.slots.find((slot) => slot !== live) ?? rotator.slots[0]
  const known = await staged.open(placeOf(work, 'new'))
  const made =
    known ?? (rotator.create === undefined ? await rotator.make(candidateSlot) : undefined)
  const unsafe = made === undefined ? [] : await idleFaults(work, made, old)
  if (unsafe.length > 0) return end(work, { reason: 'Preflight', message: unsafe.join('; ') })
  const next = inPhase(status, 'Setting', nowMs, {
    ...(candidateSlot === undefined ? {} : { candidateSlot }),
    ...(old === undefined ? {} : { hasOld: true }),
  })
  const project = projectOf(rotation)
  const message = `the rotator warns: ${warnings.join('; ')}`
  return {
    status: next,
    ...(warnings.length === 0 ? {} : { told: { reason: 'RotationStarted', message } }),
    write: async (tx) => {
      if (old !== undefined) await tx.stage(project, placeOf(work, 'old'), old)
      if (made !== undefined) await tx.stage(project, placeOf(work, 'new'), made)
      return undefined
    },
  }
}

const sameValues = (a: StagedCredential, b: Credential): boolean => {
  const names = Object.keys(a.values)
  return (
    names.length === Object.keys(b.values).length &&
    names.every((name) => a.values[name] === b.values[name])
  )
}

const isSet = (work: Work): Outcome => {
  const { candidateSlot } = work.status
  const whose = candidateSlot === undefined ? '' : ` for ${candidateSlot}`
  // A credential that is set again and again, and never accepted, has failed too.
  const { tries } = work.status
  const kept = tries === undefined ? {} : { tries }
  const next = inPhase(work.status, 'Testing', work.nowMs, kept)
  return tell(next, 'CredentialSet', `a new credential${whose} is set; the old one stays valid`)
}

/** Made outside: asked twice, since one attempt has one credential. */
const create = async (
  work: Work,
  known: StagedCredential | undefined,
  ask: NonNullable<Rotator['create']>,
): Promise<Outcome> => {
  const { rotation, status, signal } = work
  const attempt = attemptOf(work)
  const made = await ask(attempt, signal)
  if (known === undefined)
    return {
      status,
      write: async (tx) => {
        await tx.stage(projectOf(rotation), placeOf(work, 'new'), made)
        return undefined
      },
    }
  if (sameValues(known, made)) return isSet(work)
  const message = 'the rotator answered two different credentials for one attempt'
  return takenBack(work, { reason: 'TwoCredentials', message })
}

const set = async (work: Work): Promise<Outcome> => {
  const { rotator, staged, signal } = work
  const candidate = await staged.open(placeOf(work, 'new'))
  if (rotator.create !== undefined) return create(work, candidate, rotator.create.bind(rotator))
  if (candidate === undefined) return takenBack(work, stagedLost)
  if ((await rotator.look(candidate, signal)) !== 'accepted')
    await rotator.set(candidate, attemptOf(work), signal)
  return isSet(work)
}

/** The candidate that nothing runs with is accepted nowhere any more. */
const discard = async (work: Work): Promise<void> => {
  const { rotator, rotation, staged, status, signal } = work
  // Of one login whose password is changed in place, the old password is gone until it is set again.
  if (rotation.spec.inPlace === true) {
    const old = await staged.open(placeOf(work, 'old'))
    if (old !== undefined) await rotator.set(old, attemptOf(work), signal)
    return
  }
  if (rotator.slots.length > 0) return rotator.scramble(status.candidateSlot, signal)
  const candidate = await staged.open(placeOf(work, 'new'))
  if (candidate === undefined) return
  if (rotator.discard === undefined) await rotator.revoke(candidate, attemptOf(work), signal)
  else await rotator.discard(candidate, attemptOf(work), signal)
}

const test = async (work: Work): Promise<Outcome> => {
  const { rotator, staged, status, gathered, nowMs, signal } = work
  const candidate = await staged.open(placeOf(work, 'new'))
  if (candidate === undefined) return takenBack(work, stagedLost)
  const answer = await rotator.test(candidate, signal)
  if (answer === 'meaningless') {
    const message =
      'a random password is accepted too, so that a test says nothing; no secret was changed'
    return takenBack(work, { reason: 'TestMeaningless', message })
  }
  if (answer === 'refused') throw new RotatorFault('Refused', 'the new credential is not accepted')
  const [first = 'Switch'] = gathered.facts.steps
  const step = status.hasOld === true ? first : 'Switch'
  return { status: inPhase(status, 'RollingOut', nowMs, { step }) }
}

/** What the outputs hold after a step, or held before the one that failed. */
const valuesOf = (
  { rotator, status, gathered }: Work,
  old: Credential | undefined,
  candidate: Credential,
): Credential['values'] => {
  const at = (step: Step): Credential['values'] =>
    rotator.valuesAt?.(step, old, candidate) ?? candidate.values
  const { step = 'Switch', backFrom = 'Switch' } = status
  if (step !== 'Back') return at(step)
  const before = gathered.facts.steps[gathered.facts.steps.indexOf(backFrom) - 1]
  return before === undefined ? (old?.values ?? {}) : at(before)
}

const write = async (work: Work): Promise<Outcome> => {
  const { staged, rotation, status, gathered, nowMs } = work
  const candidate = await staged.open(placeOf(work, 'new'))
  if (candidate === undefined) return end(work, stagedLost)
  const old = await staged.open(placeOf(work, 'old'))
  const values = valuesOf(work, old, candidate)
  const { namespace } = refOf(rotation)
  return {
    status: inPhase(status, 'Proving', nowMs, { provingSince: toTimestamp(nowMs) }),
    isChange: true,
    detail: { step: status.step ?? 'Switch' },
    write: async (tx) => {
      const versions: Record<string, number> = {}
      for (const [output, name] of Object.entries(rotation.spec.outputs)) {
        const value = values[output]
        const ref = { kind: 'StagelySecret', namespace, name }
        const before = gathered.outputs.get(output)?.status?.version
        if (value === undefined) {
          if (before !== undefined) versions[output] = before
          continue
        }
        const { status: after } = await tx.setOutput(ref, rotation, value)
        versions[output] = (after as { version?: number } | undefined)?.version ?? 0
      }
      const { closed, closesAt } = await tx.revisionsOf(gathered.projectUid ?? '')
      return { versions, revision: closesAt === undefined ? closed : closed + 1 }
    },
  }
}

const checkUse = async (work: Work): Promise<Outcome> => {
  const { rotator, staged, status, gathered, nowMs, signal } = work
  const old = await staged.open(placeOf(work, 'old'))
  if (old === undefined) return end(work, stagedLost)
  const { sessions, from } = await rotator.stillUsed(old, signal)
  if (sessions === undefined || sessions === 0) {
    const outcome = outcomeOf(afterUse(status, { nowMs, steps: gathered.facts.steps }))
    return sessions === undefined ? outcome : { ...outcome, detail: { sessions } }
  }
  const message = `${sessions} ${sessions === 1 ? 'session uses' : 'sessions use'} the old credential${from.length === 0 ? '' : `, from ${from.slice(0, 5).join(', ')}`}: end them`
  const blockedBy = [{ reason: 'StillUsed', message }]
  return { status: { ...status, blockedBy, retryAt: toTimestamp(nowMs + askAgainMs) } }
}

const scramble = async (work: Work): Promise<Outcome> => {
  const { status, nowMs } = work
  if (status.backFrom !== 'Remove') await discard(work)
  const failures = (status.failures ?? 0) + 1
  return { status: atRest(status, nowMs, { failures }), write: dropStaged(work) }
}

/** No rollback brings the old versions back from here on, and no failure leads back to them. */
const beginRevoke = (work: Work): Outcome => {
  const { rotation, status, nowMs } = work
  const { namespace } = refOf(rotation)
  return {
    status: { ...status, revokeStartedAt: toTimestamp(nowMs) },
    write: async (tx) => {
      for (const [output, name] of Object.entries(rotation.spec.outputs)) {
        const ref = { kind: 'StagelySecret', namespace, name }
        const before = status.versions?.[output]
        if (before !== undefined) await tx.revokeVersions(ref, before)
      }
      return undefined
    },
  }
}

const revoke = async (work: Work): Promise<Outcome> => {
  const { rotator, rotation, staged, status, gathered, nowMs, signal } = work
  const old = status.hasOld === true ? await staged.open(placeOf(work, 'old')) : undefined
  if (old !== undefined && rotation.spec.inPlace !== true) {
    const candidate = await staged.open(placeOf(work, 'new'))
    if (candidate !== undefined && isSameLogin(work, old, candidate))
      throw new RotatorFault('Refused', 'the old and the new credential are one login')
    await rotator.revoke(old, attemptOf(work), signal)
    if ((await rotator.look(old, signal)) !== 'refused')
      throw new RotatorFault('Refused', 'the old credential is still accepted')
  }
  const { slot, candidateSlot = slot, failure: _, ...rest } = status
  const next = atRest(rest, nowMs, {
    ...(candidateSlot === undefined ? {} : { slot: candidateSlot }),
    ...{ lastRotatedAt: toTimestamp(nowMs), failures: 0 },
  })
  const done = { status: next, write: dropStaged(work) }
  if (status.hasOld !== true) return done
  const login = old?.values['username'] ?? slot
  const whose = login === undefined ? '' : ` of ${login}`
  const proof = status.withoutProof === true ? ', without a proof that nothing runs with it' : ''
  const measured =
    rotation.spec.inPlace === true ? 'its password was replaced' : 'it is refused now'
  const how =
    rotation.spec.rotator.generate === undefined ? measured : 'no output holds it any more'
  const message = `the old credential${whose} is ended${proof}: ${how}`
  return { ...done, told: { reason: 'CredentialRevoked', message } }
}

const effects: Readonly<Record<Effect, (work: Work) => Promise<Outcome>>> = {
  ...{ prepare, set, test, write, checkUse, scramble, revoke },
  beginRevoke: (work) => Promise.resolve(beginRevoke(work)),
}

/** Of a fault that a rotator tells: when it is tried again, or that the attempt ends. */
const afterFault = async (work: Work, effect: Effect, fault: RotatorFault): Promise<Outcome> => {
  const { status, nowMs } = work
  const since = Date.parse(status.phaseSince ?? '') || nowMs
  const { pendingFor } = work.rotation.spec.rotator.webhook ?? {}
  const mostPending = Math.min(pendingMs, durationMs(pendingFor ?? '6h'))
  if (fault.kind === 'Pending' && nowMs - since < mostPending) {
    const retryAt = toTimestamp(nowMs + Math.max(1_000, fault.retryAfterMs ?? 60_000))
    return { status: { ...status, retryAt } }
  }
  const tries = (status.tries ?? 0) + 1
  const retryAt = toTimestamp(nowMs + retryMs(tries))
  if (effect === 'revoke' || effect === 'checkUse' || effect === 'scramble') {
    const reason = effect === 'checkUse' ? 'StillUsed' : 'NotRevoked'
    const message = `it is not known whether the ${effect === 'scramble' ? 'candidate' : 'old credential'} is ended: ${fault.message}`
    return { status: { ...status, tries, retryAt, blockedBy: [{ reason, message }] } }
  }
  const isOver = tries >= mostTries || fault.kind === 'Failed' || fault.kind === 'Pending'
  if (!isOver) {
    // Services must log in meanwhile: of one login the old password is set again until the next try.
    if (effect !== 'prepare' && work.rotation.spec.inPlace === true)
      await discard(work).catch(() => undefined)
    return { status: { ...inPhaseOf(effect, status, nowMs), tries, retryAt } }
  }
  const reason =
    effect === 'prepare' ? 'Preflight' : fault.kind === 'Pending' ? 'PendingTooLong' : 'SetFailed'
  const failure = { reason, message: fault.message }
  return effect === 'prepare' ? end(work, failure) : takenBack(work, failure)
}

/** A credential that is not accepted is set anew. */
const inPhaseOf = (effect: Effect, status: RotationStatus, nowMs: number): RotationStatus =>
  effect === 'test' ? inPhase(status, 'Setting', nowMs) : status

export const runEffect = async (effect: Effect, work: Work): Promise<Outcome> => {
  try {
    return await effects[effect](work)
  } catch (error) {
    if (error instanceof RotatorFault) return afterFault(work, effect, error)
    throw error
  }
}
