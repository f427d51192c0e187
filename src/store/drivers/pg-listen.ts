// Listens on a connection of its own, which is opened again when it is lost.
import type { Socket } from 'node:net'
import { background, logFault } from '../../kernel/async/background.ts'
import { Client, type ClientBase } from 'pg'
import { backoffMs } from '../../kernel/backoff.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import { linkedAbort } from '../../kernel/async/linked-abort.ts'
import type { Logger } from '../../kernel/log.ts'
import { listenerName } from './sql.ts'

interface PgListenOptions {
  readonly databaseUrl: string
  readonly clock: Clock
  readonly log: Logger
}

const listenDeadlineMs = 5_000
const listenCheckMs = 10_000

/** pg has no way to give a connection up without a word from the server, nor to hold back what is sent. */
export const socketOf = (client: ClientBase): Socket | undefined =>
  (client as unknown as { connection?: { stream?: Socket } }).connection?.stream

/** See Sql.listen. */
export const listenPg = async (
  options: PgListenOptions,
  channel: string,
  onNotify: (payload: string) => void,
  onReconnect: () => void,
): Promise<() => Promise<void>> => {
  const { clock, log } = options
  const stopping = new AbortController()
  let client: Client | undefined

  const onFault = logFault(log, 'nothing is heard of changes any more; they are polled')
  const connect = async (): Promise<void> => {
    const next = new Client({
      connectionString: options.databaseUrl,
      keepAlive: true,
      connectionTimeoutMillis: listenDeadlineMs,
      query_timeout: listenDeadlineMs,
    })
    next.on('error', () => undefined) // 'end' follows
    next.on('notification', ({ payload }) => onNotify(payload ?? ''))
    try {
      await next.connect()
      // Set here: a name in the URL would win over an option.
      await next.query(`SET application_name = '${listenerName}'; LISTEN ${channel}`)
    } catch (error) {
      await next.end().catch(() => undefined)
      throw error
    }
    const life = linkedAbort(stopping.signal)
    next.on('end', () => {
      life.abort()
      background(reconnect, onFault)
    })
    client = next
    background(() => watch(next, life.signal), onFault)
  }
  /** Nothing is ever sent on this connection: whether it is still one must be asked. */
  const watch = async (watched: Client, untilEnd: AbortSignal): Promise<void> => {
    try {
      for (;;) {
        await clock.sleep(listenCheckMs, untilEnd)
        await watched.query('SELECT 1')
      }
    } catch {
      // Cut, and not ended: the other side may not be there to end it with.
      if (!untilEnd.aborted) socketOf(watched)?.destroy()
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

  await connect()
  return async () => {
    stopping.abort()
    await client?.end().catch(() => undefined)
  }
}
