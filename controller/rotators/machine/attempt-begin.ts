// When an attempt begins: at its time, or when somebody asks. Pure.
import { defined } from '../../../src/kernel/defined.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { earliest } from '../../../src/kernel/earliest.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import { dueAt, startAt } from '../../../src/resources/kinds/rotation-window.ts'
import type { Cause, RotationSpec, RotationStatus } from '../../../src/resources/kinds/rotation.ts'
import { inPhase } from './phase-change.ts'
import type { Facts, Move, Next, Told } from './next.ts'

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
  facts: Pick<Facts, 'nowMs' | 'uid' | 'createdMs' | 'hasValues'>,
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
  { nowMs, createdMs }: Pick<Facts, 'nowMs' | 'createdMs'>,
): boolean =>
  schedule !== undefined &&
  nowMs > dueAt(schedule, lastRotatedAt === undefined ? createdMs : ms(lastRotatedAt)) + overdueMs

export const wait = (status: RotationStatus, until?: number): Next => ({
  do: 'wait',
  status,
  until,
})

/** What starts an attempt now; `turn` has come or is to come. */
const startOf = (
  spec: RotationSpec,
  status: RotationStatus,
  { nowMs, hasValues }: Facts,
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

const withoutRequest = (status: RotationStatus, { nowMs, busy, faults }: Facts): Next => {
  const { request, ...rest } = status
  const [why = busy?.message] = faults
  const because = why === undefined ? '' : ` (${why})`
  const message = `what ${request?.by ?? ''} asked for at ${request?.at ?? ''} could not start within an hour${because}: ask again`
  const failure = { reason: 'RequestExpired', message }
  const told: Told = { reason: 'RotationFailed', message }
  return { do: 'move', status: { ...rest, failure, endedAt: rest.endedAt ?? time(nowMs) }, told }
}

/** At rest, with the time of its next turn: one that has come stays until it begins. */
const idleOf = (
  { nextAt, blockedBy: _, ...others }: RotationStatus,
  turn: number | undefined,
  nowMs: number,
): RotationStatus => {
  const isKept = turn !== undefined && turn <= nowMs && nextAt !== undefined && ms(nextAt) <= nowMs
  const shown = isKept ? nextAt : turn === undefined ? undefined : time(turn)
  return { ...others, phase: 'Idle', ...defined({ nextAt: shown }) }
}

/** One that should begin, and waits for another one that waits itself: somebody must do something. */
const heldBy = (idle: RotationStatus, { faults, busy }: Facts): RotationStatus =>
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

export const begin = (idle: RotationStatus, cause: Cause, nowMs: number): Move => {
  const { request, failure: _f, nextAt: _n, ...kept } = idle
  const { evidence: _e, use: _u, skipped: _s, ...before } = kept
  const attempt = (idle.attempt ?? 0) + 1
  const status = inPhase(before, 'Preparing', nowMs, {
    ...{ attempt, cause, startedAt: time(nowMs) },
    ...(request && skipsOf(request)),
  })
  const by = request === undefined ? '' : `, asked for by ${request.by}`
  const message = `attempt ${attempt} begins (${cause}${by})`
  return { do: 'move', status, told: { reason: 'RotationStarted', message } }
}

/** When (ms) what the outputs hold is asked for; undefined: not at all. */
const takeOverAt = (
  { judged, retryAt }: RotationStatus,
  { foreign }: Pick<Facts, 'foreign'>,
): number | undefined => {
  if (foreign === undefined || sameJson(judged?.versions ?? {}, foreign)) return undefined
  return retryAt === undefined ? 0 : Date.parse(retryAt)
}

export const fromIdle = (spec: RotationSpec, status: RotationStatus, facts: Facts): Next => {
  const { nowMs } = facts
  const turn = spec.paused === true ? undefined : nextAttemptMs(spec, status, facts)
  const judgeAt = facts.hasProject ? takeOverAt(status, facts) : undefined
  if (judgeAt !== undefined && judgeAt <= nowMs) return { do: 'effect', effect: 'takeOver' }
  const idle = idleOf(status, turn, nowMs)
  const until = requestEnds(status)
  if (until !== undefined && until <= nowMs) return withoutRequest(idle, facts)
  const cause = startOf(spec, status, facts, turn)
  if (cause !== undefined && facts.faults.length === 0 && facts.busy === undefined)
    return begin(idle, cause, nowMs)
  const held = cause === undefined ? idle : heldBy(idle, facts)
  const next = earliest(turn !== undefined && turn > nowMs ? turn : undefined, until)
  return wait(held, earliest(next, judgeAt))
}

const unwritten = new Set<RotationStatus['phase']>(['Preparing', 'Setting', 'Testing'])

/**
 * The status of an attempt that a request speeds up: what has failed is tried again at once. undefined where there is
 * no request, or it stays for another attempt: once the new values are written somebody may know them, and where they
 * are taken back nothing is new.
 */
export const sped = (status: RotationStatus): RotationStatus | undefined => {
  const { request, retryAt: _, ...rest } = status
  if (request === undefined || status.failure !== undefined) return undefined
  const { cause, now, withoutProof } = request
  const isForAnother =
    cause === 'Run' && now !== true && withoutProof !== true && !unwritten.has(status.phase)
  return isForAnother ? undefined : { ...rest, ...skipsOf(request) }
}
