// Which counters of a session were seen. Requests of one agent go over several connections and may
// overtake each other, so that a counter counts once, in any order, within the last 1,024.
const width = 1024

export class CounterWindow {
  #highest = 0
  /** One bit for each of the last `width` counters. Nothing uses 0. */
  readonly #seen = new Uint32Array(width / 32).fill(1, 0, 1)

  /** Seen before, or so old that this is not known any more. */
  has(counter: number): boolean {
    if (counter > this.#highest) return false
    if (counter <= this.#highest - width) return true
    return (this.#seen[(counter % width) >> 5]! & (1 << (counter % 32))) !== 0
  }

  /** True once for each counter. */
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
