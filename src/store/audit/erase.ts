// Erases a person from the audit log: a pseudonym replaces name, id and address. The salts are removed, without which the
// digests in the chain tell nothing. No hash changes.
import { randomUUID } from 'node:crypto'
import { sha256 } from '../../audit/chain.ts'
import { eraseAction, ErasedRows, erasedPrefix, type ErasureDetail } from '../../audit/erasure.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { eraseInActivity } from '../activity/erase.ts'
import { eraseInRequests, eraseRequestChanges } from './erase-requests.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Store } from '../store.ts'
import type { Queryable } from '../drivers/sql.ts'
import { term } from '../state/rows.ts'
import type { Actor } from '../core/actor.ts'

export interface Erasure {
  /** The pseudonym. */
  readonly pseudonym: string
  readonly rows: number
  /** Rows whose detail still has the name: the chain covers the detail, so that it cannot be changed. */
  readonly mentions: number
}

// The controller, its agents and folders of manifests are no persons.
const theirs = `source = 'api' AND (actor = ANY($1) OR actor_id = ANY($2))`
const about = `kind IN ('User', 'Member') AND name = ANY($1)`

interface PersonNames {
  readonly names: readonly string[]
  readonly ids: readonly string[]
}

/** All names and ids of the person in the log. */
const knownAs = async (q: Queryable, person: string): Promise<PersonNames> => {
  const ids = await q.query<{ id: string }>(
    `SELECT DISTINCT actor_id AS id FROM audit
     WHERE source = 'api' AND actor_id IS NOT NULL AND (actor = $1 OR actor_id = $1)`,
    [person],
  )
  const actorIds = ids.map((row) => row.id)
  const names = await q.query<{ name: string }>(
    `SELECT DISTINCT actor AS name FROM audit WHERE source = 'api' AND actor_id = ANY($1)`,
    [actorIds],
  )
  return { names: [...new Set([person, ...names.map((row) => row.name)])], ids: actorIds }
}

/** Columns of other tables that name an actor. */
const columnsOfNames = [
  ['secret_versions', 'created_by'],
  ['secret_versions', 'ended_by'],
  ['deleted_secrets', 'deleted_by'],
  ['key_rotations', 'started_by'],
  ['tokens', 'created_by'],
] as const

/** SQL: the object in `column`, with $2 in place of each name of $1 that changed it last. */
const renamed = (column: string): string =>
  `CASE WHEN ${column} #>> '{status,updatedBy}' = ANY($1)
     THEN jsonb_set(${column}::jsonb, '{status,updatedBy}', to_jsonb($2::text))::json ELSE ${column} END`

/** Authors of versions and the like, which the chain does not cover. */
const eraseOutsideChain = async (
  session: WriteSession,
  { names, ids }: PersonNames,
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
  // Watchers may read these changes again, without the name.
  await session.tx.query(
    `UPDATE changes SET body = ${renamed('body')}, previous = ${renamed('previous')}
     WHERE kind = 'StagelySecret'
       AND (body #>> '{status,updatedBy}' = ANY($1) OR previous #>> '{status,updatedBy}' = ANY($1))`,
    [names, pseudonym],
  )
  await eraseRequestChanges(session.tx, session)
  await eraseInActivity(session.tx, names, pseudonym)
  // Kept answers may hold the name. A repeated request finds the object that the first one has made.
  await session.tx.query(
    `DELETE FROM idempotency_keys k WHERE principal = ANY($2)
       OR EXISTS (SELECT 1 FROM unnest($1::text[]) AS n (name) WHERE strpos(k.answer::text, to_json(n.name)::text) > 0)`,
    [names, ids],
  )
}

/** The author in the status of secrets. */
const eraseInStatus = (session: WriteSession, { names }: PersonNames, pseudonym: string): void => {
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

/** `session` has locked the chain. NotFound where no row names the person. */
const eraseRows = async (
  session: WriteSession,
  { names, ids, person }: PersonNames & { person: string },
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
  await eraseOutsideChain(session, { names, ids }, pseudonym)
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
 * `person` is a name or an id; rows of the same id with other names count too. `locked` has locked the chain. Objects are
 * changed first: their changes are logged with the name, and the log is cleaned after that.
 */
export const erasePerson = async (
  { sql, store }: { sql: Queryable; store: Store },
  person: string,
  {
    actor,
    dryRun,
    locked,
  }: { actor: Actor; dryRun: boolean; locked: (tx: Queryable) => Promise<unknown> },
): Promise<Erasure> => {
  const personNames = { ...(await knownAs(sql, person)), person }
  const pseudonym = `${erasedPrefix}${randomUUID()}`
  const erase = (isDry: boolean): Promise<Erasure> =>
    store.writeWithSession(
      actor,
      async (session) => {
        await locked(session.tx)
        return eraseRows(session, personNames, pseudonym)
      },
      { dryRun: isDry },
    )
  const found = await erase(true)
  if (dryRun) return found
  await store.writeWithSession(actor, (session) => {
    eraseInStatus(session, personNames, pseudonym)
    eraseInRequests(session, personNames, pseudonym)
    return Promise.resolve()
  })
  return erase(false)
}
