// Reads a backup into a database that nothing else uses.
import type { Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { storableJson } from '../../kernel/storable.ts'
import type { KeyProvider } from '../../secrets/key-provider.ts'
import { refuseMissingKeys } from '../keys/wraps.ts'
import {
  knownMigrations,
  lockSchema,
  migrate,
  migrateIn,
  migrationsOf,
  olderThanBaseline,
} from '../drivers/migrate.ts'
import { listenerName, type Queryable, type Sql } from '../drivers/sql.ts'
import { BackupReader, type BackupHeader } from './format.ts'
import { raiseCounters } from '../log/raise-counters.ts'
import { advanceSequences, backupColumns, backupTables } from '../log/tables.ts'

/** A file that is a whole backup, of a known form, whose keys are there. */
interface CheckedBackup extends Pick<BackupReader, 'rows' | 'sha256'> {
  readonly path: string
  readonly header: BackupHeader
}

interface RestoreOptions {
  readonly clock: Clock
  /** Replaces what the database holds. */
  readonly force?: boolean
}

export interface RestoreSummary {
  readonly rows: number
  readonly takenAt: string
  readonly epoch: number
  readonly sha256: string
}

const refuse = (message: string): StagelyError => new StagelyError('Conflict', message)

/** The migrations of this program that make the schema of the backup. */
const schemaOf = (header: BackupHeader): string[] => {
  const migrations = knownMigrations()
  const schema = migrationsOf(header.schema)
  if (schema === undefined) throw new StagelyError('BadRequest', olderThanBaseline('the backup'))
  const unknown = schema.filter((name) => !migrations.includes(name))
  if (unknown.length > 0)
    throw new StagelyError(
      'BadRequest',
      `the backup was made by a newer program (${unknown.join(', ')}): restore it with that one`,
    )
  return schema
}

const hasTable = async (q: Queryable, table: string): Promise<boolean> => {
  const [row] = await q.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    table,
  ])
  return row?.found === true
}

/** What a controller makes by itself on its first start does not count. Returns the epoch, or 0. */
const checkEmpty = async (sql: Sql, force: boolean): Promise<number> => {
  if (!(await hasTable(sql, 'counters'))) return 0
  const [row] = await sql.query<{ n: number; epoch: number }>(
    `SELECT (SELECT count(*) FROM objects WHERE NOT (kind = 'Namespace' AND name = 'default')) AS n, epoch FROM counters`,
  )
  if (row !== undefined && row.n > 0 && !force)
    throw refuse(
      `the database holds ${row.n} objects: name an empty one, or replace all of it with --force (nothing was changed)`,
    )
  return row?.epoch ?? 0
}

const checkAlone = async (sql: Sql): Promise<void> => {
  if (sql.kind !== 'postgres') return
  // Every controller listens for changes on a connection of its own, which says so by its name.
  const [row] = await sql.query<{ n: number }>(
    `SELECT count(*) AS n FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = $1`,
    [listenerName],
  )
  if (row !== undefined && row.n > 0)
    throw refuse(
      'a controller is connected to this database: stop all of them first (nothing was changed)',
    )
}

/** Checks the whole file and the keys that it needs. No database is needed, and none is made. */
export const checkBackup = async (path: string, provider: KeyProvider): Promise<CheckedBackup> => {
  const reader = new BackupReader(path)
  const lines = reader.read()
  while ((await lines.next()).done !== true);
  const header = reader.header!
  schemaOf(header)
  refuseMissingKeys(`the backup of ${header.takenAt}`, header.keys, provider)
  return { path, header, rows: reader.rows, sha256: reader.sha256 }
}

/**
 * Checks the database before anything is changed; then loads the backup in one transaction. The
 * epoch and the counters rise above all that was ever handed out, so that agents and watchers do
 * not take the restored state for old.
 */
export const restoreBackup = async (
  sql: Sql,
  { path, header, rows, sha256 }: CheckedBackup,
  { clock, force = false }: RestoreOptions,
): Promise<RestoreSummary> => {
  await checkAlone(sql)
  const epochBefore = await checkEmpty(sql, force)

  const nowMs = clock.now()
  const epoch = Math.max(header.epoch, epochBefore, Math.floor(nowMs / 1000)) + 1
  await sql.transaction(async (tx) => {
    await lockSchema(tx)
    // The schema of the backup first; what came later is brought up to date with its rows in place. A schema that
    // a first start has made stays; where all is to be replaced, nothing does that somebody has added.
    const schema = schemaOf(header)
    if (force || !(await hasSchema(tx, schema))) {
      await dropAll(tx)
      await migrateIn(tx, new Set(schema))
    }
    await load(tx, path)
    const fact = { takenAt: header.takenAt, backupEpoch: header.epoch, epoch, sha256 }
    await raiseCounters(tx, { above: header.resourceVersion, epoch, nowMs, fact })
  })
  await migrate(sql)
  return { rows, takenAt: header.takenAt, epoch, sha256 }
}

/** As after a first start of the program that made the backup. */
const hasSchema = async (tx: Queryable, schema: readonly string[]): Promise<boolean> => {
  if (!(await hasTable(tx, 'schema_migrations'))) return false
  const rows = await tx.query<{ name: string }>('SELECT name FROM schema_migrations')
  const applied = new Set(rows.map(({ name }) => name))
  return applied.size === schema.length && schema.every((name) => applied.has(name))
}

const dropAll = async (tx: Queryable): Promise<void> => {
  const rows = await tx.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = current_schema() AND c.relkind = 'r'`,
  )
  for (const { name } of rows) await tx.exec(`DROP TABLE "${name}" CASCADE`)
  // What triggers call; an extension's functions are its own.
  const routines = await tx.query<{ name: string }>(
    `SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = current_schema() AND NOT EXISTS (
       SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')`,
  )
  for (const { name } of routines) await tx.exec(`DROP ROUTINE ${name} CASCADE`)
}

const load = async (tx: Queryable, path: string): Promise<void> => {
  const tables = await backupTables(tx)
  await clear(tx, [...tables, 'changes'])
  for await (const { table, columns, rows } of new BackupReader(path).read()) {
    if (!tables.includes(table))
      throw new StagelyError('BadRequest', `the backup holds a table that is not known: ${table}`)
    const current = await backupColumns(tx, table)
    const list = columns
      .filter((column) => current.includes(column))
      .map((column) => `"${column}"`)
      .join(', ')
    await tx.query(
      `INSERT INTO "${table}" (${list}) OVERRIDING SYSTEM VALUE
       SELECT ${list} FROM json_populate_recordset(NULL::"${table}", $1::json)`,
      // Some were stored before texts were looked at on their way in.
      [storableJson(`[${rows.join(',')}]`)],
    )
  }
  await advanceSequences(tx)
}

/** Truncates only tables with rows: each truncation makes new files, also for every index. */
const clear = async (tx: Queryable, tables: readonly string[]): Promise<void> => {
  const looks = tables.map(
    (name) => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM "${name}")`,
  )
  const filled = await tx.query<{ name: string }>(looks.join(' UNION ALL '))
  const names = filled.map(({ name }) => `"${name}"`).join(', ')
  if (names !== '') await tx.exec(`TRUNCATE ${names} CASCADE`)
}
