// A queue of keys.
//
// INVARIANTS
// - A key waits at most once; adding it again while it waits changes nothing.
// - A key is never handed out while it is being worked on: added meanwhile, it comes again after done().
// - A delayed key that is added directly comes at once, and its timer is dropped.
// - Nothing is kept of a key that is neither waiting, delayed, worked on, nor failing.
import { backoffMs, type BackoffOptions } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly backoff: BackoffOptions
  readonly random?: () => number
}

export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting = new Set<string>()
  readonly #working = new Set<string>()
  readonly #again = new Set<string>()
  readonly #delayed = new Map<string, { dueAt: number; cancel: AbortController }>()
  readonly #failures = new Map<string, number>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #closed = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  add(key: string): void {
    if (this.#closed) return
    this.#dropTimer(key)
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    const taker = this.#takers.shift()
    if (taker === undefined) {
      this.#waiting.add(key)
    } else {
      this.#working.add(key)
      taker(key)
    }
  }

  /** Adds after `ms`; an earlier timer of the same key wins. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return
    const dueAt = this.#options.clock.now() + ms
    const pending = this.#delayed.get(key)
    if (pending !== undefined && pending.dueAt <= dueAt) return
    this.#dropTimer(key)
    const cancel = new AbortController()
    this.#delayed.set(key, { dueAt, cancel })
    this.#options.clock.sleep(ms, cancel.signal).then(
      () => {
        this.add(key)
      },
      () => undefined, // cancelled
    )
  }

  /** Adds after this key's next backoff delay with full jitter. */
  addFailed(key: string): void {
    const attempt = this.#failures.get(key) ?? 0
    this.#failures.set(key, attempt + 1)
    this.addAfter(key, backoffMs(attempt, this.#options.backoff, this.#options.random))
  }

  /** Forgets the failures of a key: the next one starts from the base delay. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** Next key, or undefined once the queue is closed. Call done() with it when the work is over. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      this.#working.add(key)
      return Promise.resolve(key)
    }
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  /** As many more of those that wait, without waiting for any. Call done() with each. */
  takeMore(most: number): string[] {
    const taken: string[] = []
    for (const key of this.#waiting) {
      if (taken.length >= most) break
      this.#waiting.delete(key)
      this.#working.add(key)
      taken.push(key)
    }
    return taken
  }

  done(key: string): void {
    this.#working.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  /** Keys waiting or being worked on; delayed ones do not count. */
  get depth(): number {
    return this.#waiting.size + this.#working.size
  }

  close(): void {
    this.#closed = true
    for (const key of [...this.#delayed.keys()]) this.#dropTimer(key)
    this.#waiting.clear()
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #dropTimer(key: string): void {
    this.#delayed.get(key)?.cancel.abort()
    this.#delayed.delete(key)
  }
}
