// Erases a person from the audit log: a pseudonym takes the place of name, id and address, and the
// salts go, without which the digests in the chain say nothing. No hash changes.
import { randomUUID } from 'node:crypto'
import { eraseAction, ErasedRows, erasedPrefix, type ErasureDetail } from '../../audit/erasure.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { WriteSession } from '../session.ts'

export interface Erasure {
  /** What stands in the person's place. */
  readonly pseudonym: string
  readonly rows: number
  /** Rows whose detail has the name still: they are not changed, since the chain covers them. */
  readonly mentions: number
}

// The controller and its agents are no persons, and a folder of manifests is not either.
const theirs = `source = 'api' AND (actor = $1 OR actor_id = $1 OR actor_id = ANY($2))`
const about = `kind = 'User' AND (name = $1 OR name = ANY($2))`

const idsOf = async ({ tx }: WriteSession, person: string): Promise<string[]> => {
  const rows = await tx.query<{ id: string }>(
    `SELECT DISTINCT actor_id AS id FROM audit
     WHERE source = 'api' AND actor = $1 AND actor_id IS NOT NULL`,
    [person],
  )
  return rows.map((row) => row.id)
}

/** Who wrote a version, and who last changed a secret, are not in the chain. */
const eraseElsewhere = async (
  session: WriteSession,
  person: string,
  pseudonym: string,
): Promise<void> => {
  await session.tx.query('UPDATE secret_versions SET created_by = $2 WHERE created_by = $1', [
    person,
    pseudonym,
  ])
  const rows = await session.select(
    `SELECT uid, rv, source, body FROM objects
     WHERE kind = 'StagelySecret' AND body #>> '{status,updatedBy}' = $1`,
    [person],
  )
  for (const row of rows) {
    const status = { ...row.object.status, updatedBy: pseudonym }
    await session.put({ ...row.object, status }, row.source, row)
  }
}

/**
 * `session` holds the chain, and every row of the person is linked. NotFound when there is none.
 * `person` is a name or an id; rows of the same id under other names count too.
 */
export const erasePerson = async (session: WriteSession, person: string): Promise<Erasure> => {
  const ids = await idsOf(session, person)
  const rows = await session.tx.query<{ seq: number; acted: boolean; named: boolean }>(
    `SELECT seq, (${theirs}) AS acted, (${about}) AS named FROM audit
     WHERE (${theirs}) OR (${about}) ORDER BY seq`,
    [person, ids],
  )
  if (rows.length === 0) {
    throw new StagelyError('NotFound', `the audit log names nobody ${JSON.stringify(person)}`)
  }
  const erased = new ErasedRows()
  for (const { seq, acted, named } of rows) {
    if (acted) erased.add(seq)
    if (named) erased.add(seq)
  }
  const pseudonym = `${erasedPrefix}${randomUUID()}`
  await session.tx.query(
    `UPDATE audit SET actor = $3, actor_id = NULL, address = NULL, actor_salt = NULL WHERE ${theirs}`,
    [person, ids, pseudonym],
  )
  await session.tx.query(`UPDATE audit SET name = $3, subject_salt = NULL WHERE ${about}`, [
    person,
    ids,
    pseudonym,
  ])
  await eraseElsewhere(session, person, pseudonym)
  const detail: ErasureDetail = { person: pseudonym, rows: erased.rows, digest: erased.digest() }
  const ref = { kind: 'AuditChain', namespace: '', name: 'chain' }
  await session.audit(ref, { action: eraseAction, detail: { ...detail } })
  const [mentions] = await session.tx.query<{ count: number }>(
    'SELECT count(*) AS count FROM audit WHERE strpos(detail::text, $1) > 0',
    [person],
  )
  return { pseudonym, rows: rows.length, mentions: mentions?.count ?? 0 }
}
