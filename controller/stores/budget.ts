// So many calls a minute, and no more in any minute. Whoever waits is served in turn; what is urgent has
// a turn of its own. Neither takes all calls of a minute from the other.
import type { Clock } from '../../src/kernel/clock.ts'

const minuteMs = 60_000

interface Call {
  readonly isUrgent: boolean
  /** ms */
  readonly at: number
}

/** When (ms) one more call makes no minute that has more than `most`; `calls`: those of the last minute. */
const freeAt = (calls: readonly Call[], most: number): number =>
  calls.length < most ? 0 : (calls[calls.length - most]?.at ?? 0) + minuteMs

export class Budget {
  readonly #clock: Pick<Clock, 'now' | 'sleep'>
  /** The last ones; the oldest first. */
  #calls: Call[] = []
  readonly #turns = { urgent: Promise.resolve(), other: Promise.resolve() }
  readonly #urgent = new WeakSet<AbortSignal>()
  #most: number
  #closed: Error | undefined
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
    return this.#lastMinute().length
  }

  #lastMinute(): readonly Call[] {
    const now = this.#clock.now()
    const from = now - minuteMs
    // The clock was set back: when the calls were is not known.
    if ((this.#calls.at(-1)?.at ?? 0) > now)
      this.#calls = this.#calls.map(({ isUrgent }) => ({ isUrgent, at: now }))
    let first = 0
    while (first < this.#calls.length && this.#calls[first]!.at <= from) first += 1
    if (first > 0) this.#calls = this.#calls.slice(first)
    return this.#calls
  }

  /** What spends with this signal does not wait for the others. */
  hurry(signal: AbortSignal): void {
    this.#urgent.add(signal)
  }

  get closed(): Error | undefined {
    return this.#closed
  }

  /** Whoever wants to call, or waits for that, is told this until it is open again. */
  close(why: Error): void {
    this.#closed = why
  }

  open(): void {
    this.#closed = undefined
  }

  /** Resolves when one more call may be made. */
  spend(signal: AbortSignal): Promise<void> {
    const isUrgent = this.#urgent.has(signal)
    const name = isUrgent ? 'urgent' : 'other'
    const turn = this.#turns[name].then(() => this.#wait(isUrgent, signal))
    this.#turns[name] = turn.catch(() => undefined)
    return turn
  }

  /** Each of the two leaves a tenth of each minute to the other. */
  #freeAt(isUrgent: boolean): number {
    const all = this.#lastMinute()
    const own = all.filter((call) => call.isUrgent === isUrgent)
    const most = this.#most
    return Math.max(freeAt(all, most), freeAt(own, most - Math.floor(most / 10)))
  }

  async #wait(isUrgent: boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#closed !== undefined) throw this.#closed
      const at = this.#freeAt(isUrgent)
      const now = this.#clock.now()
      if (at <= now) break
      await this.#clock.sleep(at - now, signal)
    }
    this.#calls.push({ isUrgent, at: this.#clock.now() })
    this.total += 1
  }
}
