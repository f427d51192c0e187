// A dry run of many objects on a copy of what it may touch. The copy is in temporary tables that go by
// the names of the real ones, so that the statements of a write run on it as they are. It locks
// nothing that anybody else waits for, and is never stored.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Queryable, Sql } from './sql.ts'

export interface Review {
  /** Whose objects it may touch. */
  readonly namespaces: readonly string[]
  /** Ends it: the client has left, or the time is over. */
  readonly signal: AbortSignal
}

/** Of each table: how much of its definition is taken over, and which of its rows are. */
const tables: readonly (readonly [name: string, like: 'ALL' | 'DEFAULTS', rows?: string])[] = [
  ['counters', 'DEFAULTS', 'true'],
  ['objects', 'ALL', `namespace = '' OR (namespace = ANY ($1) AND kind <> 'Event')`],
  ['projects', 'ALL', 'namespace = ANY ($1)'],
  ['data_keys', 'ALL', 'project_uid IN (SELECT uid FROM projects WHERE namespace = ANY ($1))'],
  [
    'secret_versions',
    'ALL',
    'to_revision IS NULL AND project_uid IN (SELECT uid FROM projects WHERE namespace = ANY ($1))',
  ],
  ['revisions', 'DEFAULTS'],
  ['deleted_secrets', 'DEFAULTS'],
  ['changes', 'DEFAULTS'],
  ['audit', 'DEFAULTS'],
  ['key_rotations', 'DEFAULTS', 'true'],
  ['agent_keys', 'DEFAULTS'],
  ['join_tokens', 'DEFAULTS'],
  ['former_namespaces', 'ALL', 'true'],
]

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Temporary tables come first for the rest of the transaction. */
const lookAtCopy = `SELECT set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)`
/** The database refuses a write to any table but a temporary one from then on: of a table that is not copied, too. */
const onlyTheCopy = 'SET TRANSACTION READ ONLY'
/** The real table has its numbers from a sequence, which a review does not move. */
const ownNumbers = 'ALTER TABLE pg_temp.audit ALTER COLUMN id SET DEFAULT 0'

const schemaOf = async (q: Queryable): Promise<string> => {
  const [found] = await q.query<{ schema: string }>('SELECT current_schema() AS schema')
  return quoted(found?.schema ?? 'public')
}

const createSql = (schema: string, [name, like]: (typeof tables)[number]): string =>
  `CREATE TEMP TABLE IF NOT EXISTS ${name} (LIKE ${schema}.${name} INCLUDING ${like})`

const fillCopy = async (
  tx: Queryable,
  schema: string,
  namespaces: readonly string[],
): Promise<void> => {
  for (const [name, , rows] of tables) {
    if (rows === undefined) continue
    const text = `INSERT INTO ${name} SELECT * FROM ${schema}.${name} WHERE ${rows}`
    await tx.query(text, rows.includes('$1') ? [namespaces] : [])
  }
}

/** Asks nothing more once `signal` aborts. */
const until = (signal: AbortSignal, tx: Queryable): Queryable => ({
  query: (text, params) => {
    signal.throwIfAborted()
    return tx.query(text, params)
  },
  exec: (text) => {
    signal.throwIfAborted()
    return tx.exec(text)
  },
})

type Work<T> = (tx: Queryable) => Promise<T>

/** A server has a connection for it: one transaction, which is rolled back. */
const onServer = (sql: Sql, { namespaces, signal }: Review, work: Work<unknown>): Promise<never> =>
  sql.transaction(async (tx) => {
    const schema = await schemaOf(tx)
    await tx.exec(lookAtCopy)
    await tx.exec([...tables.map((table) => createSql(schema, table)), ownNumbers].join(';'))
    await fillCopy(tx, schema, namespaces)
    await tx.exec(onlyTheCopy)
    await work(until(signal, tx))
    throw new Error('a review was about to be stored')
  })

/** So long (ms) others wait for the embedded database. */
const sliceMs = 20

interface Slice {
  readonly begun: number
  readonly tx: Queryable
  /** Resolves once others may have the database. */
  readonly end: () => Promise<void>
}

const beginSlice = (sql: Sql): Promise<Slice> =>
  new Promise((resolve, reject) => {
    const done = sql.transaction(async (tx) => {
      await tx.exec(`${lookAtCopy}; ${onlyTheCopy}`)
      await new Promise<void>((endNow) => {
        const end = (): Promise<void> => {
          endNow()
          return done
        }
        resolve({ begun: performance.now(), tx, end })
      })
    })
    done.catch(reject)
  })

/** One statement after the other; when a slice has had its time, others come first. */
class Slices implements Queryable {
  readonly #sql: Sql
  #last: Promise<unknown> = Promise.resolve()
  #slice: Slice | undefined

  constructor(sql: Sql) {
    this.#sql = sql
  }

  query<R>(text: string, params?: readonly unknown[]): Promise<R[]> {
    return this.#ask((tx) => tx.query<R>(text, params))
  }

  exec(text: string): Promise<void> {
    return this.#ask((tx) => tx.exec(text))
  }

  async end(): Promise<void> {
    await this.#last
    await this.#slice?.end().catch(() => undefined)
    this.#slice = undefined
  }

  #ask<T>(ask: (tx: Queryable) => Promise<T>): Promise<T> {
    const asked = this.#last.then(async () => ask(await this.#now()))
    this.#last = asked.catch(() => undefined)
    return asked
  }

  async #now(): Promise<Queryable> {
    if (this.#slice !== undefined && performance.now() - this.#slice.begun > sliceMs) {
      const { end } = this.#slice
      this.#slice = undefined
      await end()
      await yieldToOthers()
    }
    this.#slice ??= await beginSlice(this.#sql)
    return this.#slice.tx
  }
}

/** The embedded database has one connection, in this thread: others have their turns in between. */
const inSlices = async (
  sql: Sql,
  { namespaces, signal }: Review,
  work: Work<unknown>,
): Promise<never> => {
  const slices = new Slices(sql)
  const empty = `TRUNCATE ${tables.map(([name]) => `pg_temp.${name}`).join()}`
  const schema = await schemaOf(sql)
  // Made by the first review, and kept: to make them takes longer than to fill them.
  for (const table of tables) await until(signal, sql).exec(createSql(schema, table))
  await sql.exec(ownNumbers)
  try {
    await sql.transaction(async (tx) => {
      await tx.exec(`${lookAtCopy}; ${empty}`)
      await fillCopy(tx, schema, namespaces)
    })
    await work(until(signal, slices))
    throw new Error('a review was about to be stored')
  } finally {
    await slices.end()
    await sql.exec(empty)
  }
}

/** `work` ends with what it throws. */
export const onPrivateCopy = (sql: Sql, review: Review, work: Work<unknown>): Promise<never> =>
  sql.kind === 'pglite' ? inSlices(sql, review, work) : onServer(sql, review, work)
