// Writes that the database refused for a reason of its own, such as a full disk: until one succeeds, this replica is not ready.
import type { Clock } from '../../kernel/clock.ts'
import { isReason } from '../../kernel/errors.ts'

/** A replica that writes nothing asks so often. */
const idleMs = 60_000
/** After a refused write, and while no other comes. */
const againMs = 10_000

export class Refusals {
  /** How many were refused since the start. */
  count = 0
  /** Why the last write was refused; undefined once another has succeeded. */
  fault: string | undefined
  readonly #clock: Pick<Clock, 'monotonic'>
  #knownAt: number

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.#knownAt = clock.monotonic()
  }

  /** What ended `count` writes; a fault of the writes themselves says nothing of the database. */
  note(error: unknown, count: number): void {
    if (!isReason(error, 'ServiceUnavailable')) return
    this.count += count
    this.fault = error.message
    this.#knownAt = this.#clock.monotonic()
  }
  accepted(): void {
    this.fault = undefined
    this.#knownAt = this.#clock.monotonic()
  }
  /** What is known is old: whether the database takes writes has to be tried. */
  get isOld(): boolean {
    const mostMs = this.fault === undefined ? idleMs : againMs
    return this.#clock.monotonic() - this.#knownAt >= mostMs
  }
}
