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

/** `everyMs` undefined: any age will do. */
export const lifetimeOf = (
  { since, until, by, valueSince = since }: Life,
  everyMs: number | undefined,
  nowMs: number,
): Lifetime => {
  const limit = everyMs === undefined || valueSince === undefined ? undefined : valueSince + everyMs
  const from = limit === undefined ? undefined : Math.max(limit, since ?? limit)
  const end = until ?? nowMs
  const isOverdue = from !== undefined && from < end
  return defined({
    since: since === undefined ? undefined : toTimestamp(since),
    until: until === undefined ? undefined : toTimestamp(until),
    by,
    overdue_from: isOverdue ? toTimestamp(from) : undefined,
    overdue_days: isOverdue ? round((end - from) / dayMs) : undefined,
  })
}

/** Whether some of it is in the time that is asked for. */
export const isWithin = ({ until }: Life, sinceMs: number): boolean =>
  until === undefined || until >= sinceMs
