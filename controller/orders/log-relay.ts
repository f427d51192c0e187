// Passes logs from agents to readers, with one session for each reader. The controller keeps one buffer of lines and
// makes the agent wait when that is full; the agent then drops lines and counts them. A session is in the replica of
// its reader, and its id names that replica. An agent whose stream is at another replica is asked by that one, which
// passes its batches on to here.
import { randomUUID } from 'node:crypto'
import { background } from '../../src/kernel/async/background.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { pause } from '../../src/kernel/async/pause.ts'
import {
  logKeepAliveMs,
  logSilenceMs,
  type LogBatch,
  type LogBatchState,
  type LogRecord,
  type LogsOrder,
} from '../../src/protocol/logs.ts'
import type { OnDemandOrder } from '../../src/protocol/messages.ts'
import { AgentRefusedError } from './agent-refused.ts'
import type { OrderResult } from './order-result.ts'

interface LogWanted {
  /** `namespace/name` of the agent. */
  readonly agentKey: string
  readonly wish: Omit<LogsOrder, 'type' | 'session'>
}

export interface LogRelay {
  /**
   * Asks the agent, and resolves to JSON lines of LogRecord once it answers. The session ends with the
   * stream, or when `signal` aborts. ServiceUnavailable, TooManyRequests.
   */
  open(wanted: LogWanted, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>
  /** What an agent has sent. AgentRefusedError 404 for a session that nobody knows. */
  accept(agentKey: string, batch: LogBatch): Promise<LogBatchState>
  /** The same, only for sessions of this process. */
  acceptHere(agentKey: string, batch: LogBatch): Promise<LogBatchState>
  stop(): void
}

/** The other replicas. */
export interface LogPeers {
  /** Name of this replica. */
  readonly self: string
  /** `away` where none of them has the agent. ServiceUnavailable. */
  ask(agentKey: string, order: OnDemandOrder): Promise<OrderResult>
  /** Undefined when that replica does not know the session either. ServiceUnavailable. */
  take(replica: string, agentKey: string, batch: LogBatch): Promise<LogBatchState | undefined>
}

interface LogRelayDeps {
  readonly clock: Clock
  /** `away` where the agent has no stream here. */
  readonly ask: (agentKey: string, order: LogsOrder) => OrderResult
  /** Absent where there is no other replica. */
  readonly peers?: LogPeers
  /** For tests. */
  readonly answerMs?: number
}

const maxSessionsOfAgent = 8
const maxSessions = 500
const bufferBytes = 256 * 1024
const answerMs = 10_000
const holdMs = 10_000
/** A reader that takes nothing for this time is gone, even where its connection looks open. */
const maxHolds = 30
const rememberedEnds = 1_000

export const createLogRelay = (deps: LogRelayDeps): LogRelay => {
  const { peers } = deps
  const sessions = new Map<string, Session>()
  const ended = new Set<string>()

  const close = (session: Session, error?: string): void => {
    if (!sessions.delete(session.id)) return
    ended.add(session.id)
    if (ended.size > rememberedEnds) ended.delete([...ended][0]!)
    session.finish(error)
  }
  const checkLimits = (agentKey: string): void => {
    const own = [...sessions.values()].filter((s) => s.agentKey === agentKey)
    if (own.length < maxSessionsOfAgent && sessions.size < maxSessions) return
    const message = `${own.length} readers follow logs of this agent; let one of them end first`
    throw new StagelyError('TooManyRequests', message, { retryAfterSeconds: 60 })
  }

  const acceptHere: LogRelay['acceptHere'] = async (agentKey, batch) => {
    const session = sessions.get(batch.session)
    if (session?.agentKey !== agentKey) {
      if (ended.has(batch.session)) return 'ended'
      throw unread()
    }
    const state = await session.accept(batch)
    if (session.isOver) close(session)
    return state
  }

  return {
    open: async ({ agentKey, wish }, signal) => {
      checkLimits(agentKey)
      const id = [...(peers === undefined ? [] : [peers.self]), randomUUID()].join('.')
      const session = new Session({ id, agentKey }, deps.clock, () => close(session))
      const order: LogsOrder = { type: 'logs', session: session.id, ...wish }
      sessions.set(session.id, session)
      const leave = (): void => close(session)
      signal.addEventListener('abort', leave, { once: true })
      try {
        const here = deps.ask(agentKey, order)
        if (here !== 'asked' && (await peers?.ask(agentKey, order)) !== 'asked')
          throw absent(agentKey)
        await session.answered(deps.answerMs ?? answerMs)
      } catch (error) {
        close(session)
        throw error
      }
      background(
        () => session.watch((error) => close(session, error)),
        () => close(session, 'the controller could not watch these logs; ask again'),
      )
      return session.stream
    },
    accept: async (agentKey, batch) => {
      const [replica, rest] = batch.session.split('.')
      if (peers === undefined || rest === undefined || replica === peers.self)
        return acceptHere(agentKey, batch)
      const state = await peers.take(replica!, agentKey, batch)
      if (state === undefined) throw unread()
      return state
    },
    acceptHere,
    stop: () => {
      for (const session of sessions.values()) close(session, 'the controller stops; ask again')
    },
  }
}

const absent = (agentKey: string): StagelyError =>
  new StagelyError(
    'ServiceUnavailable',
    `agent ${JSON.stringify(agentKey)} has no connection to a controller: look at its machine`,
    { retryAfterSeconds: 2 },
  )

const unread = (): AgentRefusedError =>
  new AgentRefusedError(404, 'NotFound', 'nobody reads this session of logs here')

const encode = (records: readonly LogRecord[]): Buffer =>
  Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join('') || '\n')

/** One reader. */
class Session {
  readonly id: string
  readonly agentKey: string
  readonly stream: ReadableStream<Uint8Array>
  /** The agent has sent its last record. */
  isOver = false
  readonly #clock: Clock
  readonly #ending = new AbortController()
  #out!: ReadableStreamDefaultController<Uint8Array>
  #lastHeard: number
  #lastSeq = -1
  #holds = 0
  #onAnswer: (() => void) | undefined
  #onRoom: (() => void) | undefined

  constructor(of: { id: string; agentKey: string }, clock: Clock, onLeave: () => void) {
    this.id = of.id
    this.agentKey = of.agentKey
    this.#clock = clock
    this.#lastHeard = clock.now()
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (out) => {
          this.#out = out
        },
        pull: () => {
          this.#onRoom?.()
        },
        cancel: onLeave,
      },
      new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes }),
    )
  }

  /** Resolves when the agent has sent something. */
  answered(withinMs: number): Promise<void> {
    if (this.#lastSeq >= 0) return Promise.resolve()
    const answer = new Promise<void>((resolve) => {
      this.#onAnswer = resolve
    })
    const tooLate = this.#clock.sleep(withinMs, this.#ending.signal).then(
      () => {
        const message = `the agent did not answer within ${withinMs / 1000} s; one that is older than this controller sends no logs: upgrade it`
        throw new StagelyError('ServiceUnavailable', message, { retryAfterSeconds: 5 })
      },
      () => undefined,
    )
    return Promise.race([answer, tooLate])
  }

  /** Calls back when the agent falls silent. */
  async watch(onSilence: (error: string) => void): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await pause(this.#clock, logKeepAliveMs, this.#ending.signal)
      if (this.#clock.now() - this.#lastHeard > logSilenceMs)
        onSilence('the agent no longer answers')
    }
  }

  async accept({ seq, records }: LogBatch): Promise<LogBatchState> {
    this.#lastHeard = this.#clock.now()
    if (seq <= this.#lastSeq) return 'taken'
    if (!(await this.#hasRoom())) {
      this.#holds += 1
      if (this.#holds < maxHolds) return 'full'
      this.isOver = true
      return 'ended'
    }
    if (this.#ending.signal.aborted) return 'ended'
    // A batch that was sent again, as the first answer got lost, may wait here beside the first.
    if (seq <= this.#lastSeq) return 'taken'
    this.#holds = 0
    this.#lastSeq = seq
    this.#out.enqueue(encode(records))
    this.isOver = records.at(-1)?.type === 'end'
    this.#onAnswer?.()
    return 'taken'
  }

  /** Waits a while for the reader. */
  async #hasRoom(): Promise<boolean> {
    if ((this.#out.desiredSize ?? 0) > 0) return true
    const room = new Promise<void>((resolve) => {
      this.#onRoom = resolve
    })
    const patience = this.#clock.sleep(holdMs, this.#ending.signal).catch(() => undefined)
    await Promise.race([room, patience])
    return this.#ending.signal.aborted || (this.#out.desiredSize ?? 0) > 0
  }

  /** Adds the last record, unless the agent has sent it. The reader may be gone already. */
  finish(error: string | undefined): void {
    if (this.#ending.signal.aborted) return
    this.#ending.abort()
    try {
      if (error !== undefined) this.#out.enqueue(encode([{ type: 'end', error }]))
      this.#out.close()
    } catch {
      // The reader is gone.
    }
  }
}
