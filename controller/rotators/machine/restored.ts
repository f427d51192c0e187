// After the restore of a backup: what is known of the credentials of then, and what a Rotation does next. Pure. See
// ADR 0069.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type {
  Restored,
  RotationSpec,
  RotationStatus,
} from '../../../src/resources/kinds/rotation.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import { atRest, goBack, inPhase } from './phase-change.ts'
import type { Facts, Move, Next, Told } from './next.ts'
import type { Accepted } from '../providers/rotator.ts'
import { begin, retryMs, wait } from './attempt-begin.ts'

/** So often it is asked again, after it was delivered untested. */
const mostRetryMs = 300_000

/** Of each credential that the backup knows; undefined where there is none. */
export interface Seen {
  /** What the outputs hold. */
  readonly outputs: Accepted | undefined
  /** Of an attempt that was under way: its new credential, and the one before. */
  readonly candidate: Accepted | undefined
  readonly old: Accepted | undefined
}

/** What was seen before a look had no answer. */
export interface Unanswered {
  readonly why: string
  readonly outputs?: Accepted | undefined
  /** Stagelets whose agents were away then. */
  readonly away: readonly string[]
}

/** A look at another credential that has failed so often, while the outputs were refused, counts as refused. */
export const mostTries = 5

const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

export const isPending = ({ restored }: RotationStatus): boolean =>
  restored !== undefined && ['Untested', 'Refused', 'Renewing', 'Unknown'].includes(restored.state)

/** When a refused credential is replaced, or the attempt at that is made anew. */
const renewAt = ({ retryAt, request, failures = 0, endedAt }: RotationStatus): number => {
  if (retryAt !== undefined) return ms(retryAt)
  return request !== undefined || failures === 0 ? 0 : ms(endedAt) + retryMs(failures)
}

/** undefined: the Rotation goes on as ever. */
export const afterRestore = (
  { paused }: RotationSpec,
  status: RotationStatus,
  { nowMs, faults, away, project }: Facts,
): Next | undefined => {
  const { restored, phase = 'Idle' } = status
  const state = restored?.state
  // The revision is of a project that is gone.
  if (restored?.project !== undefined && !sameJson(restored.project, project))
    return { do: 'move', status: withoutMark(status) }
  if (state === 'Untested' || hasReturned(status, away)) return { do: 'effect', effect: 'verify' }
  const isAsked = state === 'Unknown' || state === 'Refused'
  const at = isAsked ? ms(status.retryAt) : renewAt(status)
  const isOpen = isAsked || (state === 'Renewing' && phase === 'Idle')
  if (!isOpen) return undefined
  if (state === 'Renewing' && (paused === true || faults.length > 0)) return wait(status)
  return at > nowMs ? wait(status, at) : { do: 'effect', effect: 'verify' }
}

const withoutMark = ({ restored: _, ...status }: RotationStatus): RotationStatus => status

/** An agent has come back that nothing is delivered to before the credential was asked for again. */
export const hasReturned = ({ restored }: RotationStatus, away: readonly string[]): boolean =>
  restored?.state === 'Unknown' &&
  (restored.awaiting ?? []).some((stagelet) => !away.includes(stagelet))

const as = (
  { restored }: RotationStatus,
  state: Restored['state'],
  message: string,
): { readonly restored?: Restored } => {
  if (restored === undefined) return {}
  const { revision: _, project: __, awaiting: ___, ...rest } = restored
  return { restored: { ...rest, state, message } }
}

/** Whom nothing is delivered to until they are back, and it was asked for again. */
const awaitingOf = ({ restored }: RotationStatus, { outputs, away }: Unanswered): string[] => {
  if (outputs === 'accepted') return []
  if (restored?.state !== 'Unknown') return [...away].sort()
  return (restored.awaiting ?? []).filter((stagelet) => away.includes(stagelet))
}

const sourceOf = ({ restored }: RotationStatus): string =>
  `the backup of ${restored?.takenAt ?? ''}`

/**
 * Nobody could be asked: the project is delivered all the same, but not with what was seen to be refused.
 */
export const stayUntested = (
  status: RotationStatus,
  nowMs: number,
  unanswered: Unanswered,
): Move => {
  const { why, outputs } = unanswered
  const state = status.restored?.state
  const isRefused = outputs === 'refused'
  // Of the tries in Refused only those count that had this answer.
  const counts = state !== 'Refused' || isRefused
  const before = isRefused && state !== 'Refused' ? 0 : (status.tries ?? 0)
  const tries = before + (counts ? 1 : 0)
  const retryAt = toTimestamp(nowMs + Math.min(mostRetryMs, retryMs(Math.max(1, tries))))
  const next = { ...status, tries, retryAt }
  if (state === 'Renewing' || (state === 'Refused' && !isRefused))
    return { do: 'move', status: next }
  const awaiting = awaitingOf(status, unanswered)
  const but =
    awaiting.length === 0
      ? ''
      : `, but not to ${awaiting.join(', ')}, whose agent is away: it is asked for again when that one is back`
  const [now, message, reason] = isRefused
    ? ([
        'Refused',
        `the credential of ${sourceOf(status)} is refused, and nothing is delivered to the stagelets of the project. Which one is accepted is not known yet: ${why}`,
        'CredentialRefused',
      ] as const)
    : ([
        'Unknown',
        outputs === 'accepted'
          ? `the credential of ${sourceOf(status)} is accepted, and delivered; whether the new one of the attempt that was under way is accepted too is not known: ${why}`
          : `it is not known whether the credential of ${sourceOf(status)} is accepted, and it is delivered all the same${but}: ${why}`,
        'CredentialUntested',
      ] as const)
  const told = state === now ? {} : { told: { reason, message } }
  const { restored } = as(status, now, message)
  const held = now === 'Unknown' && awaiting.length > 0 ? { awaiting } : {}
  const mark = restored && { restored: { ...restored, ...held } }
  return { do: 'move', status: { ...next, ...mark }, ...told }
}

/** Nothing outside knows it: services need only agree. */
const untestable = (status: RotationStatus, nowMs: number): Move => {
  const { restored: _, ...rest } = status
  return { do: 'move', status: isWritten(status) ? provenAnew(rest, nowMs) : rest }
}

/** The outputs hold what the attempt has made. */
export const isWritten = ({ phase }: RotationStatus): boolean =>
  phase === 'Proving' || phase === 'Overlapping' || phase === 'Revoking'

/** What was seen of containers before the backup says nothing of those of now. */
const provenAnew = (status: RotationStatus, nowMs: number): RotationStatus => {
  // Whoever did without a proof meant the containers of then.
  const { provenAt: _, evidence: __, withoutProof: ___, now: ____, ...kept } = status
  const { provenRuns: _____, illBefore: ______, use: _______, ...rest } = kept
  return inPhase(rest, 'Proving', nowMs, { provingSince: toTimestamp(nowMs) })
}

/** The old one is dead, whoever ended it: no failure leads back to it. */
const endedAt = (old: Accepted | undefined, nowMs: number): Partial<RotationStatus> =>
  old === 'refused' ? { revokeStartedAt: toTimestamp(nowMs) } : {}

type Judging = Pick<Facts, 'nowMs' | 'faults' | 'project'>

/** Services get what the outputs hold. */
const accepted = (status: RotationStatus, { nowMs, project }: Judging, { old }: Seen): Move => {
  const message = `the credential of ${sourceOf(status)} is accepted`
  const told: Told = { reason: 'CredentialTested', message }
  const { tries: _, retryAt: __, ...rest } = { ...status, ...as(status, 'Accepted', message) }
  if (!isWritten(status)) return { do: 'move', status: rest, told }
  const { restored, revision, step } = rest
  const next = provenAnew(rest, nowMs)
  if (step === 'Back' || restored === undefined) return { do: 'move', status: next, told }
  // The revision before may hold the old one.
  const from =
    revision === undefined ? restored : { ...restored, revision, ...defined({ project }) }
  return { do: 'move', status: { ...next, restored: from, ...endedAt(old, nowMs) }, told }
}

/** The attempt of then goes on with the credential that it was about to write: services may run with it already. */
const goOn = (status: RotationStatus, nowMs: number, { outputs }: Seen): Move => {
  const message = `the attempt that was under way in ${sourceOf(status)} goes on: its credential is accepted. Nothing is delivered before it is written`
  const { step = 'Switch' } = status
  const told: Told = { reason: 'CredentialTested', message }
  return {
    do: 'move',
    status: inPhase(status, 'RollingOut', nowMs, {
      ...{ step, ...as(status, 'Renewing', message) },
      ...(step !== 'Back' && endedAt(outputs, nowMs)),
    }),
    told,
  }
}

const backToOld = (status: RotationStatus, nowMs: number): Move => {
  const message = `what the attempt had written by ${sourceOf(status)} is refused, and the credential before it is accepted: the outputs get that one`
  return goBack({ ...status, ...as(status, 'Renewing', message) }, nowMs, {
    reason: 'Restored',
    message,
  })
}

/** Of an attempt whose credential is not accepted, nothing is left. */
const withoutAttempt = (status: RotationStatus, nowMs: number): RotationStatus => {
  if ((status.phase ?? 'Idle') === 'Idle') return status
  const message = `the attempt that was under way in ${sourceOf(status)} is over: its credential is not accepted, or was given up`
  return atRest(status, nowMs, { failure: { reason: 'Restored', message } })
}

const refused = (
  { paused }: RotationSpec,
  status: RotationStatus,
  { nowMs, faults }: Judging,
): Move => {
  const { tries: _, retryAt: __, ...rest } = status
  const what = `the credential of ${sourceOf(status)} is refused. Nothing is delivered to the stagelets of the project before its outputs hold another one; what runs is not touched`
  const why =
    paused === true ? 'spec.paused is true: resume it' : faults.length > 0 ? faults.join('; ') : ''
  const message = why === '' ? what : `${what}. No other one is made: ${why}`
  const next = { ...rest, ...as(status, 'Renewing', message) }
  const told: Told = { reason: 'CredentialRefused', message }
  return why === ''
    ? { do: 'move', status: begin(next, 'Refused', nowMs).status, told }
    : { do: 'move', status: next, told }
}

/** The outputs hold a credential that is accepted from this revision on. */
export const renewed = (
  status: RotationStatus,
  revision: number,
  project: Restored['project'],
): Partial<RotationStatus> => {
  const { restored } = status
  if (restored?.state !== 'Renewing') return {}
  const message = `the credential of ${sourceOf(status)} was not delivered; revision ${revision} has one that is accepted`
  const place = { revision, ...defined({ project }) }
  return { restored: { ...restored, state: 'Renewed', message, ...place } }
}

/** What follows from what the credentials of the backup were seen to be. */
export const decideRestored = (
  spec: RotationSpec,
  status: RotationStatus,
  facts: Judging,
  seen: Seen,
): Move => {
  const { nowMs } = facts
  const { phase = 'Idle', step, failure, hasOld, revokeStartedAt } = status
  if (seen.outputs === undefined) return untestable(status, nowMs)
  const isBack = step === 'Back'
  const toWrite = isBack ? seen.old : failure === undefined ? seen.candidate : undefined
  if (phase !== 'Idle' && !isWritten(status) && toWrite === 'accepted')
    return goOn(status, nowMs, seen)
  if (seen.outputs === 'accepted')
    return accepted(isWritten(status) ? status : withoutAttempt(status, nowMs), facts, seen)
  const mayGoBack = isWritten(status) && !isBack && hasOld === true && revokeStartedAt === undefined
  if (mayGoBack && seen.old === 'accepted') return backToOld(status, nowMs)
  return refused(spec, withoutAttempt(status, nowMs), facts)
}
