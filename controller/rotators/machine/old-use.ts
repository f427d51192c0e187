// Who still logs in with the old credential, from wherever: looked for again and again while both are valid, at uneven
// times. What logs in between two looks is not seen. Pure.
import { toFineTimestamp as fineTime, toTimestamp as time } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { surelySeen } from '../../../src/kinds/rotation/use.ts'
import { afterResult } from './enter.ts'
import type { RotationFacts, Move, MachineWait } from './facts.ts'
import type { Use } from '../providers/rotator.ts'

const leastMs = 5_000
const mostMs = 30_000
/** So many looks are spread over the overlap, where these are not too far apart. */
const looks = 40
/** So long nobody may have been seen, where the overlap is longer. */
const mostQuietMs = 600_000
/** So much of the time is watched, where the database can be watched. */
const watchedShare = 1 / 5
const mostWatchMs = 3_000

const ms = (text: string | undefined): number => (text === undefined ? 0 : Date.parse(text))

const skips = ({ inPlace }: RotationSpec, { now, withoutProof }: RotationStatus): boolean =>
  now === true || withoutProof === true || inPlace === true

const overAt = (spec: RotationSpec, status: RotationStatus, nowMs: number): number =>
  skips(spec, status) ? nowMs : ms(status.provenAt) + durationMs(spec.overlap)

/** From one look to the next, in the mean. */
const pollMs = ({ overlap }: RotationSpec): number =>
  Math.min(mostMs, Math.max(leastMs, durationMs(overlap) / looks))

/** So long a look lasts. */
export const watchMs = (spec: RotationSpec): number =>
  Math.min(mostWatchMs, pollMs(spec) * watchedShare)

/** Whoever logs in at even times must not fall between the looks each time: from half to one and a half of the interval. */
const gapMs = (spec: RotationSpec, random: number): number => pollMs(spec) * (0.5 + random)

/** When (ms) it is looked next. Whoever skips the overlap waits only for who was seen. */
export const nextLookAt = (spec: RotationSpec, status: RotationStatus): number => {
  const again = ms(status.retryAt)
  const isBlocked = (status.blockedBy ?? []).length > 0
  return skips(spec, status) && !isBlocked ? 0 : again
}

/** Nobody could be asked. While the overlap lasts, that holds nothing up: it is asked again soon. */
export const afterNoLook = (
  spec: RotationSpec,
  status: RotationStatus,
  { nowMs, why, random }: { readonly nowMs: number; readonly why: string; readonly random: number },
): Pick<RotationStatus, 'retryAt' | 'retryFor'> | undefined =>
  overAt(spec, status, nowMs) > nowMs
    ? { retryAt: time(nowMs + gapMs(spec, random)), retryFor: why }
    : undefined

/** A rollout without the old value comes before the end of a value that services share. */
export const hasRemoveStep = ({ steps }: Pick<RotationFacts, 'steps'>): boolean =>
  steps.includes('Remove')

type Looking = Pick<RotationFacts, 'nowMs' | 'steps'>

/** Nobody uses the old credential, or nobody can know. */
const unused = (status: RotationStatus, facts: Looking): Move | MachineWait =>
  hasRemoveStep(facts)
    ? afterResult(['checkUse', 'UnusedBeforeRemove'], status, facts.nowMs, {
        set: { step: 'Remove' },
      })
    : afterResult(['checkUse', 'Unused'], status, facts.nowMs, {})

const many = (count: number, singular: string, more: string): string =>
  `${String(count)} ${count === 1 ? singular : more}`

/** What was seen so far, in words; undefined where nobody can know. */
export const useInWords = ({ use }: RotationStatus): string | undefined => {
  if (use === undefined) return undefined
  const found = use.seenAt === undefined ? 'no session of it' : `none since ${use.seenAt}`
  const limit = use.seenAt === undefined ? ` (${surelySeen(use)})` : ''
  return `${many(use.looks, 'look', 'looks')} since ${use.since} found ${found}${limit}`
}

type Looks = NonNullable<RotationStatus['use']>

const withLook = (
  before: Looks | undefined,
  check: {
    readonly nowMs: number
    readonly isSeen: boolean
    readonly watchedMs: number | undefined
  },
): Looks => {
  const at = time(check.nowMs)
  const { looks = 0, since = at, seenAt, watchedMs } = before ?? {}
  const inAll = check.watchedMs === undefined ? watchedMs : (watchedMs ?? 0) + check.watchedMs
  const result = defined({ seenAt: check.isSeen ? at : seenAt, watchedMs: inAll })
  return { looks: looks + 1, since, at, ...result }
}

/** What follows from a look. `random`, from 0 to below 1, says when the next one is. */
export const afterLook = (
  spec: RotationSpec,
  given: RotationStatus,
  facts: Looking & { readonly random: number },
  { sessions, from, watchedMs }: Pick<Use, 'sessions' | 'from' | 'watchedMs'>,
): Move | MachineWait => {
  const { nowMs } = facts
  const used = (next: RotationStatus, until: number): Move | MachineWait =>
    afterResult(['checkUse', 'Used'], next, nowMs, { until })
  const { blockedBy: _, retryAt: __, retryFor: ___, tries: ____, ...status } = given
  const over = overAt(spec, status, nowMs)
  if (sessions === undefined)
    return over > nowMs ? used({ ...status, retryAt: time(over) }, over) : unused(status, facts)
  const isSeen = sessions > 0
  const use = withLook(status.use, { nowMs, isSeen, watchedMs })
  const quietMs = skips(spec, status) ? 0 : Math.min(mostQuietMs, durationMs(spec.overlap))
  const quietAt = use.seenAt === undefined ? over : Math.max(over, ms(use.seenAt) + quietMs)
  if (!isSeen && quietAt <= nowMs) return unused({ ...status, use }, facts)
  const again = Math.round(nowMs + gapMs(spec, facts.random))
  const until = isSeen || over > nowMs ? again : Math.min(again, quietAt)
  // In whole seconds the looks would be even again.
  const next = { ...status, use, retryAt: fineTime(until) }
  if (over > nowMs) return used(next, until)
  const where = from.length === 0 ? '' : `, from ${from.slice(0, 5).join(', ')}`
  const message = isSeen
    ? `${many(sessions, 'session uses', 'sessions use')} the old credential${where}: find out whose they are, and end them`
    : `the old credential was used at ${use.seenAt ?? ''}: it ends at ${time(quietAt)} unless another look finds a session of it, or at once with stagely rotation run --now`
  return used({ ...next, blockedBy: [{ reason: 'StillUsed', message }] }, until)
}
