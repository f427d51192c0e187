// Migrations: `NNNN-name.sql` files, applied in order, once, all in one transaction.
import { readFileSync, readdirSync } from 'node:fs'
import { StagelyError } from '../../kernel/errors.ts'
import { linkRows } from '../audit/link-rows.ts'
import type { Queryable, Sql } from './sql.ts'

/** Beside this file in `src` and, copied by the build, in `dist`. */
const folder = new URL('./migrations/', import.meta.url)

/** Before this migration, audit rows without a place in the chain get theirs. */
const chainedAsWritten = '0042-chained-as-written.sql'

/** Any number that nobody else locks in this database. */
const lockId = 7_823_401

interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
}

const readMigrations = (): Migration[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      version: Number.parseInt(name, 10),
      name,
      sql: readFileSync(new URL(name, folder), 'utf8'),
    }))

/**
 * Brings the schema up to date; returns the names of what was applied. Safe when several
 * controllers start at once: they wait for each other. A database that is newer than this program
 * is refused untouched.
 */
export const migrate = (sql: Sql): Promise<string[]> => sql.transaction((tx) => migrateIn(tx))

/** Whoever changes the schema waits here for others that do, until the transaction ends. */
export const lockSchema = async (tx: Queryable): Promise<void> => {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [lockId])
}

/** Names of the migrations that this program knows. */
export const knownMigrations = (): string[] => readMigrations().map((m) => m.name)

/** The same within a transaction; with `only`, just these migrations. */
export const migrateIn = async (tx: Queryable, only?: ReadonlySet<string>): Promise<string[]> => {
  const migrations = readMigrations()
  await lockSchema(tx)
  await tx.exec(
    'CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  )
  const rows = await tx.query<{ version: number }>('SELECT version FROM schema_migrations')
  const applied = new Set(rows.map((row) => row.version))
  const newest = Math.max(0, ...migrations.map((m) => m.version))
  const unknown = [...applied].find((version) => version > newest)
  if (unknown !== undefined) {
    throw new StagelyError(
      'InternalError',
      `the database has schema version ${unknown}, this program knows ${newest}; run the newer program`,
    )
  }
  const due = migrations.filter(
    (m) => !applied.has(m.version) && (only === undefined || only.has(m.name)),
  )
  // The counter row is locked first, as by commits of older controllers: in another order the two could wait for each other.
  if (due.length > 0 && applied.size > 0)
    await tx.exec('LOCK TABLE counters IN ACCESS EXCLUSIVE MODE')
  for (const { version, name, sql: text } of due) {
    if (name === chainedAsWritten) await linkRows(tx)
    await tx.exec(text)
    await tx.query('INSERT INTO schema_migrations (version, name) VALUES ($1, $2)', [version, name])
  }
  return due.map((m) => m.name)
}
