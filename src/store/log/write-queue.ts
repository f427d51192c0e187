// Writes that wait. They are served in the order of their arrival, but whoever has held the writer for long comes after all
// others: so one caller's heavy writes hold up nobody else for more than the one that runs.
import type { Clock } from '../../kernel/clock.ts'
import { payerOf } from '../core/actor.ts'
import type { QueuedWrite } from './run-write.ts'

/** Most writes in one commit: the first of them waits for the last. */
const mostInGroup = 64
/** Nobody waits behind who has held the writer for less (ms). */
const lightMs = 50
/** For each ms that goes by, so much of what a caller has held is forgotten. */
const forgottenPerMs = 0.5
const mostKnown = 10_000

export const callerOf = ({ actor }: Pick<QueuedWrite, 'actor'>): string =>
  payerOf(actor) ?? actor.name

export class WriteQueue {
  readonly #clock: Pick<Clock, 'monotonic'>
  #waiting: QueuedWrite[] = []
  /** For how long (ms) each caller has held the writer, as of a time. */
  readonly #held = new Map<string, { readonly ms: number; readonly at: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** For how long (ms) the oldest write waits, of those that are served too; 0 for none. */
  oldestWaitMs(served: readonly QueuedWrite[]): number {
    const now = this.#clock.monotonic()
    return [served, this.#waiting]
      .flat()
      .reduce((longest, { since }) => Math.max(longest, now - since), 0)
  }

  push(write: QueuedWrite): void {
    this.#waiting.push(write)
  }

  /** Writes that were taken, and not run. */
  putBack(writes: readonly QueuedWrite[]): void {
    this.#waiting.unshift(...writes)
  }

  /** The next writes that may share a commit. A write in a transaction has a commit of its own. */
  next(): QueuedWrite[] {
    if (this.#held.size > 0) {
      const weights = new Map(this.#waiting.map((write) => [write, this.#weightOf(write)]))
      this.#waiting.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0))
    }
    const first = this.#waiting.findIndex(({ deferred }) => deferred.isLocked)
    const size = first < 0 ? mostInGroup : Math.max(1, Math.min(first, mostInGroup))
    return this.#waiting.splice(0, size)
  }

  /** Counts a write that was run for so long (ms). */
  noteHeld(write: QueuedWrite, ms: number): void {
    const caller = callerOf(write)
    const held = this.#heldBy(caller) + ms
    if (held < 1) return
    this.#held.delete(caller)
    this.#held.set(caller, { ms: held, at: this.#clock.monotonic() })
    if (this.#held.size > mostKnown)
      for (const other of this.#held.keys()) if (this.#heldBy(other) === 0) this.#held.delete(other)
  }

  #heldBy(caller: string): number {
    const { ms, at } = this.#held.get(caller) ?? { ms: 0, at: 0 }
    return Math.max(0, ms - (this.#clock.monotonic() - at) * forgottenPerMs)
  }

  #weightOf(write: QueuedWrite): number {
    const held = this.#heldBy(callerOf(write))
    return held < lightMs ? 0 : held
  }
}
