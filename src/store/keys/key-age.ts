// How old keys are, and telling once of each one that is due for rotation: in the log, and of a data
// key as an event of its project.
import { isReason } from '../../kernel/errors.ts'
import type { WriteSession } from '../session.ts'
import { sealingKeyPrefix } from '../settings.ts'
import type { Queryable } from '../sql.ts'
import type { Transaction } from '../store.ts'
import type { KeyStoreDeps } from './key-store.ts'
import { wrapTargets } from './project-key-use.ts'
import type { WrapTargets } from './wraps.ts'

const dayMs = 86_400_000
const atOnce = 100

/** When keys in use were made, or began to wrap (ms); undefined where that is not known. */
export interface KeyAges {
  readonly masterSince: number | undefined
  readonly oldestDataKey: number | undefined
  readonly dataKeys: number
  /** Of the key that seals values for manifests now. */
  readonly sealingSince: number | undefined
  /** Of each key that a project names. */
  readonly named: ReadonlyMap<string, number>
}

const agesSql = `
SELECT c.key_since AS since, min(k.created_at) AS oldest, count(k.id) AS n,
  (SELECT max(created_at) FROM settings WHERE starts_with(key, $1)) AS sealing
FROM counters c LEFT JOIN data_keys k ON k.retired_at IS NULL GROUP BY c.key_since`

const isNamed = 'EXISTS (SELECT 1 FROM projects p WHERE p.key_provider = w.name)'

export const readAges = async (q: Queryable): Promise<KeyAges> => {
  const [row] = await q.query<{
    since: number | null
    oldest: number | null
    n: number
    sealing: number | null
  }>(agesSql, [sealingKeyPrefix])
  const named = await q.query<{ name: string; since: number }>(
    `SELECT name, since FROM wrapping_keys w WHERE ${isNamed} ORDER BY name`,
  )
  return {
    masterSince: row?.since ?? undefined,
    oldestDataKey: row?.oldest ?? undefined,
    dataKeys: row?.n ?? 0,
    sealingSince: row?.sealing ?? undefined,
    named: new Map(named.map(({ name, since }) => [name, since])),
  }
}

const noteSql = `
INSERT INTO wrapping_keys AS w (name, prefix, since) SELECT n.*, $3 FROM unnest($1::text[], $2::text[]) AS n
ON CONFLICT (name) DO UPDATE SET prefix = excluded.prefix, since = excluded.since, warned_at = NULL
  WHERE w.prefix <> excluded.prefix
RETURNING name, xmax <> 0 AS renewed`

/** Keeps since when each key wraps; one that has another prefix than before is new. */
export const noteWrapping = async (
  { tx, nowMs }: WriteSession,
  targets: WrapTargets,
): Promise<void> => {
  const noted = await tx.query<{ name: string; renewed: boolean }>(noteSql, [
    [...targets.keys()],
    [...targets.values()],
    nowMs,
  ])
  if (noted.some(({ name, renewed }) => name === '' && renewed))
    await tx.query('UPDATE counters SET key_since = $1, key_warned_at = NULL', [nowMs])
}

/** Of the keys that answer; none where the master key does not. */
const answering = async ({ sql, keyRing }: KeyStoreDeps): Promise<WrapTargets> => {
  try {
    return (await wrapTargets(sql, keyRing)).targets
  } catch (error) {
    if (isReason(error, 'ServiceUnavailable')) return new Map()
    throw error
  }
}

const reason = 'KeyRotationDue'

interface Due {
  readonly session: WriteSession
  readonly log: KeyStoreDeps['log']
  /** Keys from before are due. */
  readonly before: number
  readonly days: number
}

const warnOfDataKeys = async (
  { session, log, before, days }: Due,
  tx: Transaction,
): Promise<void> => {
  const rows = await session.tx.query<{ namespace: string; name: string }>(
    `UPDATE data_keys k SET warned_at = $2 FROM projects p WHERE p.uid = k.project_uid AND k.id IN (
       SELECT id FROM data_keys WHERE retired_at IS NULL AND warned_at IS NULL AND created_at < $1 LIMIT ${atOnce}
     ) RETURNING p.namespace, p.name`,
    [before, session.nowMs],
  )
  for (const { namespace, name } of rows) {
    const project = await tx.get({ kind: 'Project', namespace, name })
    if (project === undefined) continue
    const message = `the data key is older than ${days} days: stagely keys rotate --project ${name} -n ${namespace}`
    await tx.recordEvent({ regarding: project, type: 'Warning', reason, message })
    log.warn({ reason, namespace, project: name, days }, 'a data key is due for rotation')
  }
}

const warnOfOthers = async ({ session, log, before, days }: Due): Promise<void> => {
  const at = [before, session.nowMs]
  const master = await session.tx.query(
    'UPDATE counters SET key_warned_at = $2 WHERE key_since < $1 AND key_warned_at IS NULL RETURNING key_since',
    at,
  )
  if (master.length > 0)
    log.warn({ reason, days }, 'the master key is due for rotation: see docs/operations.md')
  const named = await session.tx.query<{ name: string }>(
    `UPDATE wrapping_keys w SET warned_at = $2
     WHERE since < $1 AND warned_at IS NULL AND ${isNamed} RETURNING name`,
    at,
  )
  for (const { name } of named)
    log.warn(
      { reason, key: name, days },
      'a key that projects name is due for rotation: see docs/operations.md',
    )
  const sealing = await session.tx.query(
    `UPDATE settings SET warned_at = $2 WHERE warned_at IS NULL AND key = (
       SELECT key FROM settings WHERE starts_with(key, $3) ORDER BY created_at DESC, length(key) DESC, key DESC LIMIT 1
     ) AND created_at < $1 RETURNING key`,
    [...at, sealingKeyPrefix],
  )
  if (sealing.length > 0)
    log.warn({ reason, days }, 'the sealing key is due for rotation: stagely keys rotate --sealing')
}

export const warnOfOldKeys = async (deps: KeyStoreDeps): Promise<void> => {
  const { store, clock, log, rotationMs } = deps
  const before = clock.now() - rotationMs
  const days = Math.round(rotationMs / dayMs)
  const targets = await answering(deps)
  await store.writeWithSession({ name: 'controller', source: 'system' }, async (session, tx) => {
    await noteWrapping(session, targets)
    await warnOfDataKeys({ session, log, before, days }, tx)
    await warnOfOthers({ session, log, before, days })
  })
}
