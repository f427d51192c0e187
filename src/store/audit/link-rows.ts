// Gives rows their place in the chain that an older program has left without one. It wrote rows without a place and linked
// them within a second. This runs with the migrations; the next signature proves the rows.
import { linkAfter, type Link } from '../../audit/chain.ts'
import type { Queryable } from '../drivers/sql.ts'
import { readChain } from './chain-row.ts'
import { auditColumns, toRecord, type AuditColumns } from './rows.ts'

/** Rows of one statement. */
const groupSize = 1_000

const storeSql = `
UPDATE audit a SET seq = l.seq, actor_salt = l.actor_salt, actor_digest = l.actor_digest,
  subject_salt = l.subject_salt, subject_digest = l.subject_digest, hash = l.hash
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS l (id, seq, actor_salt, actor_digest, subject_salt, subject_digest, hash)
WHERE a.id = l.id`

export const linkRows = async (tx: Queryable): Promise<void> => {
  let last: Pick<Link, 'seq' | 'hash'> = (await readChain(tx, 'FOR UPDATE')).head
  for (;;) {
    const rows = await tx.query<AuditColumns>(
      `SELECT ${auditColumns} FROM audit WHERE seq IS NULL ORDER BY id LIMIT ${groupSize}`,
      [],
    )
    if (rows.length === 0) return
    const links = rows.map((row) => {
      const link = linkAfter(last, toRecord(row))
      last = link
      return link
    })
    await tx.query(storeSql, [
      rows.map(({ id }) => id),
      links.map((l) => l.seq),
      links.map((l) => l.actorSalt),
      links.map((l) => l.actorDigest),
      links.map((l) => l.subjectSalt ?? null),
      links.map((l) => l.subjectDigest ?? null),
      links.map((l) => l.hash),
    ])
  }
}
