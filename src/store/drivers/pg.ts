// Postgres server through node-postgres.
import type { Socket } from 'node:net'
import {
  Client,
  DatabaseError,
  Pool,
  types,
  type CustomTypesConfig,
  type PoolClient,
  type QueryConfig,
  type QueryResult,
} from 'pg'
import type { Clock } from '../../kernel/clock.ts'
import { StagelyError, messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/log.ts'
import { listenPg, socketOf } from './pg-listen.ts'
import { probeMs, Liveness } from './liveness.ts'
import type { Queryable, Row, Sql } from './sql.ts'

interface PgOptions {
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
 * While a transaction is idle, all writers wait, and a new leader too. It is ended early enough for the new leader to lead
 * within 5 s.
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
  /^(08|57P0|57014|55P03|25006|25P03|53|ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENOENT)/
/** Of a database that can be reached. */
const whatFailed: Readonly<Record<string, string>> = {
  '25006': 'the database is read-only',
  '25P03': 'the database ended a transaction whose next statement came too late',
  '53100': 'the database has no space left',
  '53200': 'the database has no memory left',
  '53300': 'the database has no connection left',
  '55P03': 'the database waited too long for a lock',
  '57014': 'the database ended a statement that took too long',
}
const lostTexts =
  /Connection (terminated|ended)|connection timeout|timeout exceeded|Query read timeout|not queryable/i
/** The connection is broken: not even ROLLBACK can be sent. */
const isStuck = (error: unknown): boolean => /Query read timeout/.test(messageOf(error))

/** A database that cannot be reached is ServiceUnavailable; any other error passes as it is. */
const translate = (error: unknown): unknown => {
  const code = (error as { code?: unknown }).code
  const lost = lostTexts.test(messageOf(error))
  if (!lost && !(typeof code === 'string' && unavailableCodes.test(code))) return error
  const reason = typeof code === 'string' ? code : 'connection lost'
  const message = `${whatFailed[reason] ?? 'the database cannot be reached'}: ${reason}`
  return new StagelyError('ServiceUnavailable', message, { retryAfterSeconds: 1 }, error)
}

/** Static statements are prepared once for each connection, which halves their time. */
const nameOf = (() => {
  const names = new Map<string, string>()
  return (text: string): string => {
    let name = names.get(text)
    if (name === undefined) names.set(text, (name = `stagely_${names.size}`))
    return name
  }
})()

/** `ask` sends a statement on any connection. */
const queryable = (
  ask: (config: QueryConfig) => Promise<QueryResult>,
  liveness: Liveness,
): Queryable => {
  const run = async (config: QueryConfig): Promise<QueryResult> => {
    try {
      const result = await ask(config)
      liveness.answered()
      return result
    } catch (error) {
      if (error instanceof DatabaseError) liveness.answered()
      throw translate(error)
    }
  }
  return {
    query: async <R = Row>(text: string, params?: readonly unknown[]): Promise<R[]> => {
      const config =
        params === undefined ? { text } : { text, values: [...params], name: nameOf(text) }
      return (await run(config)).rows as R[]
    },
    exec: async (text) => {
      await run({ text })
    },
  }
}

const connectionOf = (pool: Pool, liveness: Liveness): Promise<PoolClient> =>
  liveness.first(
    () => pool.connect(),
    (late) => late.release(),
  )

const onOne = async (pool: Pool, liveness: Liveness, config: QueryConfig): Promise<QueryResult> => {
  const client = await connectionOf(pool, liveness)
  let broken: Error | undefined
  try {
    return await liveness.during(() => client.query(config))
  } catch (error) {
    if (!(error instanceof DatabaseError)) broken = new Error(messageOf(error))
    throw error
  } finally {
    client.release(broken)
  }
}

const held = new WeakSet<Socket>()

/** Statements that are sent in one turn leave in one packet: a system call costs as much as a small statement. */
const sendTogether = (client: PoolClient): void => {
  const socket = socketOf(client)
  if (socket === undefined || held.has(socket)) return
  held.add(socket)
  socket.cork()
  process.nextTick(() => {
    held.delete(socket)
    socket.uncork()
  })
}

const transaction = async <T>(
  pool: Pool,
  liveness: Liveness,
  fn: (tx: Queryable) => Promise<T>,
): Promise<T> => {
  let client: PoolClient
  try {
    client = await connectionOf(pool, liveness)
  } catch (error) {
    throw translate(error)
  }
  let broken: Error | undefined
  try {
    const ask = (config: QueryConfig): Promise<QueryResult> => {
      sendTogether(client)
      return liveness.during(() => client.query(config))
    }
    sendTogether(client)
    // Sent ahead of the first statement. Its own answer counts: without it each statement would be a
    // transaction of its own.
    const begun = ask({ text: 'BEGIN' })
    begun.catch(() => undefined)
    const result = await fn(queryable(ask, liveness))
    await begun
    const { command } = await ask({ text: 'COMMIT' })
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

/** A server that says no (starting, full) has answered. */
const probe = async (connectionString: string): Promise<void> => {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: probeMs,
    query_timeout: probeMs,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
  } finally {
    socketOf(client)?.destroy()
  }
}

/** Opens a pool; nothing is connected before the first query. */
export const openPg = (options: PgOptions): Sql => {
  const { deadlineMs = defaultDeadlineMs } = options
  /** Those of the pool, also while they are being connected. */
  const clients = new Set<Client>()
  const Known = class extends Client {
    constructor(...args: ConstructorParameters<typeof Client>) {
      super(...args)
      clients.add(this)
      this.once('end', () => clients.delete(this))
    }
  }
  const pool = new Pool({
    Client: Known,
    connectionString: options.databaseUrl,
    max: options.maxConnections ?? 10,
    types: typesConfig,
    keepAlive: true,
    connectionTimeoutMillis: Math.min(deadlineMs, 10_000),
    query_timeout: deadlineMs,
    // The server ends the statement too, so that it does not go on to hold locks.
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
  pool.on('error', (error) =>
    options.log.warn({ err: messageOf(error) }, 'idle database connection lost'),
  )
  const liveness = new Liveness({
    ...options,
    probe: () => probe(options.databaseUrl),
    giveUp: () => {
      for (const client of clients) socketOf(client)?.destroy()
    },
  })
  return {
    kind: 'postgres',
    ...queryable((config) => onOne(pool, liveness, config), liveness),
    transaction: (fn) => transaction(pool, liveness, fn),
    listen: (channel, onNotify, onReconnect) =>
      listenPg(options, channel, onNotify, onReconnect).catch((error: unknown) => {
        throw translate(error)
      }),
    close: () => {
      liveness.close()
      return pool.end()
    },
  }
}
