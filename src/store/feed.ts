// The change feed: one reader for all watchers of this process.
//
// The table is the truth. NOTIFY, the poke after a local commit and the slow poll only say "look";
// since resourceVersion order is commit order, "everything after the last one seen" misses nothing.
// What this process commits itself it hands over, and is not looked for again.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { StagelyError, isAbort, messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/log.ts'
import { changeEvent } from './change-event.ts'
import type { Sql } from './sql.ts'
import type { ChangeEvent } from './store.ts'

export const changesChannel = 'stagely_changes'

const pollMs = 1_000
const pageSize = 1_000
/** Changes kept in memory for watchers; who is further behind reads the table. */
const ringSize = 4_096
const wokenAtOnce = 50

/** Somebody who follows the feed. `wake` does nothing while he is not waiting. */
interface Watcher {
  wake: () => void
}

interface ChangeRow {
  compacted_rv: number
  rv: number | null
  type: ChangeEvent['type']
  body: string
  previous: string | null
}

const toEvent = ({ rv, type, body, previous }: ChangeRow & { rv: number }): ChangeEvent =>
  changeEvent({ resourceVersion: rv, type, text: body, previous: previous ?? undefined })

const expired = (after: number, compacted: number): StagelyError =>
  new StagelyError('Expired', `too old resource version: ${after} (${compacted})`)

export class Feed {
  /** What NOTIFY says of commits whose changes are handed to append(). */
  readonly origin = randomUUID()
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #log: Logger
  readonly #stopping = new AbortController()
  #ring: ChangeEvent[] = []
  /** Everything after this version, up to the head, is in the ring. */
  #floor: number
  /** Newest version that watchers may see. */
  #head: number
  readonly #watchers = new Set<Watcher>()
  #reading: Promise<void> | undefined
  #lookAgain = false
  #complained = false
  #stopListening: (() => Promise<void>) | undefined
  #polling: Promise<void> | undefined

  constructor(deps: { sql: Sql; clock: Clock; log: Logger }, head: number) {
    this.#sql = deps.sql
    this.#clock = deps.clock
    this.#log = deps.log
    this.#floor = head
    this.#head = head
  }

  async start(): Promise<void> {
    const look = (origin?: string): void => {
      if (origin !== this.origin) this.poke()
    }
    this.#stopListening = await this.#sql.listen(changesChannel, look, look)
    this.#polling = this.#poll()
  }

  /** Changes that this process committed. `before` is the version that they follow on. */
  append(before: number, events: readonly ChangeEvent[]): void {
    // Another replica's changes may lie between: then all of them are read from the table.
    if (this.#head === before) this.#take(events)
    else this.poke()
  }

  /** Looks for new changes soon. */
  poke(): void {
    if (this.#stopping.signal.aborted) return
    this.#lookAgain = true
    this.#reading ??= this.#readAll()
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
        const events = behind ? await this.#readPage(position) : this.#after(position)
        const last = events.at(-1)
        if (last !== undefined) {
          position = last.resourceVersion
          yield events
        } else if (behind) {
          position = this.#floor // nothing was left of the gap
        } else {
          // Nothing can come between the look and this: both are of one step.
          await new Promise<void>((resolve) => (watcher.wake = resolve))
        }
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
    if (position >= this.#head) return []
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

  #take(events: readonly ChangeEvent[]): void {
    const last = events.at(-1)
    if (last === undefined) return
    this.#ring.push(...events)
    this.#head = last.resourceVersion
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
        let page: ChangeEvent[]
        do {
          page = await this.#readPage(this.#head)
          // Local commits may have come meanwhile: a page follows on without gap, but may repeat them.
          this.#take(page.filter((event) => event.resourceVersion > this.#head))
        } while (page.length === pageSize)
        this.#complained = false
      } catch (error) {
        if (error instanceof StagelyError && error.reason === 'Expired') await this.#jump()
        else if (!this.#complained) {
          this.#complained = true
          this.#log.warn({ err: messageOf(error) }, 'change feed cannot be read; trying on')
        }
      }
    }
    // In the same step as the last look, so that no poke between the two is lost.
    this.#reading = undefined
  }

  /** This process was away for longer than changes are kept: its watchers must list again. */
  async #jump(): Promise<void> {
    const rows = await this.#sql.query<{ rv: number }>('SELECT rv FROM counters').catch(() => [])
    this.#ring = []
    this.#head = rows[0]?.rv ?? this.#head
    this.#floor = this.#head
    this.#wake()
  }

  async #readPage(after: number): Promise<ChangeEvent[]> {
    const rows = await this.#sql.query<ChangeRow>(
      `WITH page AS (
         SELECT rv, type, body, previous FROM changes WHERE rv > $1 ORDER BY rv LIMIT ${pageSize}
       )
       SELECT c.compacted_rv, p.rv, p.type, p.body, p.previous
       FROM counters c LEFT JOIN page p ON true ORDER BY p.rv`,
      [after],
    )
    const compacted = rows[0]?.compacted_rv ?? 0
    if (after < compacted) throw expired(after, compacted)
    return rows.flatMap((row) => (row.rv === null ? [] : [toEvent({ ...row, rv: row.rv })]))
  }

  async #poll(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#clock.sleep(pollMs, this.#stopping.signal)
        this.poke()
      } catch (error) {
        if (!isAbort(error)) throw error
      }
    }
  }
}
