// What the store does from time to time, whoever calls: it closes revisions, checks sets, drops what is old, and says
// how it is.
import type { Clock } from '../kernel/clock.ts'
import { isReason, messageOf } from '../kernel/errors.ts'
import type { ObjectRef } from '../resources/meta.ts'
import { dropOldEvents, dropOldRows, finishNamespaces } from './compaction.ts'
import { dropIfUnused } from './project-ends.ts'
import { closeDue, dueAt } from './revisions.ts'
import { readSet } from './set-rows.ts'
import type { Sql } from './sql.ts'
import { term, type ProjectRow } from './state/rows.ts'
import type { Actor, OnCloseFault, StoreHealth } from './store.ts'
import type { StoreParts } from './store-parts.ts'
import { dropOldTombstones, hasOldTombstones } from './tombstones.ts'

/** The term that a leader's writes carry. */
export interface Fence {
  readonly term?: number
}

const system: Actor = { name: 'controller', source: 'system' }
const healthMs = 1_500
/** A write takes milliseconds; the database ends a statement that waits for 15 s. */
const stuckAfterMs = 10_000

const earliest = (open: readonly ProjectRow[]): number | undefined =>
  open.length === 0 ? undefined : Math.min(...open.map((row) => dueAt(row) ?? Infinity))

/** See Store. */
export const closeDueRevisions = async (
  { feed, writer }: StoreParts,
  fence: Fence,
  { now, onFault }: { now: number; onFault: OnCloseFault | undefined },
): Promise<number | undefined> => {
  const openNow = (): ProjectRow[] => feed.state.projects.withTerm(term.open)
  const isDue = (row: ProjectRow): boolean => (dueAt(row) ?? Infinity) <= now
  const due = openNow().filter(isDue)
  if (due.length === 0) return earliest(openNow())
  const faults: unknown[] = []
  // Each alone: one that cannot be closed, for its key is away, keeps no other waiting.
  const closing = due.map((one) =>
    writer
      .run(system, fence, (session) => closeDue(session, one, now))
      .catch((error: unknown) => {
        if (onFault === undefined) faults.push(error)
        else onFault(`${one.namespace}/${one.name}`, error)
      }),
  )
  await Promise.all(closing)
  if (faults.length > 0) throw faults[0]
  return earliest(openNow().filter((row) => !isDue(row)))
}

/** See Store. */
export const checkSets = async ({ sql, keys, feed }: StoreParts): Promise<ObjectRef[]> => {
  const changed: ObjectRef[] = []
  for (const { id, namespace, name } of [...feed.state.projects.rows()]) {
    const failed = await readSet(sql, keys, id, 'head').then(
      () => undefined,
      (error: unknown) => error,
    )
    if (isReason(failed, 'InternalError')) changed.push({ kind: 'Project', namespace, name })
  }
  return changed
}

/** See Store. */
export const healthOf = async ({
  sql,
  clock,
  writer,
  keys,
  keyRing,
}: StoreParts): Promise<StoreHealth> => {
  const fault = await databaseFault(sql, clock)
  if (fault !== undefined) return { ok: false, failed: 'database', reason: fault }
  const { stuckMs } = writer
  if (stuckMs > stuckAfterMs) {
    const reason = `no write has got through for ${Math.round(stuckMs / 1000)} s`
    return { ok: false, failed: 'writes', reason }
  }
  keys.sweep()
  const health = await keyRing.health()
  return health.ok ? health : { ...health, failed: 'key-provider' }
}

/** Who asks for the health waits less long than a statement may take. */
const databaseFault = (sql: Sql, clock: Clock): Promise<string | undefined> => {
  const done = new AbortController()
  const late = clock.sleep(healthMs, done.signal).then(
    () => 'the database does not answer',
    () => undefined,
  )
  const answer = sql.query('SELECT 1').then(() => undefined, messageOf)
  return Promise.race([late, answer]).finally(() => done.abort())
}

/** See Store. */
export const compact = async (
  { sql, feed, writer, retention }: StoreParts,
  fence: Fence,
  now: number,
): Promise<void> => {
  const before = now - retention.deletedMs
  const isAnyDue = await hasOldTombstones(sql, before)
  await writer.run(system, fence, async (session) => {
    dropOldEvents(session, now)
    finishNamespaces(session)
    if (isAnyDue) await dropOldTombstones(session, before)
    for (const row of feed.state.projects.rows()) dropIfUnused(session, row)
  })
  await dropOldRows(sql, retention, now)
}
