// Rows of exchanged tokens: which of them count, and which go.
import type { Queryable } from '../drivers/sql.ts'

/** SQL: true for a token `t`, unless the TrustedIssuer that gave it is another one now, or is going. */
export const isTrustedSql = `(t.issuer_uid IS NULL OR EXISTS (SELECT 1 FROM objects i WHERE i.uid = t.issuer_uid
  AND (i.body #>> '{metadata,generation}')::bigint = t.issuer_generation
  AND i.body #>> '{metadata,deletionTimestamp}' IS NULL))`

/** An attempt with an ended token is told as such for a while. */
const keepEndedMs = 3_600_000

export const dropEndedExchanges = async (q: Queryable, now: number): Promise<void> => {
  await q.query(
    `DELETE FROM tokens t WHERE t.issuer_uid IS NOT NULL AND (t.expires_at < $1 OR NOT ${isTrustedSql})`,
    [now - keepEndedMs],
  )
  await q.query('DELETE FROM exchanged_identities WHERE expires_at < $1', [now])
}
