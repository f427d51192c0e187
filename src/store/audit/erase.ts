// Erases a person from the audit log: a pseudonym takes the place of name, id and address, and the
// salts go, without which the digests in the chain say nothing. No hash changes.
import { randomUUID } from 'node:crypto'
import { sha256 } from '../../audit/chain.ts'
import { eraseAction, ErasedRows, erasedPrefix, type ErasureDetail } from '../../audit/erasure.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { eraseInActivity } from '../activity/erase.ts'
import type { WriteSession } from '../session.ts'
import type { SqlStore } from '../sql-store.ts'
import type { Queryable } from '../sql.ts'
import { term } from '../state/rows.ts'
import type { Actor } from '../store.ts'

export interface Erasure {
  /** What stands in the person's place. */
  readonly pseudonym: string
  readonly rows: number
  /** Rows whose detail has the name still: they are not changed, since the chain covers them. */
  readonly mentions: number
}

// The controller and its agents are no persons, and a folder of manifests is not either.
const theirs = `source = 'api' AND (actor = ANY($1) OR actor_id = ANY($2))`
const about = `kind IN ('User', 'Member') AND name = ANY($1)`

interface Known {
  readonly names: readonly string[]
  readonly ids: readonly string[]
}

/** Every name and id under which the log knows the person. */
const knownAs = async (q: Queryable, person: string): Promise<Known> => {
  const ids = await q.query<{ id: string }>(
    `SELECT DISTINCT actor_id AS id FROM audit
     WHERE source = 'api' AND actor_id IS NOT NULL AND (actor = $1 OR actor_id = $1)`,
    [person],
  )
  const known = ids.map((row) => row.id)
  const names = await q.query<{ name: string }>(
    `SELECT DISTINCT actor AS name FROM audit WHERE source = 'api' AND actor_id = ANY($1)`,
    [known],
  )
  return { names: [...new Set([person, ...names.map((row) => row.name)])], ids: known }
}

/** Columns beside the audit log that say who did something. */
const columnsOfNames = [
  ['secret_versions', 'created_by'],
  ['secret_versions', 'ended_by'],
  ['deleted_secrets', 'deleted_by'],
  ['key_rotations', 'started_by'],
  ['tokens', 'created_by'],
] as const

/** SQL: the object in `column`, last changed by $2 where it was by one of $1. */
const renamed = (column: string): string =>
  `CASE WHEN ${column} #>> '{status,updatedBy}' = ANY($1)
     THEN jsonb_set(${column}::jsonb, '{status,updatedBy}', to_jsonb($2::text))::json ELSE ${column} END`

/** Who wrote a version, who last changed a secret and the like: none of it is in the chain. */
const eraseElsewhere = async (
  session: WriteSession,
  { names, ids }: Known,
  pseudonym: string,
): Promise<void> => {
  for (const [table, column] of columnsOfNames)
    await session.tx.query(`UPDATE ${table} SET ${column} = $2 WHERE ${column} = ANY($1)`, [
      names,
      pseudonym,
    ])
  await session.tx.query(
    `UPDATE deleted_secrets SET body = ${renamed('body')}
     WHERE body #>> '{status,updatedBy}' = ANY($1)`,
    [names, pseudonym],
  )
  // A watcher is told of these changes again, but not by whom they were.
  await session.tx.query(
    `UPDATE changes SET body = ${renamed('body')}, previous = ${renamed('previous')}
     WHERE kind = 'StagelySecret'
       AND (body #>> '{status,updatedBy}' = ANY($1) OR previous #>> '{status,updatedBy}' = ANY($1))`,
    [names, pseudonym],
  )
  await eraseInActivity(session.tx, names, pseudonym)
  // Answers that wait for a repeat: one that comes now finds what the first has made.
  await session.tx.query(
    `DELETE FROM idempotency_keys k WHERE principal = ANY($2)
       OR EXISTS (SELECT 1 FROM unnest($1::text[]) AS n (name) WHERE strpos(k.answer::text, to_json(n.name)::text) > 0)`,
    [names, ids],
  )
}

/** Who last changed a secret, as its status says. */
const eraseInStatus = (session: WriteSession, { names }: Known, pseudonym: string): void => {
  const rows = session.view.objects
    .withTerm(term.kind('StagelySecret'))
    .filter(({ object }) =>
      names.includes((object.status?.['updatedBy'] as string | undefined) ?? ''),
    )
  for (const row of rows) {
    const status = { ...row.object.status, updatedBy: pseudonym }
    session.put({ ...row.object, status }, row.source, row)
  }
}

/**
 * `session` holds the chain. NotFound where no row names the person.
 */
const eraseRows = async (
  session: WriteSession,
  { names, ids, person }: Known & { person: string },
  pseudonym: string,
): Promise<Erasure> => {
  const rows = await session.tx.query<{ seq: number; acted: boolean; named: boolean }>(
    `SELECT seq, (${theirs}) AS acted, (${about}) AS named FROM audit
     WHERE (${theirs}) OR (${about}) ORDER BY seq`,
    [names, ids],
  )
  if (rows.length === 0) {
    throw new StagelyError('NotFound', `the audit log names nobody ${JSON.stringify(person)}`)
  }
  const erased = new ErasedRows()
  for (const { seq, acted, named } of rows) {
    if (acted) erased.add(seq)
    if (named) erased.add(seq)
  }
  await session.tx.query(
    `UPDATE audit SET actor = $3, actor_id = NULL, address = NULL, actor_salt = NULL WHERE ${theirs}`,
    [names, ids, pseudonym],
  )
  await session.tx.query(`UPDATE audit SET name = $2, subject_salt = NULL WHERE ${about}`, [
    names,
    pseudonym,
  ])
  await eraseElsewhere(session, { names, ids }, pseudonym)
  const detail: ErasureDetail = {
    person: pseudonym,
    rows: erased.rows,
    digest: sha256(erased.text),
  }
  const ref = { kind: 'AuditChain', namespace: '', name: 'chain' }
  session.audit(ref, { action: eraseAction, detail: { ...detail } })
  const [mentions] = await session.tx.query<{ count: number }>(
    `SELECT count(*) AS count FROM audit a
     WHERE EXISTS (SELECT 1 FROM unnest($1::text[]) AS n (name) WHERE strpos(a.detail::text, n.name) > 0)`,
    [names],
  )
  return { pseudonym, rows: rows.length, mentions: mentions?.count ?? 0 }
}

/**
 * `person` is a name or an id; rows of the same id under other names count too. `locked` holds the chain.
 * First goes what watchers are told of: the log, which has the name then too, is cleaned after it.
 */
export const erasePerson = async (
  { sql, store }: { sql: Queryable; store: SqlStore },
  person: string,
  {
    actor,
    dryRun,
    locked,
  }: { actor: Actor; dryRun: boolean; locked: (tx: Queryable) => Promise<unknown> },
): Promise<Erasure> => {
  const known = { ...(await knownAs(sql, person)), person }
  const pseudonym = `${erasedPrefix}${randomUUID()}`
  const erase = (isDry: boolean): Promise<Erasure> =>
    store.writeWithSession(
      actor,
      async (session) => {
        await locked(session.tx)
        return eraseRows(session, known, pseudonym)
      },
      { dryRun: isDry },
    )
  const found = await erase(true)
  if (dryRun) return found
  await store.writeWithSession(actor, (session) => {
    eraseInStatus(session, known, pseudonym)
    return Promise.resolve()
  })
  return erase(false)
}
