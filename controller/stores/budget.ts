// So many calls a minute, and no more in any minute. Whoever waits is served in turn.
import type { Clock } from '../../src/kernel/clock.ts'

const minuteMs = 60_000

export class Budget {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>
  /** When (ms) the last calls were made; the oldest first. */
  #calls: number[] = []
  #turn: Promise<void> = Promise.resolve()
  #most: number
  total = 0

  constructor(clock: Pick<Clock, 'now' | 'sleep'>, most: number) {
    this.#clock = clock
    this.#most = most
  }

  set most(most: number) {
    this.#most = most
  }

  /** Calls of the last minute. */
  get used(): number {
    const now = this.#clock.now()
    const from = now - minuteMs
    // The clock was set back: when the calls were is not known.
    if ((this.#calls.at(-1) ?? 0) > now) this.#calls = this.#calls.map(() => now)
    let first = 0
    while (first < this.#calls.length && this.#calls[first]! <= from) first += 1
    if (first > 0) this.#calls = this.#calls.slice(first)
    return this.#calls.length
  }

  /** Resolves when one more call may be made. */
  spend(signal: AbortSignal): Promise<void> {
    const turn = this.#turn.then(() => this.#wait(signal))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    while (this.used >= this.#most) {
      const oldest = this.#calls[this.#calls.length - this.#most] ?? this.#clock.now()
      await this.#clock.sleep(Math.max(1, oldest + minuteMs - this.#clock.now()), signal)
    }
    this.#calls.push(this.#clock.now())
    this.total += 1
  }
}
