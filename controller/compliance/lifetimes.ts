// How long keys and values were in use, and how long they were overdue. Pure.
import type { Lifetime } from '../../src/audit/compliance.ts'
import { defined } from '../../src/kernel/defined.ts'
import { toTimestamp } from '../../src/kernel/clock.ts'

const dayMs = 86_400_000

/** In use from `since` to `until` (ms); `valueSince` where it is older than that use. */
export interface Life {
  readonly since: number | undefined
  readonly until: number | undefined
  readonly by: string | undefined
  readonly valueSince?: number | undefined
}

const round = (days: number): number => Math.round(days * 10) / 10

/** How old it may be, up to the next one. */
export interface Limit {
  /** ms */
  readonly fromMs: number
  /** undefined: any age will do. */
  readonly everyMs: number | undefined
}

/** Overdue is what was too old by the limit of that time. */
export const lifetimeOf = (
  { since, until, by, valueSince = since }: Life,
  limits: readonly Limit[],
  nowMs: number,
): Lifetime => {
  const end = until ?? nowMs
  const late = limits.flatMap(({ fromMs, everyMs }, i) => {
    if (everyMs === undefined || valueSince === undefined) return []
    const from = Math.max(valueSince + everyMs, since ?? valueSince, fromMs)
    const to = Math.min(end, limits[i + 1]?.fromMs ?? end)
    return from < to ? [{ from, to }] : []
  })
  const [first] = late
  return defined({
    since: since === undefined ? undefined : toTimestamp(since),
    until: until === undefined ? undefined : toTimestamp(until),
    by,
    overdue_from: first && toTimestamp(first.from),
    overdue_days: first && round(late.reduce((sum, { from, to }) => sum + to - from, 0) / dayMs),
  })
}

/** Whether some of it is in the time that is asked for. */
export const isWithin = ({ until }: Life, sinceMs: number): boolean =>
  until === undefined || until >= sinceMs
