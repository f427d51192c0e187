// When an attempt begins: at its time, or when somebody asks. Pure.
import { defined } from '../../../src/kernel/defined.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import { dueAt, startAt } from '../../../src/kinds/rotation/window.ts'
import type { Cause, RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { retestAt } from './after-end.ts'
import type { Observed } from './enter.ts'
import type { RotationFacts, RotationSituation } from './facts.ts'

const firstBackoffMs = 60_000
const mostBackoffMs = 21_600_000
const overdueMs = 7 * 86_400_000

const time = toTimestamp
const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

export const retryMs = (tries: number): number =>
  Math.min(mostBackoffMs, firstBackoffMs * 4 ** Math.max(0, tries - 1))

/** So many attempts in a row are tried again before the next turn. */
const mostSoon = 5
/** Attempts that ended so have given out no value: nothing was re-created for them. */
const withoutEffect: ReadonlySet<string> = new Set(['Preflight', 'SetFailed'])

const isTriedSoon = ({ failure, failures = 0 }: RotationStatus): boolean =>
  failure !== undefined && withoutEffect.has(failure.reason) && failures > 0 && failures < mostSoon

/** When (ms) the next turn is; undefined: only when somebody asks. */
const nextAttemptMs = (
  { schedule }: Pick<RotationSpec, 'schedule'>,
  status: RotationStatus,
  facts: Pick<RotationFacts, 'nowMs' | 'uid' | 'createdMs' | 'hasValues'>,
): number | undefined => {
  const { failures = 0, endedAt, lastRotatedAt } = status
  if (!facts.hasValues && lastRotatedAt === undefined)
    return failures === 0 ? facts.createdMs : ms(endedAt) + retryMs(failures)
  if (schedule === undefined) return undefined
  const last = Math.max(ms(endedAt ?? lastRotatedAt), facts.createdMs)
  const turn = dueAt(schedule, last)
  const dueMs = isTriedSoon(status) ? Math.min(turn, ms(endedAt) + retryMs(failures)) : turn
  return startAt(schedule, { uid: facts.uid, dueMs, nowMs: facts.nowMs })
}

export const isOverdue = (
  { schedule }: Pick<RotationSpec, 'schedule'>,
  { lastRotatedAt }: RotationStatus,
  { nowMs, createdMs }: Pick<RotationFacts, 'nowMs' | 'createdMs'>,
): boolean =>
  schedule !== undefined &&
  nowMs > dueAt(schedule, lastRotatedAt === undefined ? createdMs : ms(lastRotatedAt)) + overdueMs

/** What starts an attempt now; `turn` has come or is to come. */
const startOf = (
  spec: RotationSpec,
  status: RotationStatus,
  { nowMs, hasValues }: RotationFacts,
  turn: number | undefined,
): Cause | undefined => {
  if (spec.paused === true) return undefined
  if (status.request !== undefined) return status.request.cause
  if (turn === undefined || turn > nowMs) return undefined
  return !hasValues && status.lastRotatedAt === undefined ? 'First' : 'Schedule'
}

/** What somebody asks for is for now: it does not start weeks later. */
const requestMs = 3_600_000

const requestEnds = ({ request, endedAt }: RotationStatus): number | undefined =>
  request?.cause === 'Run' ? Math.max(ms(request.at), ms(endedAt)) + requestMs : undefined

export const requestExpired = (situation: RotationSituation): Observed | undefined => {
  const { facts } = situation
  const until = requestEnds(situation.status)
  if (until === undefined || until > facts.nowMs) return undefined
  const { request, ...rest } = idleOf(situation)
  const [why = facts.busy?.message] = facts.faults
  const because = why === undefined ? '' : ` (${why})`
  const message = `what ${request?.by ?? ''} asked for at ${request?.at ?? ''} could not start within an hour${because}: ask again`
  const status = { ...rest, endedAt: rest.endedAt ?? time(facts.nowMs) }
  return { status, failure: { reason: 'RequestExpired', message } }
}

/** When (ms) the next turn is, or was; undefined: nothing starts by itself. */
const turnOf = ({ spec, status, facts }: RotationSituation): number | undefined =>
  spec.paused === true ? undefined : nextAttemptMs(spec, status, facts)

/** At rest, with the time of its next turn: one that has come stays until it begins. */
const idleOf = (situation: RotationSituation): RotationStatus => {
  const { nextAt, blockedBy: _, ...others } = situation.status
  const { nowMs } = situation.facts
  const turn = turnOf(situation)
  const isKept = turn !== undefined && turn <= nowMs && nextAt !== undefined && ms(nextAt) <= nowMs
  const shown = isKept ? nextAt : turn === undefined ? undefined : time(turn)
  return { ...others, phase: 'Idle', ...defined({ nextAt: shown }) }
}

/** One that should begin, and waits for another one that waits itself: somebody must do something. */
const heldBy = (idle: RotationStatus, { faults, busy }: RotationFacts): RotationStatus =>
  faults.length === 0 && busy?.isBlocked === true
    ? { ...idle, blockedBy: [{ reason: 'OtherRotation', message: busy.message }] }
    : idle

/** What somebody who asks may skip. */
const skipsOf = ({
  now,
  withoutProof,
}: NonNullable<RotationStatus['request']>): Pick<RotationStatus, 'now' | 'withoutProof'> => ({
  ...(now === true && { now }),
  ...(withoutProof === true && { withoutProof }),
})

/** The attempt that begins: nothing of the one before is left. */
export const beginning = (idle: RotationStatus, cause: Cause, nowMs: number): Observed => {
  const { request, failure: _f, nextAt: _n, ...kept } = idle
  const { evidence: _e, use: _u, skipped: _s, accepted: _a, illAfter: _i, ...status } = kept
  const attempt = (idle.attempt ?? 0) + 1
  const by = request === undefined ? '' : `, asked for by ${request.by}`
  const set = { attempt, cause, startedAt: time(nowMs), ...(request && skipsOf(request)) }
  return { status, set, message: `attempt ${attempt} begins (${cause}${by})` }
}

/** When (ms) what the outputs hold is asked for; undefined: not at all. */
const takeOverAt = ({ status, facts }: RotationSituation): number | undefined => {
  const { judged, retryAt } = status
  const { foreign, hasProject } = facts
  const isAsked = hasProject && foreign !== undefined
  if (!isAsked || sameJson(judged?.versions ?? {}, foreign)) return undefined
  return retryAt === undefined ? 0 : Date.parse(retryAt)
}

export const foreignValues = (situation: RotationSituation): Observed | undefined =>
  (takeOverAt(situation) ?? Infinity) <= situation.facts.nowMs ? {} : undefined

const causeOf = (situation: RotationSituation): Cause | undefined =>
  startOf(situation.spec, situation.status, situation.facts, turnOf(situation))

export const due = (situation: RotationSituation): Observed | undefined => {
  const { nowMs, faults, busy } = situation.facts
  const cause = causeOf(situation)
  if (cause === undefined || faults.length > 0 || busy !== undefined) return undefined
  return beginning(idleOf(situation), cause, nowMs)
}

export const notDue = (situation: RotationSituation): Observed => {
  const { status, facts } = situation
  const idle = idleOf(situation)
  const turn = turnOf(situation)
  const next = turn !== undefined && turn > facts.nowMs ? turn : undefined
  return {
    status: causeOf(situation) === undefined ? idle : heldBy(idle, facts),
    until: [requestEnds(status), takeOverAt(situation), retestAt(situation)].reduce(earliest, next),
  }
}

const unwritten = new Set<RotationStatus['phase']>(['Preparing', 'Setting', 'Testing'])

/**
 * A request speeds the attempt up: what has failed is tried again at once. A plain request stays for another attempt
 * once the new values are written, since somebody may know them, and while an attempt that has failed ends.
 */
export const requestHurries = ({
  status: { request, retryAt: _, ...status },
}: RotationSituation): Observed | undefined => {
  if (request === undefined || status.failure !== undefined) return undefined
  const { cause, now, withoutProof } = request
  const isForAnother =
    cause === 'Run' && now !== true && withoutProof !== true && !unwritten.has(status.phase)
  return isForAnother ? undefined : { status: { ...status, ...skipsOf(request) } }
}
