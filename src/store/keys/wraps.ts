// All places of the database with texts that the master key, or the key of a project, wraps.
import { StagelyError } from '../../kernel/errors.ts'
import {
  describeWrap,
  prefixOfKey,
  wrapPrefixSql,
  type KeyProvider,
} from '../../secrets/key-provider.ts'
import { dataKeyContext, digestKeyContext } from '../../secrets/project-keys.ts'
import { settingContext } from '../settings.ts'
import type { Store } from '../store.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import { controllerActor } from '../core/actor.ts'

export interface WrappedRow {
  readonly id: string
  readonly project: string
  readonly wrapped: string
  /** Name of the key that is to wrap it; '' for the master key. */
  readonly by: string
}

export interface WrapPlace {
  readonly table: string
  readonly column: string
  /** Column that names a row. */
  readonly id: string
  /** Expression for the project's uid; '' where there is none. */
  readonly project: string
  /** Expression for the name of the project's key; NULL: the master key. */
  readonly by: string
  readonly contextOf: (row: WrappedRow) => string
}

export const wrapPlaces: readonly WrapPlace[] = [
  {
    table: 'data_keys',
    column: 'wrapped',
    id: 'id',
    project: 'project_uid::text',
    by: '(SELECT p.key_provider FROM projects p WHERE p.uid = data_keys.project_uid)',
    contextOf: (row) => dataKeyContext(row.project, row.id),
  },
  {
    table: 'projects',
    column: 'digest_key',
    id: 'uid',
    project: 'uid::text',
    by: 'key_provider',
    contextOf: (row) => digestKeyContext(row.project),
  },
  {
    table: 'settings',
    column: 'sealed',
    id: 'key',
    project: "''",
    by: 'NULL::text',
    contextOf: (row) => settingContext(row.id),
  },
]

/** How many wrapped texts there are by prefix: which keys this database needs. */
export const countWraps = async (q: Queryable): Promise<Map<string, number>> => {
  const each = wrapPlaces.map((p) => `SELECT ${wrapPrefixSql(p.column)} AS prefix FROM ${p.table}`)
  const rows = await q.query<{ prefix: string; n: number }>(
    `SELECT prefix, count(*) AS n FROM (${each.join(' UNION ALL ')}) w GROUP BY prefix ORDER BY prefix`,
  )
  return new Map(rows.map((row) => [row.prefix, row.n]))
}

/** By the name of each key ('' for the master key): the prefix of the texts that it wraps now. */
export type WrapTargets = ReadonlyMap<string, string>

/** Condition of rows that are wrapped by another key than they should be, or another version of it; $1 is targetsText. */
export const wrappedByOtherKey = ({ column, by }: WrapPlace): string =>
  `${wrapPrefixSql(column)} <> ($1::json ->> coalesce(${by}, ''))`

export const targetsText = (targets: WrapTargets): string =>
  JSON.stringify(Object.fromEntries(targets))

/** How many wrapped texts are to be wrapped anew. */
export const countWrappedByOtherKey = async (
  q: Queryable,
  targets: WrapTargets,
): Promise<number> => {
  const each = wrapPlaces.map(
    (place) => `SELECT 1 FROM ${place.table} WHERE ${wrappedByOtherKey(place)}`,
  )
  const [row] = await q.query<{ n: number }>(
    `SELECT count(*) AS n FROM (${each.join(' UNION ALL ')}) w`,
    [targetsText(targets)],
  )
  return row?.n ?? 0
}

const howToGive =
  'start with the right STAGELY_SECRET_KEY (or STAGELY_KEY_PROVIDER and STAGELY_KMS_KEY); where keys were being moved, give the old key too, in STAGELY_SECRET_KEY_PREVIOUS (or STAGELY_KEY_PROVIDER_PREVIOUS and STAGELY_KMS_KEY_PREVIOUS); keys of single projects are in STAGELY_KEY_PROVIDERS_FILE'

/** InternalError that names the keys which are needed and not there. */
export const refuseMissingKeys = (
  what: string,
  prefixes: Iterable<string>,
  provider: KeyProvider,
): void => {
  const missing = [...prefixes].filter((prefix) => !provider.opens(prefix))
  if (missing.length === 0) return
  const needed = [...new Set(missing.map(describeWrap))].join(', ')
  throw new StagelyError(
    'InternalError',
    `${what} needs ${needed}, but the key given is ${provider.name} key ${provider.keyId}: ${howToGive} (nothing was changed)`,
  )
}

/** The key that wraps, as the last start named it. Columns of the first schema: read before migrations. */
const readClaim = async (q: Queryable, lock = ''): Promise<string[]> => {
  const [row] = await q.query<{ provider: string | null; id: string | null }>(
    `SELECT key_provider AS provider, key_provider_key_id AS id FROM counters ${lock}`,
  )
  return row === undefined || row.provider === null || row.id === null
    ? []
    : [prefixOfKey(row.provider, row.id)]
}

/** Before anything is touched, migrations included. */
export const refuseWrongKey = async (sql: Sql, provider: KeyProvider): Promise<void> => {
  const [table] = await sql.query<{ found: boolean }>(
    "SELECT to_regclass('counters') IS NOT NULL AS found",
  )
  if (table?.found !== true) return
  const needed = [...(await readClaim(sql)), ...(await countWraps(sql)).keys()]
  refuseMissingKeys('the database', needed, provider)
}

/**
 * The first to start names its key; of two that start at once on an empty database with different
 * keys one is refused. Later starts name the key that they wrap with, once they can open the rest.
 */
export const claimKey = (store: Store, provider: KeyProvider): Promise<void> => {
  const { name, keyId } = provider
  return store.writeWithSession(controllerActor, async (session) => {
    const { tx, nowMs } = session
    const claim = await readClaim(tx, 'FOR UPDATE')
    if (claim[0] === prefixOfKey(name, keyId)) {
      await tx.query('UPDATE counters SET key_since = $1 WHERE key_since IS NULL', [nowMs])
      return
    }
    refuseMissingKeys('the database', claim, provider)
    await tx.query(
      'UPDATE counters SET key_provider = $1, key_provider_key_id = $2, key_since = $3, key_warned_at = NULL',
      [name, keyId, nowMs],
    )
    const ref = { kind: 'Keys', namespace: '', name: 'master' }
    session.audit(ref, { action: 'use master key', detail: { provider: name, key: keyId } })
  })
}
