// The counters of a session that were used already. Requests of one agent use several connections and
// may overtake each other. So counters are accepted in any order, each once, within the last 1,024.
const width = 1024

export class CounterWindow {
  #highest = 0
  /** One bit for each of the last `width` counters. Counter 0 is never accepted. */
  readonly #seen = new Uint32Array(width / 32).fill(1, 0, 1)

  /** True for a used counter, and for one that is too old to be known. */
  has(counter: number): boolean {
    if (counter > this.#highest) return false
    if (counter <= this.#highest - width) return true
    return (this.#seen[(counter % width) >> 5]! & (1 << (counter % 32))) !== 0
  }

  /** Marks the counter as used. True the first time. */
  take(counter: number): boolean {
    if (this.has(counter)) return false
    const first = Math.max(this.#highest + 1, counter - width + 1)
    for (let skipped = first; skipped <= counter; skipped++)
      this.#seen[(skipped % width) >> 5]! &= ~(1 << (skipped % 32))
    this.#highest = Math.max(this.#highest, counter)
    this.#seen[(counter % width) >> 5]! |= 1 << (counter % 32)
    return true
  }
}
