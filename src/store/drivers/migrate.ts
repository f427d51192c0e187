// Migrations: `NNNN-name.sql` files, applied in order, once, all in one transaction. The first is the whole schema of a
// first start.
import { readFileSync, readdirSync } from 'node:fs'
import { StagelyError } from '../../kernel/errors.ts'
import type { Queryable, Sql } from './sql.ts'

/** Beside this file in `src` and, copied by the build, in `dist`. */
const folder = new URL('./migrations/', import.meta.url)

/** The newest migration of the build before the baseline, whose schema the baseline is. */
const lastBeforeBaseline = { version: 64, name: '0064-tip.sql' }
/** The commit of that build. */
const buildBeforeBaseline = 'da7ac8cf'
/** What the schema of that build has beside the baseline: nothing calls it any more. */
const leftBehind =
  'DROP FUNCTION IF EXISTS commit_changes(uuid, bigint, bigint, bigint, bigint, text, json, json, text[])'

/** Any number that nobody else locks in this database. */
const lockId = 7_823_401

interface Noted {
  readonly version: number
  readonly name: string
}

interface Migration extends Noted {
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
 * Brings the schema up to date; returns the names of what the database did not have. Safe when several
 * controllers start at once: they wait for each other. A database that is newer than this program, or older than
 * the build before the baseline, is refused untouched.
 */
export const migrate = (sql: Sql): Promise<string[]> => sql.transaction((tx) => migrateIn(tx))

/** Whoever changes the schema waits here for others that do, until the transaction ends. */
export const lockSchema = async (tx: Queryable): Promise<void> => {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [lockId])
}

/** The remedy where a database or a backup is older than the build before the baseline. */
export const olderThanBaseline = (what: string): string =>
  `${what} is of a build before commit ${buildBeforeBaseline}, which this program cannot upgrade: upgrade to the build of that commit first, then to this one`

/** The migrations of this program that make the schema of a backup; undefined: the backup is too old. */
export const migrationsOf = (schema: readonly string[]): string[] | undefined => {
  const [baseline] = readMigrations()
  if (schema.includes(baseline!.name)) return [...schema]
  if (schema.at(-1) === lastBeforeBaseline.name) return [baseline!.name]
  const isNewer = schema.some((name) => Number.parseInt(name, 10) > baseline!.version)
  return isNewer ? [...schema] : undefined
}

/** Names of the migrations that this program knows. */
export const knownMigrations = (): string[] => readMigrations().map(({ name }) => name)

const refuse = (message: string): StagelyError => new StagelyError('InternalError', message)

const note = (tx: Queryable, { version, name }: Noted): Promise<unknown> =>
  tx.query('INSERT INTO schema_migrations (version, name) VALUES ($1, $2)', [version, name])

/** A database of the build before the baseline has the schema of the baseline: only its notes change. */
const adoptBuildBefore = async (tx: Queryable, baseline: Noted): Promise<void> => {
  await tx.exec(leftBehind)
  await tx.exec('DELETE FROM schema_migrations')
  await note(tx, baseline)
}

/** The same within a transaction; with `only`, just these migrations. */
export const migrateIn = async (tx: Queryable, only?: ReadonlySet<string>): Promise<string[]> => {
  const migrations = readMigrations()
  const baseline = migrations[0]!
  const newest = migrations.at(-1)!.version
  await lockSchema(tx)
  await tx.exec(
    'CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  )
  const rows = await tx.query<{ version: number }>('SELECT version FROM schema_migrations')
  const applied = new Set(rows.map(({ version }) => version))
  const unknown = [...applied].find((version) => version > newest)
  if (unknown !== undefined)
    throw refuse(
      `the database has schema version ${unknown}, this program knows ${newest}; run the newer program`,
    )
  const names: string[] = []
  if (applied.size > 0 && !applied.has(baseline.version)) {
    if (!applied.has(lastBeforeBaseline.version)) throw refuse(olderThanBaseline('the database'))
    await adoptBuildBefore(tx, baseline)
    applied.add(baseline.version)
    names.push(baseline.name)
  }
  const due = migrations.filter(
    ({ version, name }) => !applied.has(version) && (only === undefined || only.has(name)),
  )
  // The counter row is locked first, as by commits of older controllers: in another order the two could wait for each other.
  if (due.length > 0 && applied.size > 0)
    await tx.exec('LOCK TABLE counters IN ACCESS EXCLUSIVE MODE')
  for (const migration of due) {
    await tx.exec(migration.sql)
    await note(tx, migration)
  }
  return [...names, ...due.map(({ name }) => name)]
}
