// The end of a stagelet that is meant to go (spec.ttl): pure.
import { toTimestamp } from '../../kernel/clock.ts'
import { durationMs } from '../../resources/duration.ts'
import { isLifetime } from '../../resources/lifetime.ts'
import { annotations, type KubeObject } from '../../resources/meta.ts'
import { findCondition } from '../../resources/conditions.ts'
import type { StageletSpec, StageletStatus } from './schema.ts'
import type { Verdict } from '../../resources/conditions.ts'

type Stagelet = KubeObject<StageletSpec, StageletStatus> & { spec: StageletSpec }

const annotationOf = (stagelet: Stagelet | undefined, name: string): string | undefined =>
  stagelet?.metadata.annotations?.[name]

/** The request for an extension, where this write makes a new one. */
export const newExtension = (next: Stagelet, before: Stagelet | undefined): string | undefined => {
  const request = annotationOf(next, annotations.extend)
  return request === annotationOf(before, annotations.extend) ? undefined : request
}

/** The length that the request names in a line of its own; undefined: the length is that of the ttl. */
const lengthIn = (request: string): string | undefined => request.split('\n').find(isLifetime)

/** Why the stagelet cannot be extended so. */
export const faultOfExtension = (request: string, ttl: string | undefined): string | undefined => {
  if (ttl === undefined)
    return 'the stagelet has no end to put off: spec.ttl is not set, so it stays until somebody deletes it'
  const isUnread = request.includes('\n') && lengthIn(request) === undefined
  return isUnread
    ? 'its second line must be at least 10m, as a whole number and a unit: 30m, 48h or 7d'
    : undefined
}

/**
 * When the stagelet ends, after this write. A deploy and a change of the spec count anew, an extension counts its own
 * length; none of them brings the end nearer. Only another ttl does.
 */
export const endsAtAfter = (
  next: Stagelet,
  before: Stagelet | undefined,
  nowMs: number,
): string | undefined => {
  const { ttl } = next.spec
  if (ttl === undefined) return undefined
  const former = before?.spec.ttl === ttl ? before.status?.endsAt : undefined
  const counts =
    former === undefined ||
    next.metadata.generation !== before?.metadata.generation ||
    annotationOf(next, annotations.redeploy) !== annotationOf(before, annotations.redeploy)
  const extension = newExtension(next, before)
  const lengths = [
    ...(counts ? [ttl] : []),
    ...(extension === undefined ? [] : [lengthIn(extension) ?? ttl]),
  ]
  const ends = lengths.map((length) => toTimestamp(nowMs + durationMs(length)))
  return [...ends, ...(former === undefined ? [] : [former])].sort().at(-1)
}

const minuteMs = 60_000
const warnings = [
  { reason: 'EndsIn1h', ms: 60 * minuteMs },
  { reason: 'EndsIn24h', ms: 24 * 60 * minuteMs },
] as const
/** Between the first warning and the end, also where no controller ran when the warning was due. */
const leastNoticeMs = 10 * minuteMs

export interface StageletEnding {
  readonly verdict: Verdict
  /** The stagelet is to be deleted now. */
  readonly isOver: boolean
  /** The next moment (ms) at which something else is true. */
  readonly nextAt: number | undefined
}

const no = (reason: string, message: string, nextAt?: number): StageletEnding => ({
  verdict: { status: 'False', reason, message },
  isOver: false,
  nextAt,
})

const lossOf = ({ deletionPolicy, deleteVolumes }: Stagelet['spec']): string => {
  if (deletionPolicy === 'Retain') return 'its containers run on, without Stagely'
  return deleteVolumes === true
    ? 'its stack is taken down, with its volumes'
    : 'its stack is taken down'
}

/**
 * How the end stands. Undefined where the stagelet has none and had none. `declaredBy`: the source that would create it again.
 */
export const endingOf = (
  { metadata, spec, status }: Stagelet,
  { nowMs, declaredBy }: { readonly nowMs: number; readonly declaredBy: string | undefined },
): StageletEnding | undefined => {
  const told = findCondition(status?.conditions, 'Ending')
  const { ttl } = spec
  const { endsAt } = status ?? {}
  if (ttl === undefined || endsAt === undefined)
    return told === undefined ? undefined : no('NoEnd', 'spec.ttl is not set')
  const endMs = Date.parse(endsAt)
  const steps = warnings.filter(({ ms }) => ms < durationMs(ttl))
  const left = endMs - nowMs
  const because = `spec.ttl is ${ttl}`
  const remedy = `"stagely preview extend ${metadata.name}" puts the end off`
  if (left > 0) {
    const next = steps.findLast(({ ms }) => ms < left)
    const nextAt = next === undefined ? endMs : endMs - next.ms
    const step = steps.find(({ ms }) => left <= ms)
    const message = `it ends at ${endsAt} (${because})`
    if (step === undefined) return no('NotDue', message, nextAt)
    const text = `${message}, and ${lossOf(spec)}: ${remedy}`
    return {
      verdict: { status: 'True', reason: step.reason, message: text },
      isOver: false,
      nextAt,
    }
  }
  const over = `its time was over at ${endsAt} (${because})`
  if (declaredBy !== undefined) {
    const message = `${over}, but ${declaredBy} declares it, and would create it again: delete it there`
    return {
      verdict: { status: 'True', reason: 'Declared', message },
      isOver: false,
      nextAt: undefined,
    }
  }
  const since = told?.status === 'True' ? Date.parse(told.lastTransitionTime) : nowMs
  const goesAt = steps.length === 0 ? endMs : Math.max(endMs, since + leastNoticeMs)
  if (nowMs >= goesAt) {
    const message = `${over}: it is deleted, and ${lossOf(spec)}`
    return {
      verdict: { status: 'True', reason: 'Ended', message },
      isOver: true,
      nextAt: undefined,
    }
  }
  const message = `${over}, before anybody was warned: it is deleted at ${toTimestamp(goesAt)}, and ${lossOf(spec)}: ${remedy}`
  return {
    verdict: { status: 'True', reason: 'EndsNow', message },
    isOver: false,
    nextAt: goesAt,
  }
}
