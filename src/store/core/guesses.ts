// Answers of the store may tell whether a value was guessed. Nobody gets many of them: see ADR 0080. Each controller counts
// by itself, and gives its part of what all of them may give.
import { toTimestamp, type Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'

export const hourMs = 3_600_000
export const dayMs = 86_400_000
/** Whose guesses are remembered, of each kind: many of one kind make none of another forgotten. */
const mostCounted = 20_000

/** The first word of what is counted. */
const kindOf = (counted: string): string => counted.split(' ', 1)[0] ?? ''

interface Limit {
  readonly most: number
  /** What was done. */
  readonly why: string
  /** What helps beside to wait. */
  readonly or?: string
  /** What the answers tell of; values by default. */
  readonly of?: 'values' | 'names'
  readonly withinMs?: typeof hourMs | typeof dayMs
}

export class Guesses {
  readonly #clock: Pick<Clock, 'now'>
  /** By kind: when (ms) each guess was made last, by what is counted; in the order of their times. */
  readonly #kinds = new Map<string, Map<string, Map<string, number>>>()

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
    { most, why, or, of = 'values', withinMs = hourMs }: Limit,
  ): void {
    const since = this.#clock.now() - withinMs
    const times = [...made.values()].filter((at) => at > since)
    if (times.length + wanted <= Math.ceil(most / this.#replicas())) return
    const [first = this.#clock.now()] = times
    const retryAfterSeconds = Math.max(1, Math.ceil((first - since) / 1_000))
    const until = toTimestamp(first + withinMs)
    const time = withinMs === dayMs ? 'day' : 'hour'
    const message = `within the last ${time} ${why}; more would tell of ${of} that you may not read: wait until ${until}${or === undefined ? '' : `, or ${or}`}`
    throw new StagelyError('TooManyRequests', message, { retryAfterSeconds })
  }

  #noteAll(counted: string, guesses: readonly string[]): void {
    const made = this.#recent(counted)
    for (const guess of guesses) {
      made.delete(guess)
      made.set(guess, this.#clock.now())
    }
    const kind = kindOf(counted)
    const all = this.#kinds.get(kind) ?? new Map<string, Map<string, number>>()
    this.#kinds.set(kind, all)
    all.delete(counted)
    all.set(counted, made)
    const [oldest] = all.keys()
    if (all.size > mostCounted && oldest !== undefined) all.delete(oldest)
  }

  /** Of a day. */
  #recent(counted: string): Map<string, number> {
    const made = this.#kinds.get(kindOf(counted))?.get(counted) ?? new Map<string, number>()
    for (const [guess, at] of made) {
      if (at > this.#clock.now() - dayMs) break
      made.delete(guess)
    }
    return made
  }
}
