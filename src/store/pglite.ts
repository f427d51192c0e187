// Postgres inside the process, the default: one command starts everything.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite, types, type Transaction } from '@electric-sql/pglite'
import { ensureCluster } from './pglite-cluster.ts'
import { lockFolder } from './folder-lock.ts'
import type { Queryable, Row, Sql } from './sql.ts'

interface PgliteOptions {
  /** The controller's data folder; the database is in its `postgres`. */
  readonly dataDir: string
}

/**
 * As shipped, PGlite runs with -F and never syncs. Without -F alone nothing changes either; the
 * WAL is on disk at COMMIT only when it is opened O_DSYNC. Its cache of 128 MB is zeroed at each start, which
 * takes a fifth of that; what is read often is in our own memory.
 */
const startParams = [
  ...PGlite.defaultStartParams.filter((param) => param !== '-F'),
  '-c',
  'wal_sync_method=open_datasync',
  '-c',
  'shared_buffers=16MB',
]

const asText = (text: string): string => text
const parsers = { [types.INT8]: Number, [types.JSON]: asText, [types.JSONB]: asText }
// Parameters of json columns are already JSON text.
const serializers = { [types.JSON]: String, [types.JSONB]: String }

const queryable = (db: PGlite | Transaction): Queryable => ({
  query: async <R = Row>(text: string, params?: readonly unknown[]): Promise<R[]> =>
    (await db.query<R>(text, params === undefined ? undefined : [...params])).rows,
  exec: async (text) => {
    await db.exec(text)
  },
})

/** Opens the folder's database, made on first use. Conflict when another process has it open. */
export const openPglite = async ({ dataDir }: PgliteOptions): Promise<Sql> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = await lockFolder(dataDir)
  const folder = join(dataDir, 'postgres')
  let db: PGlite
  try {
    await ensureCluster(folder)
    db = await PGlite.create({
      dataDir: folder,
      startParams,
      parsers,
      serializers,
    })
  } catch (error) {
    await unlock()
    throw error
  }
  // Temporary tables are a review's alone (private-copy.ts), and this session is everybody's.
  await db.exec(
    `SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', false)`,
  )
  let closing: Promise<void> | undefined
  return {
    kind: 'pglite',
    ...queryable(db),
    transaction: (fn) => db.transaction((tx) => fn(queryable(tx))),
    listen: async (channel, onNotify) => db.listen(channel, onNotify),
    close: () => (closing ??= db.close().then(unlock)),
  }
}
