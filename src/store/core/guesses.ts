// Answers of the store may tell whether a value was guessed. Nobody gets many of them: see ADR 0080. Each controller counts
// by itself.
import { toTimestamp, type Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'

const hourMs = 3_600_000
/** Whose guesses are remembered. */
const mostCounted = 20_000

export class Guesses {
  readonly #clock: Pick<Clock, 'now'>
  /** When (ms) each guess was made last, by what is counted; in the order of their times. */
  readonly #made = new Map<string, Map<string, number>>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Counts a guess; the same one again counts once. */
  note(counted: string, guess: string): void {
    const made = this.#recent(counted)
    made.delete(guess)
    made.set(guess, this.#clock.now())
    this.#made.delete(counted)
    this.#made.set(counted, made)
    const [oldest] = this.#made.keys()
    if (this.#made.size > mostCounted && oldest !== undefined) this.#made.delete(oldest)
  }

  /** TooManyRequests once `most` guesses were made within the hour. `why` says what was done. A guess that was made passes. */
  check(
    counted: string,
    { most, why, guess }: { most: number; why: string; guess?: string },
  ): void {
    const made = this.#recent(counted)
    if (made.size < most || (guess !== undefined && made.has(guess))) return
    const [first = 0] = made.values()
    const retryAfterSeconds = Math.max(1, Math.ceil((first + hourMs - this.#clock.now()) / 1_000))
    const until = toTimestamp(first + hourMs)
    const message = `within the last hour ${why}; more would tell of values that you may not read: wait until ${until}`
    throw new StagelyError('TooManyRequests', message, { retryAfterSeconds })
  }

  #recent(counted: string): Map<string, number> {
    const made = this.#made.get(counted) ?? new Map<string, number>()
    for (const [guess, at] of made) {
      if (at > this.#clock.now() - hourMs) break
      made.delete(guess)
    }
    return made
  }
}
