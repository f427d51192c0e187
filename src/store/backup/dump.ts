// Writes a backup: one snapshot of all tables, while the store goes on.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { toTimestamp } from '../../kernel/clock.ts'
import { countWraps } from '../keys/wraps.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import { addLine, type BackupHeader } from './format.ts'
import { backupColumns, backupTables } from '../log/tables.ts'

const rowsAtOnce = 500
/** How long the disk may take for one page of rows. */
const mostIdle = '5min'

interface BackupSummary {
  readonly rows: number
  readonly sha256: string
  /** Prefixes of the master keys that it needs. */
  readonly keys: readonly string[]
}

const readHeader = async (q: Queryable, nowMs: number): Promise<BackupHeader> => {
  const [counters] = await q.query<{ rv: number; epoch: number }>('SELECT rv, epoch FROM counters')
  const migrations = await q.query<{ name: string }>(
    'SELECT name FROM schema_migrations ORDER BY version',
  )
  return {
    stagelyBackup: 1,
    takenAt: toTimestamp(nowMs),
    schema: migrations.map((row) => row.name),
    epoch: counters?.epoch ?? 0,
    resourceVersion: counters?.rv ?? 0,
    keys: [...(await countWraps(q)).keys()],
  }
}

/**
 * Writes the backup to `path`, which must not exist, readable by its owner alone. On a server other
 * work goes on; the embedded database, which has one connection, is held up while it is read.
 */
export const writeBackup = async (
  sql: Sql,
  path: string,
  nowMs: number,
): Promise<BackupSummary> => {
  const gzip = createGzip()
  const written = pipeline(gzip, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
  written.catch(() => undefined) // it is awaited below
  const hash = createHash('sha256')
  const put = async (line: string): Promise<void> => {
    if (!gzip.write(addLine(hash, line))) await Promise.race([once(gzip, 'drain'), written])
  }
  try {
    const summary = await sql.transaction(async (tx) => {
      await tx.exec('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
      // The transaction waits for a slow disk between its statements. It holds no lock that a write waits for.
      await tx.exec(`SET LOCAL idle_in_transaction_session_timeout = '${mostIdle}'`)
      const header = await readHeader(tx, nowMs)
      await put(JSON.stringify(header))
      let rows = 0
      for (const table of await backupTables(tx)) rows += await dumpTable(tx, table, put)
      return { rows, sha256: hash.digest('hex'), keys: header.keys }
    })
    gzip.end(`${JSON.stringify({ end: true, rows: summary.rows, sha256: summary.sha256 })}\n`)
    await written
    return summary
  } catch (error) {
    gzip.destroy()
    throw error
  }
}

const dumpTable = async (
  tx: Queryable,
  table: string,
  put: (line: string) => Promise<void>,
): Promise<number> => {
  const columns = await backupColumns(tx, table)
  await put(JSON.stringify({ table, columns }))
  const list = columns.map((column) => `t."${column}"`).join(', ')
  // A line break can only stand between the tokens of a json column: text has it escaped.
  await tx.exec(
    `DECLARE backup CURSOR FOR SELECT replace(row_to_json(r)::text, E'\\n', ' ') AS line
     FROM (SELECT ${list} FROM "${table}" t) r`,
  )
  let rows = 0
  for (;;) {
    const page = await tx.query<{ line: string }>(`FETCH ${rowsAtOnce} FROM backup`)
    for (const { line } of page) await put(line)
    rows += page.length
    if (page.length < rowsAtOnce) break
  }
  await tx.exec('CLOSE backup')
  return rows
}
