// Ages of keys.
import { isReason } from '../../kernel/errors.ts'
import type { KeysInUse } from '../../kinds/project/key-rotation.ts'
import { describeWrap } from '../../secrets/key-provider.ts'
import type { WriteSession } from '../core/write-session.ts'
import { sealingKeyPrefix } from '../settings.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { KeyStoreDeps } from './key-store-deps.ts'
import { wrapTargets } from './project-key-use.ts'
import type { WrapTargets } from './wraps.ts'
import { controllerActor } from '../core/actor.ts'

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

/** Stores since when each key wraps. A key with a new prefix is new. Returns the names of new keys. */
export const noteWrapping = async (
  session: WriteSession,
  targets: WrapTargets,
): Promise<string[]> => {
  const { tx, nowMs } = session
  const keys = await tx.query<{ name: string; renewed: boolean }>(noteSql, [
    [...targets.keys()],
    [...targets.values()],
    nowMs,
  ])
  for (const { name, renewed } of keys) {
    // The first start reports the first master key.
    if (name === '' && !renewed) continue
    const ref = { kind: 'Keys', namespace: '', name: name === '' ? 'master' : name }
    session.audit(ref, {
      action: 'use key',
      detail: { key: describeWrap(targets.get(name) ?? '') },
    })
  }
  const renewed = keys.flatMap((key) => (key.renewed ? [key.name] : []))
  if (renewed.includes(''))
    await tx.query('UPDATE counters SET key_since = $1, key_warned_at = NULL', [nowMs])
  return renewed
}

/** Prefixes of the keys that answer; none where the master key does not answer. */
const answering = async ({ sql, keyRing }: KeyStoreDeps): Promise<WrapTargets> => {
  try {
    return (await wrapTargets(sql, keyRing)).targets
  } catch (error) {
    if (isReason(error, 'ServiceUnavailable')) return new Map()
    throw error
  }
}

/** A service may have made a new version of a key. */
const noteVersions = async (deps: KeyStoreDeps): Promise<void> => {
  const targets = await answering(deps)
  const noted = await deps.sql.query<{ name: string; prefix: string }>(
    'SELECT name, prefix FROM wrapping_keys',
  )
  const prefixes = new Map(noted.map(({ name, prefix }) => [name, prefix]))
  if ([...targets].every(([name, prefix]) => prefixes.get(name) === prefix)) return
  await deps.store.writeWithSession(controllerActor, (session) => noteWrapping(session, targets))
}

/** The keys of one project. */
export interface ProjectKeysFact extends KeysInUse {
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

export interface KeyFacts {
  readonly ages: KeyAges
  readonly projects: readonly ProjectKeysFact[]
}

const projectsSql = `
SELECT p.uid, p.namespace, p.name, p.key_provider AS by, k.created_at AS since
FROM projects p JOIN data_keys k ON k.project_uid = p.uid AND k.retired_at IS NULL`

/** Asks the services for new versions of keys before. */
export const readKeyFacts = async (deps: KeyStoreDeps): Promise<KeyFacts> => {
  await noteVersions(deps)
  const ages = await readAges(deps.sql)
  const rows = await deps.sql.query<{
    uid: string
    namespace: string
    name: string
    by: string | null
    since: number
  }>(projectsSql)
  const projects = rows.map(({ uid, namespace, name, by, since }) => ({
    uid,
    namespace,
    name,
    dataKeySince: since,
    wrappedBy: by ?? undefined,
    wrappedSince: by === null ? ages.masterSince : ages.named.get(by),
  }))
  return { ages, projects }
}
