// Sessions of log readers. The engine is read only while a session is open.
import { setMaxListeners } from 'node:events'
import type { Clock } from '../../src/kernel/clock.ts'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import { pause } from '../../src/kernel/async/pause.ts'
import {
  logBatchResponse,
  logKeepAliveMs,
  logSilenceMs,
  type LogBatch,
  type LogBatchState,
  type LogLine,
  type LogRecord,
  type LogsOrder,
} from '../../src/protocol/logs.ts'
import { agentPaths } from '../../src/protocol/messages.ts'
import { RefusedByController, type ControllerClient } from '../link/controller-client.ts'
import { createOutbox, type LogOutbox } from './outbox.ts'
import {
  followProjectLog,
  readProjectLog,
  type LogRefusal,
  type LogSource,
  type ProjectLogDeps,
} from './project-log.ts'

export interface LogSessions {
  /** Starts a session for an order. */
  start(order: LogsOrder): void
  /** Ends all sessions. */
  stop(): void
}

export interface LogSessionsDeps extends ProjectLogDeps {
  /** Where the logs of a stagelet are; undefined where the stagelet is not this agent's. */
  readonly sourceOf: (stageletUid: string) => LogSource | LogRefusal | undefined
  /** A client of its own: a slow reader must not delay reports. */
  readonly client: Pick<ControllerClient, 'post'>
}

/** Sessions at a time. Each costs up to 1 MiB, and a connection to the engine for each container. */
export const maxSessions = 8
/** Lines that come within this time are sent together. */
const gatherMs = 40
/** For a session that nobody knows: its replica may not have heard of it yet. */
const tries = 6
const retryMs = 500

export const createLogSessions = (deps: LogSessionsDeps): LogSessions => {
  const open = new Map<string, AbortController>()
  return {
    start: (order) => {
      if (open.has(order.session)) return
      const ending = new AbortController()
      // Each container that is read has a listener.
      setMaxListeners(0, ending.signal)
      const isTooMany = open.size >= maxSessions
      if (!isTooMany) open.set(order.session, ending)
      const run = isTooMany
        ? refuse(deps, order, `this agent serves ${maxSessions} readers of logs already`)
        : runSession(deps, order, ending)
      run
        .catch((error: unknown) =>
          deps.log.warn({ reason: messageOf(error) }, 'a session of logs broke off'),
        )
        .finally(() => {
          ending.abort()
          if (open.get(order.session) === ending) open.delete(order.session)
        })
    },
    stop: () => {
      for (const ending of open.values()) ending.abort()
    },
  }
}

const refuse = async (deps: LogSessionsDeps, order: LogsOrder, error: string): Promise<void> => {
  await post(deps, { session: order.session, seq: 0, records: [{ type: 'end', error }] })
}

const runSession = async (
  deps: LogSessionsDeps,
  order: LogsOrder,
  ending: AbortController,
): Promise<void> => {
  const source = deps.sourceOf(order.stageletUid)
  if (source === undefined || 'refused' in source) {
    const why = source?.refused ?? 'the stagelet is not its own'
    await refuse(deps, order, `the agent gives no logs of this stack: ${why}`)
    return
  }
  const outbox = createOutbox()
  const end: { record?: LogRecord } = {}
  const sourceEnds = linkedAbort(ending.signal, source.ended)
  const { signal } = sourceEnds
  setMaxListeners(0, signal)
  const reading = read(deps, source, { order, outbox, signal }).then(
    () => {
      const error = 'the agent gives no more logs of this stack: it is no longer the stagelet’s'
      end.record = source.ended.aborted ? { type: 'end', error } : { type: 'end' }
    },
    (error: unknown) => {
      end.record = { type: 'end', error: messageOf(error) }
    },
  )
  try {
    await sendAll(deps, { order, outbox, reading, end, signal: ending.signal })
  } finally {
    sourceEnds.abort()
  }
}

interface ReadJob {
  readonly order: LogsOrder
  readonly outbox: LogOutbox
  readonly signal: AbortSignal
}

/** Lines from before the session wait for the reader; new lines are dropped where the reader is too slow. */
const read = (
  deps: LogSessionsDeps,
  source: LogSource,
  { order, outbox, signal }: ReadJob,
): Promise<void> => {
  const began = deps.clock.now()
  const wish = { wish: order, signal }
  if (!order.follow) return readProjectLog(deps, source, wish, (line) => outbox.put(line))
  return followProjectLog(deps, source, wish, async (line: LogLine) => {
    if (Date.parse(line.time) < began) await outbox.put(line)
    else outbox.putOrDrop(line)
  })
}

const sendAll = async (
  deps: LogSessionsDeps,
  job: ReadJob & { readonly reading: Promise<void>; readonly end: { record?: LogRecord } },
): Promise<void> => {
  const { order, outbox, reading, end, signal } = job
  // Tells the controller at once that the agent has answered.
  let records: LogRecord[] = []
  for (let seq = 0; !signal.aborted; seq++) {
    if ((await send(deps, { session: order.session, seq, records }, signal)) === 'ended') return
    if (records.at(-1)?.type === 'end') return
    await somethingToSend(deps.clock, outbox, reading, signal)
    const isOver = end.record !== undefined
    records = outbox.take()
    if (records.length === 0 && isOver) records = [end.record!]
  }
}

const somethingToSend = async (
  clock: Clock,
  outbox: LogOutbox,
  reading: Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const awake = linkedAbort(signal)
  const timeout = clock.sleep(logKeepAliveMs, awake.signal).catch(() => undefined)
  await Promise.race([outbox.filled(), reading, timeout])
  awake.abort()
  await pause(clock, gatherMs, signal)
}

/** Sends a batch, again and again while the reader is not ready. */
const send = async (
  deps: LogSessionsDeps,
  batch: LogBatch,
  signal: AbortSignal,
): Promise<LogBatchState> => {
  for (;;) {
    const state = signal.aborted ? 'ended' : await post(deps, batch, signal)
    if (state !== 'full') return state
  }
}

/** A controller that is being restarted, or another replica, answers soon. A database may be away for longer. */
const post = async (
  deps: LogSessionsDeps,
  batch: LogBatch,
  signal?: AbortSignal,
): Promise<LogBatchState> => {
  const until = deps.clock.now() + logSilenceMs
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await deps.client.post({ path: agentPaths.logs, body: batch })
      return logBatchResponse.parse(answer).state
    } catch (error) {
      const status = error instanceof RefusedByController ? error.status : undefined
      const isAway = isReason(error, 'ServiceUnavailable') || status === 429 || status === 503
      const mayMend = isAway ? deps.clock.now() < until : status === 404 && attempt < tries
      if (!mayMend || signal?.aborted === true) throw error
      await deps.clock.sleep(retryMs)
    }
  }
}
