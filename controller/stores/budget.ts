// So many calls a minute, and no more in any minute. Whoever waits is served in turn; what is urgent has
// a turn of its own, and some calls of each minute that nothing else may take.
import type { Clock } from '../../src/kernel/clock.ts'

const minuteMs = 60_000

export class Budget {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>
  /** When (ms) the last calls were made; the oldest first. */
  #calls: number[] = []
  readonly #turns = { urgent: Promise.resolve(), other: Promise.resolve() }
  readonly #urgent = new WeakSet<AbortSignal>()
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

  /** What spends with this signal does not wait for the others. */
  hurry(signal: AbortSignal): void {
    this.#urgent.add(signal)
  }

  /** Resolves when one more call may be made. */
  spend(signal: AbortSignal): Promise<void> {
    const name = this.#urgent.has(signal) ? 'urgent' : 'other'
    const turn = this.#turns[name].then(() => this.#wait(name, signal))
    this.#turns[name] = turn.catch(() => undefined)
    return turn
  }

  /** A tenth of each minute is kept for what is urgent. */
  #mostOf(name: 'urgent' | 'other'): number {
    return name === 'urgent' ? this.#most : this.#most - Math.floor(this.#most / 10)
  }

  async #wait(name: 'urgent' | 'other', signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    for (let used = this.used; used >= this.#mostOf(name); used = this.used) {
      const oldest = this.#calls[used - this.#mostOf(name)] ?? this.#clock.now()
      await this.#clock.sleep(Math.max(1, oldest + minuteMs - this.#clock.now()), signal)
    }
    this.#calls.push(this.#clock.now())
    this.total += 1
  }
}
