// Reads of the audit log. The texts of the statements are static: an unused filter is NULL.
import type { AuditRecord, ExportLine } from '../../audit/lines.ts'
import type { Queryable } from '../drivers/sql.ts'
import { auditColumns, toChained, toHidden, toRecord, type AuditColumns } from './rows.ts'

/** Filter of a reader. `teams` are the teams that the reader may see; undefined: all. */
export interface AuditFilter {
  readonly teams: readonly string[] | undefined
  /** Name or id. */
  readonly by?: string | undefined
  readonly action?: string | undefined
  readonly kind?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly result?: 'success' | 'denied' | undefined
  readonly requestId?: string | undefined
  /** RFC 3339; `from` is included, `to` is not. */
  readonly since?: string | undefined
  readonly until?: string | undefined
}

export interface AuditPage {
  readonly records: AuditRecord[]
  /** Start of the next page; undefined after the last one. */
  readonly next: number | undefined
}

/**
 * Rows of teams, since each team was made: another team may have had its name before. A Namespace belongs to the team of
 * its own name.
 */
const ofTeams = (teams: string): string => `EXISTS (
  SELECT 1 FROM objects o WHERE o.kind = 'Namespace' AND o.namespace = '' AND o.name = ANY (${teams})
    AND o.name = CASE WHEN audit.kind = 'Namespace' THEN audit.name ELSE audit.namespace END
    AND audit.at >= (o.body #>> '{metadata,creationTimestamp}')::timestamptz)`

const visible = `($1::text[] IS NULL OR ${ofTeams('$1')})`
const matches = `${visible}
  AND ($2::text IS NULL OR actor = $2 OR actor_id = $2)
  AND ($3::text IS NULL OR action = $3)
  AND ($4::text IS NULL OR kind = $4)
  AND ($5::text IS NULL OR namespace = $5)
  AND ($6::text IS NULL OR name = $6)
  AND ($7::text IS NULL OR result = $7)
  AND ($8::text IS NULL OR request_id = $8)
  AND ($9::timestamptz IS NULL OR at >= $9)
  AND ($10::timestamptz IS NULL OR at < $10)`

const paramsOf = (f: AuditFilter): unknown[] => [
  f.teams ?? null,
  f.by ?? null,
  f.action ?? null,
  f.kind ?? null,
  f.namespace ?? null,
  f.name ?? null,
  f.result ?? null,
  f.requestId ?? null,
  f.since ?? null,
  f.until ?? null,
]

/** Newest first. `before` is `next` of the former page. */
export const listAudit = async (
  q: Queryable,
  filter: AuditFilter,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<AuditPage> => {
  const rows = await q.query<AuditColumns>(
    `SELECT ${auditColumns} FROM audit WHERE ${matches} AND ($11::bigint IS NULL OR id < $11)
     ORDER BY id DESC LIMIT $12`,
    [...paramsOf(filter), before ?? null, limit + 1],
  )
  const page = rows.slice(0, limit)
  return { records: page.map(toRecord), next: rows.length > limit ? page.at(-1)?.id : undefined }
}

/** Rows after `after` up to `upTo`, in order. Rows that `filter` leaves out are hidden. */
export const exportRows = async (
  q: Queryable,
  filter: AuditFilter,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<ExportLine[]> => {
  const rows = await q.query<AuditColumns & { shown: boolean }>(
    `SELECT ${auditColumns}, (${matches}) AS shown FROM audit
     WHERE seq > $11 AND seq <= $12 ORDER BY seq LIMIT $13`,
    [...paramsOf(filter), after, upTo, limit],
  )
  return rows.map((row) => (row.shown ? toChained(row) : toHidden(row)))
}

/** A secret that a person has read. */
export interface Revealed {
  /** Uid of the secret, which may be deleted. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly project: string
  readonly key: string
  readonly scope: string
  /** The newest version that the person has read. */
  readonly version: number
  readonly reads: number
  readonly lastReadAt: string
  /** Undefined for a deleted secret. */
  readonly currentVersion: number | undefined
  /** True where the person knows the current value. */
  readonly knowsCurrent: boolean
}

interface RevealedRow extends Omit<Revealed, 'currentVersion' | 'knowsCurrent'> {
  currentVersion: number | null
  knowsCurrent: boolean | null
}

// An older version counts as known when its value is the current one again.
const revealedSql = `
WITH reads AS (
  SELECT namespace, name, at, detail ->> 'uid' AS uid, detail ->> 'project' AS project,
    detail ->> 'key' AS key, detail ->> 'scope' AS scope, (detail ->> 'version')::int AS version
  FROM audit
  WHERE action = 'reveal' AND result = 'success' AND (actor = $1 OR actor_id = $1)
    AND ($2::text[] IS NULL OR ${ofTeams('$2')})
)
SELECT r.uid, r.namespace, r.name, r.project, r.key, r.scope, max(r.version) AS version,
  count(*) AS reads,
  to_char(max(r.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "lastReadAt",
  h.version AS "currentVersion",
  bool_or(h.version = r.version OR h.value_digest = v.value_digest) AS "knowsCurrent"
FROM reads r
LEFT JOIN secret_versions h ON h.secret_uid = r.uid::uuid AND h.to_revision IS NULL
LEFT JOIN secret_versions v ON v.secret_uid = r.uid::uuid AND v.version = r.version
GROUP BY r.namespace, r.name, r.project, r.key, r.scope, r.uid, h.version`

/** All secrets whose values `by` (name or id) has read, in no order. */
export const listRevealed = async (
  q: Queryable,
  by: string,
  teams: readonly string[] | undefined,
): Promise<Revealed[]> => {
  const rows = await q.query<RevealedRow>(revealedSql, [by, teams ?? null])
  return rows.map((row) => ({
    ...row,
    currentVersion: row.currentVersion ?? undefined,
    knowsCurrent: row.knowsCurrent === true,
  }))
}

interface ReaderOfSecret {
  readonly uid: string
  readonly by: string
  readonly at: string
  readonly version: number
}

/** Who has read these secrets, each person once with the last time, newest first. */
export const readersOfSecrets = (
  q: Queryable,
  uids: readonly string[],
): Promise<ReaderOfSecret[]> =>
  q.query<ReaderOfSecret & Record<string, unknown>>(
    `SELECT detail ->> 'uid' AS uid, actor AS by, max((detail ->> 'version')::int) AS version,
       to_char(max(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
     FROM audit WHERE action = 'reveal' AND result = 'success' AND source = 'api' AND detail ->> 'uid' = ANY ($1)
     GROUP BY 1, 2 ORDER BY max(at) DESC`,
    [uids],
  )
