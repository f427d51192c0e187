// What the audit log says of who may read values of a team: policies, requests, members, tokens, projects and admins.
import type { AuditRecord } from '../../audit/record.ts'
import type { Queryable } from '../drivers/sql.ts'
import { auditColumns, toRecord, type AuditColumns } from './rows.ts'

/** The values that were read by one request. */
export interface RequestReads {
  /** Name of the AccessRequest. */
  readonly request: string
  readonly firstAt: string
  readonly lastAt: string
  /** Of the rows, in order. */
  readonly seqs: readonly number[]
}

export interface AccessFacts {
  /** In order. */
  readonly rows: readonly AuditRecord[]
  readonly reads: readonly RequestReads[]
  /** The oldest row of the audit log. */
  readonly auditSince: string | undefined
}

// Another team may have had the name before.
const ofTeam = `namespace = $1 AND at >= $2::timestamptz`

const rowsSql = `
SELECT ${auditColumns} FROM audit
WHERE result = 'success' AND (
  (${ofTeam} AND (kind IN ('AccessPolicy', 'AccessRequest', 'Member', 'Token')
    OR (kind = 'Project' AND (action IN ('create', 'delete') OR detail -> 'protected' IS NOT NULL))))
  OR (namespace = '' AND kind = 'User' AND action IN ('create user', 'update user', 'delete user', 'break glass')))
ORDER BY seq`

const text = (time: string): string =>
  `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`

const readsSql = `
SELECT detail ->> 'request' AS request, ${text('min(at)')} AS "firstAt", ${text('max(at)')} AS "lastAt",
  json_agg(seq ORDER BY seq)::text AS seqs
FROM audit WHERE ${ofTeam} AND action = 'reveal' AND result = 'success' AND detail ->> 'request' IS NOT NULL
GROUP BY 1`

export const readAccessFacts = async (
  q: Queryable,
  { team, since }: { readonly team: string; readonly since: string },
): Promise<AccessFacts> => {
  const rows = await q.query<AuditColumns>(rowsSql, [team, since])
  const reads = await q.query<Omit<RequestReads, 'seqs'> & { seqs: string }>(readsSql, [
    team,
    since,
  ])
  const [oldest] = await q.query<{ at: string }>(
    `SELECT ${text('at')} AS at FROM audit ORDER BY seq LIMIT 1`,
  )
  return {
    rows: rows.map(toRecord),
    reads: reads.map(({ seqs, ...read }) => ({ ...read, seqs: JSON.parse(seqs) as number[] })),
    auditSince: oldest?.at,
  }
}
