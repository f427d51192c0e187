// The change feed: one reader of the log for the state and all watchers of this process.
//
// The table is the truth. NOTIFY, the poke after a local commit and the slow poll only say "look";
// since resourceVersion order is commit order, "everything after the last one seen" misses nothing.
// What this process commits itself it hands over, and is not looked for again.
import type { ChainPoint } from '../audit/texts.ts'
import type { Clock } from '../kernel/clock.ts'
import { StagelyError, isAbort, messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/log.ts'
import {
  applyRows,
  eventsOf,
  pageSize,
  readLog,
  type ChangeRow,
  type LogPage,
} from './log/follow.ts'
import type { Queryable, Sql } from './sql.ts'
import type { Delta, State } from './state/state.ts'
import type { ChangeEvent } from './store.ts'

const changesChannel = 'stagely_changes'

const pollMs = 1_000
/** Changes kept in memory for watchers; who is further behind reads the table. */
const ringSize = 4_096
const wokenAtOnce = 50

/** Somebody who follows the feed. `wake` does nothing while he is not waiting. */
interface Watcher {
  wake: () => void
}

/** What this process committed. */
export interface OwnCommit {
  readonly delta: Delta
  readonly events: readonly ChangeEvent[]
  readonly rv: number
  readonly chain: ChainPoint
}

const expired = (after: number, compacted: number): StagelyError =>
  new StagelyError('Expired', `too old resource version: ${after} (${compacted})`)

const isExpired = (error: unknown): boolean =>
  error instanceof StagelyError && error.reason === 'Expired'

export interface FeedDeps {
  readonly sql: Sql
  /** Id of this process among the controllers on the database. */
  readonly replica: string
  readonly clock: Clock
  readonly log: Logger
  /** The state as the tables have it. */
  readonly load: () => Promise<State>
}

export class Feed {
  /** What NOTIFY says of commits whose changes are handed to append(). */
  readonly origin: string
  readonly #deps: FeedDeps
  readonly #stopping = new AbortController()
  #state: State
  #ring: ChangeEvent[] = []
  /** Everything after this version, up to the head, is in the ring. */
  #floor: number
  readonly #watchers = new Set<Watcher>()
  #reading: Promise<void> | undefined
  #lookAgain = false
  #complained = false
  #stopListening: (() => Promise<void>) | undefined
  #polling: Promise<void> | undefined

  constructor(deps: FeedDeps, state: State) {
    this.origin = deps.replica
    this.#deps = deps
    this.#state = state
    this.#floor = state.rv
  }

  static async open(deps: FeedDeps): Promise<Feed> {
    const feed = new Feed(deps, await deps.load())
    await feed.start()
    return feed
  }

  /** All up to its `rv`. Another one takes its place where this process was away for long. */
  get state(): State {
    return this.#state
  }

  async start(): Promise<void> {
    const look = (origin?: string): void => {
      if (origin !== this.origin) this.poke()
    }
    this.#stopListening = await this.#deps.sql.listen(changesChannel, look, look)
    this.#polling = this.#poll()
  }

  /** `before` is the version that the commit follows on. */
  append(before: number, { delta, events, rv, chain }: OwnCommit): void {
    // It may have been read from the table meanwhile; and where another's lies between, both are read there.
    if (this.#state.rv !== before) {
      if (this.#state.rv < rv) this.poke()
      return
    }
    this.#state.apply(delta, rv)
    this.#state.chain = chain
    this.#push(events)
  }

  /** Looks for new changes soon. */
  poke(): void {
    if (this.#stopping.signal.aborted) return
    this.#lookAgain = true
    this.#reading ??= this.#readAll()
  }

  /** Reads on until the state has reached `rv`; from `q`, where a transaction holds the only connection. */
  async reach(rv: number, q: Queryable = this.#deps.sql): Promise<void> {
    while (this.#state.rv < rv) await this.#readOn(q)
  }

  /** See Store.watch. Ends when `signal` aborts or the feed stops. */
  async *watch(after: number, signal: AbortSignal): AsyncGenerator<ChangeEvent[]> {
    let position = after
    const watcher: Watcher = { wake: () => undefined }
    const onAbort = (): void => {
      watcher.wake()
    }
    this.#watchers.add(watcher)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted && !this.#stopping.signal.aborted) {
        const behind = position < this.#floor
        const page = behind ? await this.#readPage(position) : undefined
        const events = page === undefined ? this.#after(position) : eventsOf(page.rows)
        // What is there after the last event tells watchers nothing.
        position = events.at(-1)?.resourceVersion ?? page?.rows.at(-1)?.rv ?? position
        if (events.length > 0) yield events
        else if (behind && page?.rows.length === 0)
          position = this.#floor // nothing was left of the gap
        else if (!behind)
          // Nothing can come between the look and this: both are of one step.
          await new Promise<void>((resolve) => (watcher.wake = resolve))
      }
    } finally {
      this.#watchers.delete(watcher)
      signal.removeEventListener('abort', onAbort)
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake()
    await this.#stopListening?.()
    await this.#polling
    await this.#reading
  }

  #after(position: number): ChangeEvent[] {
    let low = 0
    let high = this.#ring.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ring[middle]!.resourceVersion <= position) low = middle + 1
      else high = middle
    }
    return this.#ring.slice(low)
  }

  /** Some at a time: the first have their lines on the way while the last are still to be woken. */
  #wake(): void {
    const waiting = [...this.#watchers]
    const some = (): void => {
      for (const watcher of waiting.splice(0, wokenAtOnce)) watcher.wake()
      if (waiting.length > 0) setImmediate(some)
    }
    some()
  }

  #push(events: readonly ChangeEvent[]): void {
    if (events.length === 0) return
    for (const event of events) this.#ring.push(event)
    if (this.#ring.length > ringSize * 2) {
      const dropped = this.#ring.splice(0, this.#ring.length - ringSize)
      this.#floor = dropped.at(-1)?.resourceVersion ?? this.#floor
    }
    this.#wake()
  }

  async #readAll(): Promise<void> {
    while (this.#lookAgain) {
      this.#lookAgain = false
      try {
        await this.#readOn(this.#deps.sql)
        this.#complained = false
      } catch (error) {
        if (!this.#complained) {
          this.#complained = true
          this.#deps.log.warn({ err: messageOf(error) }, 'change feed cannot be read; trying on')
        }
      }
    }
    // In the same step as the last look, so that no poke between the two is lost.
    this.#reading = undefined
  }

  /** To where the log ends, which is the end of a commit: nobody sees half of one. */
  async #readOn(q: Queryable): Promise<void> {
    const rows: ChangeRow[] = []
    let page: LogPage
    try {
      do {
        page = await this.#readPage(rows.at(-1)?.rv ?? this.#state.rv, q)
        rows.push(...page.rows)
      } while (page.rows.length === pageSize)
    } catch (error) {
      if (!isExpired(error)) throw error
      await this.#jump()
      return
    }
    // Local commits may have come meanwhile: the rows follow on without gap, but may repeat them.
    const news = rows.filter(({ rv }) => rv > this.#state.rv)
    const before = this.#state.rv
    applyRows(this.#state, news)
    if (page.rv > before) this.#state.chain = page.chain
    this.#state.rv = Math.max(before, page.rv)
    this.#push(eventsOf(news))
  }

  /** This process was away for longer than changes are kept: its watchers must list again. */
  async #jump(): Promise<void> {
    this.#state = await this.#deps.load()
    this.#ring = []
    this.#floor = this.#state.rv
    this.#wake()
  }

  async #readPage(after: number, q: Queryable = this.#deps.sql): Promise<LogPage> {
    const page = await readLog(q, after)
    if (after < page.compacted) throw expired(after, page.compacted)
    return page
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#deps.clock.sleep(pollMs, this.#stopping.signal)
        this.poke()
      } catch (error) {
        if (!isAbort(error)) throw error
      }
    }
  }
}
