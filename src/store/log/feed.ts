// The change feed: it keeps the state up to date, and wakes all watchers of this process.
//
// The log in the database is the truth. NOTIFY and a slow poll only say that there may be new changes. The order of
// resourceVersions is the order of commits. So a read of all changes after the last one misses nothing. Commits of this process come
// through append(), and are not read again.
import { append } from '../../kernel/append.ts'
import type { ChainPoint } from '../../audit/texts.ts'
import type { Clock } from '../../kernel/clock.ts'
import { isAbort, isReason, messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/log.ts'
import { expired, wentBack } from '../core/errors.ts'
import { applyRows, eventsOf, pageSize, readLog, type ChangeRow, type LogPage } from './follow.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Delta, StoreState, Tip } from '../state/state.ts'
import type { ChangeEvent } from '../core/objects.ts'
import type { LoggedChange } from '../core/change-event.ts'
import { Ring } from './ring.ts'

const changesChannel = 'stagely_changes'

const pollMs = 1_000
const wokenAtOnce = 50

/** `wake` does nothing while the watcher is not waiting. */
interface Watcher {
  wake: () => void
}

/** A commit of this process. */
export interface OwnCommit {
  readonly delta: Delta
  readonly events: readonly LoggedChange[]
  readonly rv: number
  readonly chain: ChainPoint
  /** Undefined where nothing was stored. */
  readonly tip: Tip | undefined
}

/** Of the counter row: the newest version, and its commit. */
export interface Position {
  readonly rv: number
  readonly tip: string | null
}

export interface FeedDeps {
  readonly sql: Sql
  /** Id of this process among the controllers on the database. */
  readonly replica: string
  readonly clock: Clock
  readonly log: Logger
  /** Loads the state from the tables. */
  readonly load: () => Promise<StoreState>
  /** The database has lost commits that the state holds. */
  readonly noteLoss: (state: StoreState) => Promise<void>
  /** Nothing that this process has in memory counts any more. */
  readonly onOutdated: () => void
}

export class Feed {
  /** The name that NOTIFY has for commits of this process. */
  readonly origin: string
  /** The database was set back since: nothing in the state counts. */
  isOutdated = false
  readonly #deps: FeedDeps
  readonly #stopping = new AbortController()
  #state: StoreState
  #ring: Ring
  readonly #watchers = new Set<Watcher>()
  #reading: Promise<void> | undefined
  #mustRead = false
  #hasWarned = false
  #stopListening: (() => Promise<void>) | undefined
  #polling: Promise<void> | undefined

  constructor(deps: FeedDeps, state: StoreState) {
    this.origin = deps.replica
    this.#deps = deps
    this.#state = state
    this.#ring = new Ring(state.rv)
  }

  static async open(deps: FeedDeps): Promise<Feed> {
    const feed = new Feed(deps, await deps.load())
    await feed.start()
    return feed
  }

  /** Finds stagelets and projects as they were at the version. Expired where that is no longer known here. */
  finderAt(version: number): ReturnType<Ring['finderAt']> {
    return this.#ring.finderAt(version, this.#state)
  }

  /** All commits up to its `rv`. It is replaced as a whole after this process was cut off for long. */
  get state(): StoreState {
    return this.#state
  }

  async start(): Promise<void> {
    const readNews = (origin?: string): void => {
      if (origin !== this.origin) this.readSoon()
    }
    this.#stopListening = await this.#deps.sql.listen(changesChannel, readNews, readNews)
    this.#polling = this.#poll()
  }

  /** Applies a commit of this process. `before` is the version of the state that it was made on. */
  append(before: number, { delta, events, rv, chain, tip }: OwnCommit): void {
    // The commit may have been read from the log meanwhile. Where another commit lies between, both are read there.
    if (this.#state.rv !== before) {
      if (this.#state.rv < rv) this.readSoon()
      return
    }
    this.#state.apply(delta, rv)
    this.#state.chain = chain
    this.#state.tip = tip ?? this.#state.tip
    this.#push(events)
  }

  /** Reads new changes from the log, soon. */
  readSoon(): void {
    if (this.#stopping.signal.aborted) return
    this.#mustRead = true
    this.#reading ??= this.#readAll()
  }

  /**
   * Reads the log until the state has reached the version. `before` is the version of the state when the database was asked.
   * `q` is given where a transaction holds the only connection.
   */
  async reach(position: Position, before: number, q: Queryable = this.#deps.sql): Promise<void> {
    const { rv, tip } = this.#state
    if (
      position.rv < before ||
      (position.rv === rv && tip !== undefined && position.tip !== tip.id)
    )
      await this.#readOn(q)
    while (this.#state.rv < position.rv) await this.#readOn(q)
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
        const behind = position < this.#ring.floor
        const page = behind ? await this.#readPage(position) : undefined
        const events = page === undefined ? this.#ring.after(position) : eventsOf(page.rows)
        // Rows after the last event make no events.
        position = events.at(-1)?.resourceVersion ?? page?.rows.at(-1)?.rv ?? position
        if (events.length > 0) yield events
        else if (behind && page?.rows.length === 0)
          position = this.#ring.floor // the log has no changes in the gap
        else if (!behind)
          // In the same step as the look at the ring, so that no change can come between.
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

  /** Wakes some at a time: the first ones send their lines before the last ones are woken. */
  #wake(): void {
    const waiting = [...this.#watchers]
    const some = (): void => {
      for (const watcher of waiting.splice(0, wokenAtOnce)) watcher.wake()
      if (waiting.length > 0) setImmediate(some)
    }
    some()
  }

  #push(events: readonly LoggedChange[]): void {
    if (events.length === 0) return
    this.#ring.push(events)
    this.#wake()
  }

  async #readAll(): Promise<void> {
    while (this.#mustRead) {
      this.#mustRead = false
      try {
        await this.#readOn(this.#deps.sql)
        this.#hasWarned = false
      } catch (error) {
        if (!this.#hasWarned) {
          this.#hasWarned = true
          this.#deps.log.warn({ err: messageOf(error) }, 'change feed cannot be read; trying on')
        }
      }
    }
    // In the same step as the last look, so that no readSoon() between the two is lost.
    this.#reading = undefined
  }

  /** Reads to the end of the log, which is the end of a commit: nobody sees half a commit. */
  async #readOn(q: Queryable): Promise<void> {
    const rows: ChangeRow[] = []
    let page: LogPage
    try {
      do {
        page = await this.#readPage(rows.at(-1)?.rv ?? this.#state.rv, q)
        append(rows, page.rows)
      } while (page.rows.length === pageSize)
    } catch (error) {
      if (!isReason(error, 'Expired')) throw error
      await this.#reload()
      return
    }
    if (page.callerCommit !== 'there') {
      await this.#reloadAfter(page.callerCommit, q)
      return
    }
    // Commits of this process may have been applied meanwhile: rows of them are dropped.
    const news = rows.filter(({ rv }) => rv > this.#state.rv)
    const before = this.#state.rv
    applyRows(this.#state, news)
    if (page.rv > before) {
      this.#state.chain = page.chain
      this.#state.tip = page.tip
    }
    this.#state.rv = Math.max(before, page.rv)
    this.#push(eventsOf(news))
  }

  /** The newest commit of the state is not there. */
  async #reloadAfter(fate: 'dropped' | 'lost', q: Queryable): Promise<void> {
    // The transaction of `q` may hold the counter row.
    if (q !== this.#deps.sql) {
      this.readSoon()
      throw wentBack()
    }
    if (fate === 'lost') await this.#deps.noteLoss(this.#state)
    await this.#reload()
  }

  /**
   * This process was cut off for longer than changes are kept: the state is loaded again, and watchers must list again. After
   * a restore the whole process must start again: its logins and streams belong to the old state.
   */
  async #reload(): Promise<void> {
    const state = await this.#deps.load()
    if (state.epoch !== this.#state.epoch) {
      this.isOutdated = true
      this.#deps.onOutdated()
      throw wentBack()
    }
    this.#state = state
    this.#ring = new Ring(state.rv)
    this.#wake()
  }

  async #readPage(after: number, q: Queryable = this.#deps.sql): Promise<LogPage> {
    const page = await readLog(q, after, this.#state.tip)
    if (after < page.compacted) throw expired(after, page.compacted)
    return page
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#deps.clock.sleep(pollMs, this.#stopping.signal)
        this.readSoon()
      } catch (error) {
        if (!isAbort(error)) throw error
      }
    }
  }
}
