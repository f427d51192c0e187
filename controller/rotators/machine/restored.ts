// After the restore of a backup: what is known of the credentials of then, and what a Rotation does next. Pure. See
// ADR 0069.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { Restored, RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import { atRest, afterResult, type Failed, type Observed } from './enter.ts'
import type { RotationFacts, Move, RotationSituation } from './facts.ts'
import type { results } from './machine.ts'
import type { Accepted } from '../providers/rotator.ts'
import { beginning, retryMs } from './idle.ts'

/** So often it is asked again, after it was delivered untested. */
const mostRetryMs = 300_000

/** Of each credential that the backup knows; undefined where there is none. */
export interface TestedCredentials {
  /** What the outputs hold. */
  readonly outputs: Accepted | undefined
  /** Of an attempt that was under way: its new credential, and the one before. */
  readonly candidate: Accepted | undefined
  readonly old: Accepted | undefined
}

/** What was seen before a look had no answer. */
export interface UnansweredTest {
  readonly why: string
  readonly outputs?: Accepted | undefined
  /** Stagelets whose agents were away then. */
  readonly away: readonly string[]
}

/** A look at another credential that has failed so often, while the outputs were refused, counts as refused. */
export const mostTestTries = 5

const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

export const isPending = ({ restored }: RotationStatus): boolean =>
  restored !== undefined && ['Untested', 'Refused', 'Renewing', 'Unknown'].includes(restored.state)

/** When a refused credential is replaced, or the attempt at that is made anew. */
const renewAt = ({ retryAt, request, failures = 0, endedAt }: RotationStatus): number => {
  if (retryAt !== undefined) return ms(retryAt)
  return request !== undefined || failures === 0 ? 0 : ms(endedAt) + retryMs(failures)
}

/**
 * When (ms) it is asked which credential is accepted; Infinity: once somebody mends the Rotation; undefined: not at
 * all.
 */
export const testAt = ({ spec, status, facts }: RotationSituation): number | undefined => {
  const { restored, phase = 'Idle' } = status
  const state = restored?.state
  if (state === 'Untested' || hasReturned(status, facts.away)) return 0
  if (state === 'Unknown' || state === 'Refused') return ms(status.retryAt)
  if (state !== 'Renewing' || phase !== 'Idle') return undefined
  return spec.paused === true || facts.faults.length > 0 ? Infinity : renewAt(status)
}

/** The revision is of a project that is gone. */
export const projectReplaced = ({ status, facts }: RotationSituation): Observed | undefined => {
  const { restored, ...unmarked } = status
  const isOther = restored?.project !== undefined && !sameJson(restored.project, facts.project)
  return isOther ? { status: unmarked } : undefined
}

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
const awaitingOf = ({ restored }: RotationStatus, { outputs, away }: UnansweredTest): string[] => {
  if (outputs === 'accepted') return []
  if (restored?.state !== 'Unknown') return [...away].sort()
  return (restored.awaiting ?? []).filter((stagelet) => away.includes(stagelet))
}

const sourceOf = ({ restored }: RotationStatus): string =>
  `the backup of ${restored?.takenAt ?? ''}`

type Result = keyof (typeof results)['verify']

const verified = (
  result: Result,
  status: RotationStatus,
  nowMs: number,
  observed: Observed = {},
): Move => afterResult(['verify', result], status, nowMs, observed)

/**
 * Nobody could be asked: the project is delivered all the same, but not with what was seen to be refused.
 */
export const stayUntested = (
  status: RotationStatus,
  nowMs: number,
  unanswered: UnansweredTest,
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
    return verified('RetryLater', next, nowMs)
  const now = isRefused ? 'Refused' : 'Unknown'
  const awaiting = awaitingOf(status, unanswered)
  const message = isRefused
    ? `the credential of ${sourceOf(status)} is refused, and nothing is delivered to the stagelets of the project. Which one is accepted is not known yet: ${why}`
    : unknownInWords(status, unanswered, awaiting)
  const held = now === 'Unknown' && awaiting.length > 0 ? { awaiting } : {}
  const { restored } = as(status, now, message)
  const marked = { ...next, ...(restored && { restored: { ...restored, ...held } }) }
  if (state === now) return verified('RetryLater', marked, nowMs)
  return verified(isRefused ? 'OthersUnknown' : 'Unknown', marked, nowMs, { message })
}

const unknownInWords = (
  status: RotationStatus,
  { why, outputs }: UnansweredTest,
  awaiting: readonly string[],
): string => {
  const credential = `the credential of ${sourceOf(status)}`
  if (outputs === 'accepted')
    return `${credential} is accepted, and delivered; whether the new one of the attempt that was under way is accepted too is not known: ${why}`
  const but =
    awaiting.length === 0
      ? ''
      : `, but not to ${awaiting.join(', ')}, whose agent is away: it is asked for again when that one is back`
  return `it is not known whether ${credential} is accepted, and it is delivered all the same${but}: ${why}`
}

/** The outputs hold what the attempt has made. */
export const isWritten = ({ phase }: RotationStatus): boolean =>
  phase === 'Proving' || phase === 'Overlapping' || phase === 'Revoking'

/** What was seen of containers before the backup says nothing of those of now. */
const unproven = (status: RotationStatus): RotationStatus => {
  // Whoever did without a proof meant the containers of then.
  const { provenAt: _, evidence: __, withoutProof: ___, now: ____, ...kept } = status
  const { provenRuns: _____, illBefore: ______, use: _______, ...rest } = kept
  return rest
}

/** Nothing outside knows it: services need only agree. */
const untestable = (status: RotationStatus, nowMs: number): Move => {
  const { restored: _, ...rest } = status
  if (!isWritten(status)) return verified('Untestable', rest, nowMs)
  const set = { provingSince: toTimestamp(nowMs) }
  return verified('UntestableWritten', unproven(rest), nowMs, { set })
}

/** The old one is dead, whoever ended it: no failure leads back to it. */
const endedAt = (old: Accepted | undefined, nowMs: number): Partial<RotationStatus> =>
  old === 'refused' ? { revokeStartedAt: toTimestamp(nowMs) } : {}

type Judging = Pick<RotationFacts, 'nowMs' | 'faults' | 'project'>

/** Of an attempt whose credential is not accepted, nothing is left. */
const attemptOver = (status: RotationStatus): { readonly failure: Failed } => ({
  failure: {
    reason: 'Restored',
    message: `the attempt that was under way in ${sourceOf(status)} is over: its credential is not accepted, or was given up`,
  },
})

const isIdle = ({ phase = 'Idle' }: RotationStatus): boolean => phase === 'Idle'

/** Services get what the outputs hold. */
const accepted = (
  status: RotationStatus,
  { nowMs, project }: Judging,
  { old }: TestedCredentials,
): Move => {
  const message = `the credential of ${sourceOf(status)} is accepted`
  const { tries: _, retryAt: __, ...rest } = { ...status, ...as(status, 'Accepted', message) }
  if (isIdle(status)) return verified('Accepted', rest, nowMs, { message })
  if (!isWritten(status))
    return verified('AcceptedUnwritten', rest, nowMs, { message, set: attemptOver(status) })
  const { restored, revision, step } = rest
  const set = { provingSince: toTimestamp(nowMs) }
  if (step === 'Back' || restored === undefined)
    return verified('AcceptedWritten', unproven(rest), nowMs, { message, set })
  // The revision before may hold the old one.
  const from =
    revision === undefined ? restored : { ...restored, revision, ...defined({ project }) }
  return verified('AcceptedWritten', unproven(rest), nowMs, {
    message,
    set: { ...set, restored: from, ...endedAt(old, nowMs) },
  })
}

/** The attempt of then goes on with the credential that it was about to write: services may run with it already. */
const goOn = (status: RotationStatus, nowMs: number, { outputs }: TestedCredentials): Move => {
  const message = `the attempt that was under way in ${sourceOf(status)} goes on: its credential is accepted. Nothing is delivered before it is written`
  const { step = 'Switch' } = status
  const mark = as(status, 'Renewing', message)
  if (step === 'Back')
    return verified('CandidateAcceptedBack', status, nowMs, { message, set: mark })
  const set = { step, ...mark, ...endedAt(outputs, nowMs) }
  return verified('CandidateAccepted', status, nowMs, { message, set })
}

const backToOld = (status: RotationStatus, nowMs: number): Move => {
  const message = `what the attempt had written by ${sourceOf(status)} is refused, and the credential before it is accepted: the outputs get that one`
  const failure = { reason: 'Restored', message }
  return verified('OldAccepted', { ...status, ...as(status, 'Renewing', message) }, nowMs, {
    failure,
  })
}

/** Another one is made, where that may be. */
const refused = (
  { paused }: RotationSpec,
  status: RotationStatus,
  { nowMs, faults }: Judging,
): Move => {
  const what = `the credential of ${sourceOf(status)} is refused. Nothing is delivered to the stagelets of the project before its outputs hold another one; what runs is not touched`
  const why =
    paused === true ? 'spec.paused is true: resume it' : faults.length > 0 ? faults.join('; ') : ''
  const message = why === '' ? what : `${what}. No other one is made: ${why}`
  const { tries: _, retryAt: __, ...rest } = { ...status, ...as(status, 'Renewing', message) }
  const isOver = !isIdle(status)
  if (why !== '')
    return isOver
      ? verified('RefusedUnwrittenHeld', rest, nowMs, { message, set: attemptOver(status) })
      : verified('RefusedHeld', rest, nowMs, { message })
  const idle = isOver ? atRest(rest, nowMs) : rest
  return verified('Refused', rest, nowMs, { ...beginning(idle, 'Refused', nowMs), message })
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
  tested: TestedCredentials,
): Move => {
  const { nowMs } = facts
  const { phase = 'Idle', step, failure, hasOld, revokeStartedAt } = status
  if (tested.outputs === undefined) return untestable(status, nowMs)
  const isBack = step === 'Back'
  const toWrite = isBack ? tested.old : failure === undefined ? tested.candidate : undefined
  if (phase !== 'Idle' && !isWritten(status) && toWrite === 'accepted')
    return goOn(status, nowMs, tested)
  if (tested.outputs === 'accepted') return accepted(status, facts, tested)
  const mayGoBack = isWritten(status) && !isBack && hasOld === true && revokeStartedAt === undefined
  if (mayGoBack && tested.old === 'accepted') return backToOld(status, nowMs)
  return refused(spec, status, facts)
}
