// Answers of the store may tell whether a value was guessed. Nobody gets many of them: see ADR 0080. Each controller counts
// by itself, and gives its part of what all of them may give.
import { toTimestamp, type Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'

export const hourMs = 3_600_000
export const dayMs = 86_400_000
/** Whose guesses are remembered. */
const mostCounted = 20_000

interface Limit {
  readonly most: number
  /** What was done. */
  readonly why: string
  readonly withinMs?: typeof hourMs | typeof dayMs
}

export class Guesses {
  readonly #clock: Pick<Clock, 'now'>
  /**
   * When (ms) each guess was made last, by what is counted; in the order of their times. Each sort of guess, the first word
   * of what is counted, has a bound of its own: many guesses of one sort do not make those of another one forgotten.
   */
  readonly #sorts = new Map<string, Map<string, Map<string, number>>>()

  /** How many controllers there are. */
  readonly #replicas: () => number

  constructor(clock: Pick<Clock, 'now'>, replicas: () => number = () => 1) {
    this.#clock = clock
    this.#replicas = replicas
  }

  /** Counts a guess; the same one again counts once. */
  note(counted: string, guess: string): void {
    this.#noteAll(counted, [guess])
  }

  /** TooManyRequests once `most` guesses were made within the time. A guess that was made passes. */
  check(counted: string, { guess, ...limit }: Limit & { guess?: string }): void {
    const made = this.#recent(counted)
    if (guess !== undefined && made.has(guess)) return
    this.#checkRoom(made, 1, limit)
  }

  /** TooManyRequests where not all of them have room, and none is counted; else they are. */
  spend(counted: string, guesses: readonly string[], limit: Limit): void {
    const made = this.#recent(counted)
    const fresh = new Set(guesses.filter((guess) => !made.has(guess)))
    if (fresh.size === 0) return
    this.#checkRoom(made, fresh.size, limit)
    this.#noteAll(counted, guesses)
  }

  #checkRoom(
    made: ReadonlyMap<string, number>,
    wanted: number,
    { most, why, withinMs = hourMs }: Limit,
  ): void {
    const since = this.#clock.now() - withinMs
    const times = [...made.values()].filter((at) => at > since)
    if (times.length + wanted <= Math.ceil(most / this.#replicas())) return
    const [first = this.#clock.now()] = times
    const retryAfterSeconds = Math.max(1, Math.ceil((first - since) / 1_000))
    const until = toTimestamp(first + withinMs)
    const time = withinMs === dayMs ? 'day' : 'hour'
    const message = `within the last ${time} ${why}; more would tell of values that you may not read: wait until ${until}`
    throw new StagelyError('TooManyRequests', message, { retryAfterSeconds })
  }

  #noteAll(counted: string, guesses: readonly string[]): void {
    const made = this.#recent(counted)
    for (const guess of guesses) {
      made.delete(guess)
      made.set(guess, this.#clock.now())
    }
    const sort = this.#sortOf(counted)
    sort.delete(counted)
    sort.set(counted, made)
    const [oldest] = sort.keys()
    if (sort.size > mostCounted && oldest !== undefined) sort.delete(oldest)
  }

  #sortOf(counted: string): Map<string, Map<string, number>> {
    const [sort = ''] = counted.split(' ', 1)
    const of = this.#sorts.get(sort) ?? new Map<string, Map<string, number>>()
    this.#sorts.set(sort, of)
    return of
  }

  /** Of a day. */
  #recent(counted: string): Map<string, number> {
    const made = this.#sortOf(counted).get(counted) ?? new Map<string, number>()
    for (const [guess, at] of made) {
      if (at > this.#clock.now() - dayMs) break
      made.delete(guess)
    }
    return made
  }
}
