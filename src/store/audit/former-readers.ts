// Finds current values that people have read who may not read them any more.
import { erasedPrefix } from '../../audit/erasure.ts'
import { rolesWith } from '../../access/roles.ts'
import type { Queryable } from '../drivers/sql.ts'
import { breakGlassName } from '../../access/break-glass.ts'

/** People who may read values, sorted: `ID/TEAM`, or `ID/` for all teams. */
export type Readers = readonly string[]

/** Numbers of people, by the uid of a secret whose current value they have read. */
export type FormerReaderCounts = ReadonlyMap<string, number>

// The admin for emergencies may read values while one of their tokens is valid.
const readersSql = `
SELECT u.id || '/' AS reader FROM users u
WHERE u.disabled_at IS NULL AND u.admin AND (u.name <> $2
  OR EXISTS (SELECT 1 FROM tokens t WHERE t.user_id = u.id AND (t.expires_at IS NULL OR t.expires_at > $3)))
UNION
SELECT m.user_id || '/' || o.name FROM team_members m
JOIN users u ON u.id = m.user_id AND u.disabled_at IS NULL
JOIN objects o ON o.uid = m.team_id
WHERE m.role = ANY ($1)
ORDER BY 1`

export const listReaders = async (q: Queryable, nowMs: number): Promise<Readers> => {
  const roles = rolesWith('get', 'stagelysecrets/value')
  const rows = await q.query<{ reader: string }>(readersSql, [roles, breakGlassName, nowMs])
  return rows.map(({ reader }) => reader)
}

// Machines and the controller are no persons. An erased person has a pseudonym and no id.
const knownSql = `
WITH reads AS (
  SELECT DISTINCT (detail ->> 'uid')::uuid AS uid, (detail ->> 'version')::int AS version,
    coalesce(actor_id, actor) AS person,
    coalesce(actor_id || '/' = ANY ($1) OR actor_id || '/' || namespace = ANY ($1), false) AS may
  FROM audit
  WHERE action = 'reveal' AND result = 'success' AND source = 'api'
    AND (starts_with(actor, $2) OR (actor_id IS NOT NULL AND strpos(actor, ':') = 0))
)
SELECT r.uid, (count(DISTINCT r.person) FILTER (WHERE NOT r.may))::int AS people
FROM reads r
JOIN secret_versions h ON h.secret_uid = r.uid AND h.to_revision IS NULL
LEFT JOIN secret_versions v ON v.secret_uid = r.uid AND v.version = r.version
WHERE h.version = r.version OR h.value_digest = v.value_digest
GROUP BY r.uid`

export const countFormerReaders = async (
  q: Queryable,
  readers: Readers,
): Promise<FormerReaderCounts> => {
  const rows = await q.query<{ uid: string; people: number }>(knownSql, [readers, erasedPrefix])
  return new Map(rows.map(({ uid, people }) => [uid, people]))
}
