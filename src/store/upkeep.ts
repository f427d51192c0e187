// Regular work of the store: checks of sets, its health, and the removal of rows past their retention.
import type { Clock } from '../kernel/clock.ts'
import { isReason, messageOf } from '../kernel/errors.ts'
import { within } from '../kernel/async/pause.ts'
import type { ObjectRef } from '../resources/meta.ts'
import { dropOldEvents, dropOldRequests, dropOldRows, finishNamespaces } from './compaction.ts'
import { dropIfUnused } from './secrets/projects.ts'
import { readSet } from './secrets/set-rows.ts'
import type { Sql } from './drivers/sql.ts'
import type { StoreHealth } from './core/health.ts'
import type { Refusals } from './log/refusals.ts'
import type { Fence, StoreParts } from './store-parts.ts'
import { dropExpiredSecrets, hasExpiredSecrets } from './secrets/deleted-secrets.ts'
import { controllerActor } from './core/actor.ts'
import { wentBack } from './core/errors.ts'

const healthMs = 1_500
/** A write takes milliseconds; the database ends a statement that waits for 15 s. */
const stuckAfterMs = 10_000

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
  feed,
  writer,
  keys,
  keyRing,
}: StoreParts): Promise<StoreHealth> => {
  const { fault, clockAheadMs } = await askDatabase(sql, clock)
  if (feed.isOutdated) return { ok: false, failed: 'database', reason: wentBack().message }
  if (fault !== undefined) return { ok: false, failed: 'database', reason: fault }
  const { oldestWaitMs } = writer
  if (oldestWaitMs > stuckAfterMs) {
    const reason = `a write waits for ${Math.round(oldestWaitMs / 1000)} s`
    return { ok: false, failed: 'writes', reason }
  }
  if (writer.refusals.isOld) await tryWrite(sql, clock, writer.refusals)
  const { fault: refusal } = writer.refusals
  if (refusal !== undefined)
    return { ok: false, failed: 'writes', reason: `writes are refused: ${refusal}` }
  keys.sweep()
  const health = await keyRing.health()
  return { ...health, ...(!health.ok && { failed: 'key-provider' }), clockAheadMs }
}

interface DatabaseAnswer {
  readonly fault?: string
  readonly clockAheadMs?: number
}

/** Who asks for the health waits less long than a statement may take. */
const askDatabase = (sql: Sql, clock: Clock): Promise<DatabaseAnswer> => {
  const done = new AbortController()
  const late = clock.sleep(healthMs, done.signal).then(
    () => ({ fault: 'the database does not answer' }),
    () => ({}),
  )
  const asked = clock.now()
  const answer = sql
    .query<{ mode: string; at: number }>(
      `SELECT current_setting('transaction_read_only') AS mode, extract(epoch FROM clock_timestamp())::float8 * 1000 AS at`,
    )
    .then(([row]): DatabaseAnswer => {
      if (row?.mode === 'on') return { fault: 'the database is read-only' }
      return row === undefined ? {} : { clockAheadMs: (asked + clock.now()) / 2 - row.at }
    })
    .catch((error: unknown) => ({ fault: messageOf(error) }))
  return Promise.race([late, answer]).finally(() => done.abort())
}

const undone = new Error('nothing of the probe stays')

/** What the database is asked for needs a file of its own, which a full disk refuses. It is rolled back. */
const probeSql = `CREATE TABLE write_probe (filler text);
INSERT INTO write_probe SELECT repeat(md5(n::text), 50) FROM generate_series(1, 40) AS n`

/** Readers of an idle replica are told too that no write succeeds. Who may not create a table knows nothing by it. */
const tryWrite = async (sql: Sql, clock: Clock, refusals: Refusals): Promise<void> => {
  const probe = sql.transaction(async (tx) => {
    await tx.exec(probeSql)
    throw undone
  })
  const tried = probe.catch((error: unknown) => {
    if (!isReason(error, 'ServiceUnavailable')) refusals.accepted()
    refusals.note(error, 0)
  })
  await within(clock, healthMs, tried, () => undefined)
}

/** See Store. */
export const compact = async (
  { sql, feed, writer, retention }: StoreParts,
  fence: Fence,
  now: number,
): Promise<void> => {
  const before = now - retention.deletedMs
  const isAnyDue = await hasExpiredSecrets(sql, before)
  await writer.run(controllerActor, fence, async (session) => {
    dropOldEvents(session, now)
    dropOldRequests(session, now - retention.requestsMs)
    finishNamespaces(session)
    if (isAnyDue) await dropExpiredSecrets(session, before)
    for (const row of feed.state.projects.rows()) dropIfUnused(session, row)
  })
  await dropOldRows(sql, retention, now)
  if (sql.kind === 'pglite') await giveRoomBack(sql)
}

/** Bytes. A file that is smaller is not worth the work. */
const smallFile = 16 * 2 ** 20
/** Bytes. A row of activity has some hundred, with its indexes. */
const mostOfRow = 4_096

/**
 * A server vacuums by itself, the embedded database does not: what is dropped would keep its place for ever. A vacuum
 * makes it free for new rows. The log of activity, which one noisy machine can fill, gets smaller too.
 */
const giveRoomBack = async (sql: Sql): Promise<void> => {
  await sql.exec('VACUUM')
  const [row] = await sql.query<{ bloated: boolean }>(
    `SELECT pg_total_relation_size(oid) > greatest($1::float8, reltuples * $2::float8) AS bloated
     FROM pg_class WHERE oid = 'activity'::regclass`,
    [smallFile, mostOfRow],
  )
  if (row?.bloated === true) await sql.exec('VACUUM FULL activity')
}
