// Postgres inside the process, the default: one command starts everything.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureCluster } from './pglite-cluster.ts'
import { startDatabaseThread, type DatabaseThread } from './pglite-thread.ts'
import { lockFolder } from './folder-lock.ts'
import type { Queryable, Row, Sql } from './sql.ts'

interface PgliteOptions {
  /** The controller's data folder; the database is in its `postgres`. */
  readonly dataDir: string
  /** Where the database has ended by itself; otherwise the process ends. */
  readonly onLost?: (error: Error) => void
}

const queryable = (ask: DatabaseThread['ask']): Queryable => ({
  query: async <R = Row>(text: string, params?: readonly unknown[]): Promise<R[]> =>
    (await ask('query', text, params)) as R[],
  exec: async (text) => {
    await ask('exec', text)
  },
})

const inTransaction = async <T>(
  thread: DatabaseThread,
  fn: (tx: Queryable) => Promise<T>,
): Promise<T> => {
  // Sent ahead of the first statement. Its own answer counts, too.
  const begun = thread.ask('exec', 'BEGIN')
  begun.catch(() => undefined)
  try {
    const result = await fn(queryable(thread.ask))
    await begun
    // Postgres answers so, and not with an error, where a statement failed that nobody waited for.
    if ((await thread.ask('exec', 'COMMIT')) !== 'COMMIT')
      throw new Error('the transaction was rolled back')
    return result
  } catch (error) {
    await thread.ask('exec', 'ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** Opens the folder's database, made on first use. Conflict when another process has it open. */
export const openPglite = async ({ dataDir, onLost }: PgliteOptions): Promise<Sql> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const unlock = await lockFolder(dataDir)
  const folder = join(dataDir, 'postgres')
  let thread: DatabaseThread
  try {
    await ensureCluster(folder)
    thread = await startDatabaseThread(folder, onLost)
  } catch (error) {
    await unlock()
    throw error
  }
  /** Ends with the last transaction that was begun: there is one session, so that all else waits for it. */
  let busy: Promise<unknown> | undefined
  const whenFree = <T>(fn: () => Promise<T>): Promise<T> =>
    busy === undefined ? fn() : busy.then(fn)
  const transaction = <T>(fn: (tx: Queryable) => Promise<T>): Promise<T> => {
    const done = whenFree(() => inTransaction(thread, fn))
    const end = (): void => {
      if (busy === mine) busy = undefined
    }
    const mine = done.then(end, end)
    busy = mine
    return done
  }
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    whenFree(() =>
      thread
        .ask('close')
        .then(() => undefined)
        .finally(thread.end),
    ).finally(unlock)
  return {
    kind: 'pglite',
    ...queryable((...asked) => whenFree(() => thread.ask(...asked))),
    transaction,
    listen: (channel, onNotify) => whenFree(() => thread.listen(channel, onNotify)),
    close: () => (closing ??= close()),
  }
}
