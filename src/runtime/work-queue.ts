// A queue of keys.
//
// INVARIANTS
// - A key waits at most once; adding a waiting key changes nothing.
// - A key in work is not handed out again before done(). If it is added meanwhile, it waits after that.
// - Adding a delayed key without a delay makes it wait at once and cancels its timer.
// - The queue keeps nothing of a key that is not waiting, delayed, in work or failing.
import { after } from '../kernel/async/pause.ts'
import { backoffMs, type BackoffOptions } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'

/** The reason of an abort, which nobody reads. Without a reason each abort makes an error with its stack. */
const noLonger = 'it is in work, or waits for another time'

interface WorkQueueOptions {
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

  /** Adds after `ms`. If the key has an earlier timer, that one stays. */
  addAfter(key: string, ms: number): void {
    if (this.#closed) return
    // Of a clock that never jumps: after a jump of the wall clock, a late timer would seem the earlier one.
    const dueAt = this.#options.clock.monotonic() + ms
    const pending = this.#delayed.get(key)
    if (pending !== undefined && pending.dueAt <= dueAt) return
    this.#dropTimer(key)
    const cancel = new AbortController()
    this.#delayed.set(key, { dueAt, cancel })
    after(this.#options.clock, ms, cancel.signal, () => this.add(key))
  }

  /** Adds after the key's next backoff delay, with full jitter. Returns how often it has failed since it was forgotten. */
  addFailed(key: string): number {
    const attempt = this.#failures.get(key) ?? 0
    this.#failures.set(key, attempt + 1)
    this.addAfter(key, backoffMs(attempt, this.#options.backoff, this.#options.random))
    return attempt + 1
  }

  /** Forgets the failures of a key: its next delay is the base delay again. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key; undefined once the queue is closed. The caller must call done() with the key. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      this.#working.add(key)
      return Promise.resolve(key)
    }
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  /** Up to `most` more waiting keys, without waiting for any. The caller must call done() with each. */
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

  /** Number of keys that wait or are in work; delayed keys do not count. */
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
    this.#delayed.get(key)?.cancel.abort(noLonger)
    this.#delayed.delete(key)
  }
}
