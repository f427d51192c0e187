// Audit rows: from their columns to the form for readers.
import { contentDigest } from '../../audit/chain.ts'
import type { AuditRecord, ChainedRecord, ExportLine } from '../../audit/lines.ts'
import { notNull } from '../../kernel/defined.ts'

/** Columns of a row of `audit`, as `auditColumns` selects them. */
export interface AuditColumns {
  id: number
  seq: number
  at: string
  actor: string
  actor_id: string | null
  address: string | null
  source: string
  action: string
  kind: string
  namespace: string
  name: string
  result: 'success' | 'denied'
  request_id: string | null
  detail: string | null
  actor_salt: string | null
  actor_digest: string
  subject_salt: string | null
  subject_digest: string | null
  hash: string
  signature: string | null
}

export const auditColumns = `id, seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
  actor, actor_id, address, source, action, kind, namespace, name, result, request_id, detail,
  actor_salt, actor_digest, subject_salt, subject_digest, hash, signature`

export const toRecord = (row: AuditColumns): AuditRecord => ({
  seq: row.seq,
  at: row.at,
  actor: {
    name: row.actor,
    ...notNull({ id: row.actor_id, address: row.address }),
    source: row.source,
  },
  action: row.action,
  object: { kind: row.kind, namespace: row.namespace, name: row.name },
  result: row.result,
  ...notNull({ request_id: row.request_id }),
  ...(row.detail !== null && { detail: JSON.parse(row.detail) as Record<string, unknown> }),
})

/** A row with its proof. */
export const toChained = (row: AuditColumns): ChainedRecord => ({
  type: 'row',
  ...toRecord(row),
  actor_commitment: { digest: row.actor_digest, ...notNull({ salt: row.actor_salt }) },
  ...(row.subject_digest !== null && {
    subject_commitment: { digest: row.subject_digest, ...notNull({ salt: row.subject_salt }) },
  }),
  hash: row.hash,
  ...notNull({ signature: row.signature }),
})

/** A row for a reader who may not read it: its place in the chain, and a digest. */
export const toHidden = (row: AuditColumns): ExportLine => ({
  type: 'hidden',
  seq: row.seq,
  digest: contentDigest(toRecord(row), {
    seq: row.seq,
    actor: row.actor_digest,
    subject: row.subject_digest ?? undefined,
  }),
  hash: row.hash,
  ...notNull({ signature: row.signature }),
})
