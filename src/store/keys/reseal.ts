// Seals values with the new data key that are still sealed with a retired one. AAD and digests stay, so that no reader, agent
// or container notices. It does not use the queue of writes: the row of a version is changed only when it is purged or ends,
// and locked rows are left for later.
import { valueAad } from '../../secrets/aead.ts'
import type { ProjectKeys } from '../../secrets/project-keys.ts'
import { isReason, type StagelyError } from '../../kernel/errors.ts'
import type { Queryable } from '../drivers/sql.ts'
import type { RunningKeyRotation } from '../secrets/key-rotations.ts'
import { sealAnew, type SealedOld } from './reseal-value.ts'

interface OldRow extends SealedOld {
  secret_uid: string
  version: number
  key: string
  scope: string
  type: string
  plain: true | null
}

const rowsAtOnce = 100
const bytesAtOnce = 2_097_152

const left = `
FROM data_keys k JOIN secret_versions v ON v.data_key_id = k.id
WHERE k.retired_at IS NOT NULL AND ($1::uuid IS NULL OR k.project_uid = $1)`

const nextSql = `
WITH found AS (
  SELECT v.secret_uid, v.version, v.project_uid, v.bytes, k.id AS old_id, k.wrapped AS old_wrapped ${left}
    AND NOT (v.secret_uid::text || '/' || v.version) = ANY($2::text[])
    AND NOT k.project_uid::text = ANY($3::text[])
  LIMIT ${rowsAtOnce}
), few AS (
  SELECT *, sum(bytes) OVER (ORDER BY secret_uid, version) - bytes AS before FROM found
)
SELECT v.secret_uid, v.version, v.project_uid, v.key, v.scope, v.type, v.plain, v.sealed, f.old_id, f.old_wrapped,
  n.id AS new_id, n.wrapped AS new_wrapped
FROM few f JOIN secret_versions v USING (secret_uid, version)
JOIN data_keys n ON n.project_uid = f.project_uid AND n.retired_at IS NULL
WHERE f.before < ${bytesAtOnce}`

const moveSql = `
WITH given AS (
  SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::text[])
    AS g (secret_uid, version, old_id, new_id, sealed)
), locked AS (
  SELECT v.secret_uid, v.version FROM secret_versions v JOIN given g USING (secret_uid, version)
  WHERE v.data_key_id = g.old_id FOR UPDATE OF v SKIP LOCKED
), moved AS (
  UPDATE secret_versions v SET sealed = g.sealed, data_key_id = g.new_id
  FROM given g JOIN locked USING (secret_uid, version)
  WHERE v.secret_uid = g.secret_uid AND v.version = g.version RETURNING 1
)
SELECT count(*) AS n FROM moved`

/** How many versions are still sealed under a retired data key. */
export const countSealedOld = async (q: Queryable, projectUid?: string): Promise<number> => {
  const [row] = await q.query<{ n: number }>(`SELECT count(*) AS n ${left}`, [projectUid ?? null])
  return row?.n ?? 0
}

const aadOf = ({ project_uid: projectUid, secret_uid: secretId, ...row }: OldRow): string => {
  const { key, scope, type, version, plain } = row
  return valueAad({ projectUid, secretId, key, scope, type, version, plain: plain ?? undefined })
}

/** Rows that do not open, and projects whose key does not answer, each with its error: the rotation leaves them out. */
export interface PassedOver {
  readonly damaged: Set<string>
  readonly silent: Map<string, StagelyError>
}

/** Seals one batch. Adds to `passed`. Returns how many rows it has sealed, and whether any are left. */
export const resealBatch = async (
  q: Queryable,
  keys: ProjectKeys,
  { projectUid }: RunningKeyRotation,
  { damaged, silent }: PassedOver,
): Promise<{ resealed: number; more: boolean }> => {
  const over = [[...damaged], [...silent.keys()]]
  const rows = await q.query<OldRow>(nextSql, [projectUid ?? null, ...over])
  const ready: { row: OldRow; sealed: string }[] = []
  for (const row of rows) {
    if (silent.has(row.project_uid)) continue
    try {
      ready.push({ row, sealed: await sealAnew(keys, row, aadOf(row)) })
    } catch (error) {
      if (isReason(error, 'ServiceUnavailable')) silent.set(row.project_uid, error)
      else if (isReason(error, 'InternalError')) damaged.add(`${row.secret_uid}/${row.version}`)
      else throw error
    }
  }
  if (ready.length === 0) return { resealed: 0, more: rows.length > 0 }
  const [done] = await q.query<{ n: number }>(moveSql, [
    ready.map(({ row }) => row.secret_uid),
    ready.map(({ row }) => row.version),
    ready.map(({ row }) => row.old_id),
    ready.map(({ row }) => row.new_id),
    ready.map(({ sealed }) => sealed),
  ])
  return { resealed: done?.n ?? 0, more: true }
}
