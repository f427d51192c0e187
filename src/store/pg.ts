// Postgres server through node-postgres.
import { Client, Pool, types, type CustomTypesConfig, type PoolClient } from 'pg'
import { backoffMs } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'
import { StagelyError, messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/log.ts'
import { listenerName, type Queryable, type Row, type Sql } from './sql.ts'

export interface PgOptions {
  readonly databaseUrl: string
  readonly clock: Clock
  readonly log: Logger
  readonly maxConnections?: number
  /** How long one statement, or a new connection, may take. */
  readonly deadlineMs?: number
}

type Parse = (text: string) => unknown
const asText: Parse = (text) => text
const parsers = new Map<number, Parse>([
  [types.builtins.INT8, Number],
  [types.builtins.JSON, asText],
  [types.builtins.JSONB, asText],
])
const typesConfig: CustomTypesConfig = {
  getTypeParser: (oid): Parse => parsers.get(oid) ?? (types.getTypeParser(oid) as Parse),
}

/**
 * While a transaction rests, all other writers wait, and a new leader too: it is ended in time for
 * that one to lead within 5 s. What is awaited in a write (a key service) must be faster.
 */
const idleInTransactionMs = 3_000
const defaultDeadlineMs = 15_000

/** A client that was cut off is noticed by the server in seconds, also while it waits for a lock. */
const serverOptions = [
  'tcp_keepalives_idle=5',
  'tcp_keepalives_interval=2',
  'tcp_keepalives_count=3',
  'tcp_user_timeout=10000',
  'client_connection_check_interval=2000',
  // Compiling a statement takes longer than any of ours runs.
  'jit=off',
]
  .map((setting) => `-c ${setting}`)
  .join(' ')

const unavailableCodes =
  /^(08|57P0|57014|55P03|25P03|53300|ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT)/
const lostTexts =
  /Connection (terminated|ended)|connection timeout|timeout exceeded|Query read timeout|not queryable/i
/** Nothing can be said on this connection any more, not even ROLLBACK. */
const isStuck = (error: unknown): boolean => /Query read timeout/.test(messageOf(error))

/** A database that cannot be reached is ServiceUnavailable; any other error passes as it is. */
const translate = (error: unknown): unknown => {
  const code = (error as { code?: unknown }).code
  const lost = lostTexts.test(messageOf(error))
  if (!lost && !(typeof code === 'string' && unavailableCodes.test(code))) return error
  const message = `the database cannot be reached: ${typeof code === 'string' ? code : 'connection lost'}`
  return new StagelyError('ServiceUnavailable', message, { retryAfterSeconds: 1 }, error)
}

/** Static texts are prepared once for each connection: half the time of unnamed ones. */
const nameOf = (() => {
  const names = new Map<string, string>()
  return (text: string): string => {
    let name = names.get(text)
    if (name === undefined) names.set(text, (name = `stagely_${names.size}`))
    return name
  }
})()

const queryable = (client: Pool | PoolClient): Queryable => ({
  query: async <R = Row>(text: string, params?: readonly unknown[]): Promise<R[]> => {
    try {
      const config =
        params === undefined ? { text } : { text, values: [...params], name: nameOf(text) }
      return (await client.query(config)).rows as R[]
    } catch (error) {
      throw translate(error)
    }
  },
  exec: async (text) => {
    try {
      await client.query(text)
    } catch (error) {
      throw translate(error)
    }
  },
})

const transaction = async <T>(pool: Pool, fn: (tx: Queryable) => Promise<T>): Promise<T> => {
  let client: PoolClient
  try {
    client = await pool.connect()
  } catch (error) {
    throw translate(error)
  }
  let broken: Error | undefined
  try {
    // Sent ahead of the first statement, which fails with it.
    client.query('BEGIN').catch(() => undefined)
    const result = await fn(queryable(client))
    const { command } = await client.query('COMMIT')
    // The server answers so, and not with an error, where a statement failed that nobody waited for.
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back')
    return result
  } catch (error) {
    if (isStuck(error)) broken = new Error(messageOf(error))
    else
      await client.query('ROLLBACK').catch((e: unknown) => {
        broken = e instanceof Error ? e : new Error(String(e))
      })
    throw translate(error)
  } finally {
    client.release(broken)
  }
}

const listenDeadlineMs = 5_000
const listenCheckMs = 10_000

/** pg has no way to give a connection up without a word from the server. */
const socketOf = (client: Client): { destroy(): void } | undefined =>
  (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream

const listen = async (
  options: PgOptions,
  channel: string,
  onNotify: () => void,
  onReconnect: () => void,
): Promise<() => Promise<void>> => {
  const { clock, log } = options
  const stopping = new AbortController()
  let client: Client | undefined

  const connect = async (): Promise<void> => {
    const next = new Client({
      connectionString: options.databaseUrl,
      keepAlive: true,
      connectionTimeoutMillis: listenDeadlineMs,
      query_timeout: listenDeadlineMs,
    })
    next.on('error', () => undefined) // 'end' follows
    next.on('notification', onNotify)
    try {
      await next.connect()
      // Set here: a name in the URL would win over an option.
      await next.query(`SET application_name = '${listenerName}'; LISTEN ${channel}`)
    } catch (error) {
      await next.end().catch(() => undefined)
      throw error
    }
    next.on('end', () => void reconnect())
    client = next
    void watch(next)
  }
  /** Nothing is ever sent on this connection: whether it is still one must be asked. */
  const watch = async (watched: Client): Promise<void> => {
    try {
      for (;;) {
        await clock.sleep(listenCheckMs, stopping.signal)
        await watched.query('SELECT 1')
      }
    } catch {
      // Cut, and not ended: the other side may not be there to end it with.
      if (!stopping.signal.aborted) socketOf(watched)?.destroy()
    }
  }
  const reconnect = async (): Promise<void> => {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      try {
        await clock.sleep(backoffMs(attempt, { baseMs: 100, capMs: 5000 }), stopping.signal)
        await connect()
        onReconnect()
        return
      } catch (error) {
        if (attempt === 0 && !stopping.signal.aborted)
          log.warn({ err: messageOf(error) }, 'nothing is heard of changes by now; they are polled')
      }
    }
  }

  try {
    await connect()
  } catch (error) {
    throw translate(error)
  }
  return async () => {
    stopping.abort()
    await client?.end().catch(() => undefined)
  }
}

/** Opens a pool; nothing is connected before the first query. */
export const openPg = (options: PgOptions): Sql => {
  const { deadlineMs = defaultDeadlineMs } = options
  const pool = new Pool({
    connectionString: options.databaseUrl,
    max: options.maxConnections ?? 10,
    types: typesConfig,
    keepAlive: true,
    connectionTimeoutMillis: Math.min(deadlineMs, 10_000),
    query_timeout: deadlineMs,
    // The server ends it too, so that it holds no lock that nobody waits for.
    statement_timeout: deadlineMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    options: serverOptions,
    application_name: 'stagely',
    // A transaction may send several statements before it waits for the first.
    pipeline: true,
  })
  // The server may end a connection between two statements of a transaction; the next one tells.
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
  })
  pool.on('error', (error) => {
    options.log.warn({ err: messageOf(error) }, 'idle database connection lost')
  })
  return {
    kind: 'postgres',
    ...queryable(pool),
    transaction: (fn) => transaction(pool, fn),
    listen: (channel, onNotify, onReconnect) => listen(options, channel, onNotify, onReconnect),
    close: () => pool.end(),
  }
}
