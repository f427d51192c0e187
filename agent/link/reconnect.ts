// When to connect again. After an established stream was lost the first tries are spread evenly: measured on 5,000
// agents, exponential backoff is at its worst in a short restart, which is the common case.
import { backoffMs } from '../../src/kernel/backoff.ts'

/** How one attempt to hold a stream ended. */
export type StreamOutcome =
  /** The stream was up for `upMs`. `spreadMs` and `afterMs` are what the controller said. */
  | {
      readonly kind: 'lost'
      readonly upMs: number
      readonly spreadMs: number
      readonly afterMs?: number
    }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'refused'; readonly retryAfterMs: number | undefined }
  /** Another try does not help by itself: revoked, or another protocol. `replaced`: another stream of this agent came. */
  | { readonly kind: 'hopeless'; readonly replaced?: boolean }

const healthyMs = 60_000
const slowMs = 60_000
const leastCapMs = 5_000
const mostCapMs = 30_000

/**
 * Largest back-off. Agents that were away for long come back over this time. Twice the time in which the controller
 * takes them all, as it said last, keeps their peak within its rate; and in a small fleet nobody stays away for half a
 * minute after a restart of ten seconds.
 */
export const backoffCapMs = (spreadMs: number | undefined): number =>
  spreadMs === undefined ? mostCapMs : Math.min(mostCapMs, Math.max(leastCapMs, 2 * spreadMs))

/**
 * Delay in ms before the next attempt, and the number of attempts that failed in a row. `spreadMs` is what the
 * controller said last.
 */
export const decideRetry = (
  attempt: number,
  outcome: StreamOutcome,
  random: () => number,
  spreadMs?: number,
): { delayMs: number; attempt: number } => {
  const capMs = backoffCapMs(spreadMs)
  const backoff = (n: number): number => backoffMs(n, { baseMs: 250, capMs }, random)
  switch (outcome.kind) {
    case 'lost': {
      if (outcome.afterMs !== undefined) return { delayMs: outcome.afterMs, attempt: 0 }
      const failed = outcome.upMs >= healthyMs ? 0 : attempt
      const delayMs = failed === 0 ? Math.floor(random() * outcome.spreadMs) : backoff(failed)
      return { delayMs, attempt: failed + 1 }
    }
    case 'unreachable':
      return { delayMs: backoff(attempt), attempt: attempt + 1 }
    case 'refused': {
      const retryAfterMs = outcome.retryAfterMs
      const delayMs =
        retryAfterMs === undefined ? backoff(attempt) : retryAfterMs + Math.floor(random() * 1_000)
      return { delayMs, attempt: attempt + 1 }
    }
    case 'hopeless':
      return { delayMs: slowMs + Math.floor(random() * slowMs), attempt: attempt + 1 }
  }
}

/** An attempt that was given up may still reach a busy controller within this time. */
const lateMs = 60_000

/** Remembers earlier attempts. */
export const createRetries = (
  random: () => number,
): {
  /** Delay in ms before the next attempt, after one that ended with this outcome at `now` (ms). */
  after(outcome: StreamOutcome, now: number): number
} => {
  let attempt = 0
  let spreadMs: number | undefined
  let gaveUpAt = -Infinity
  return {
    after: (outcome, now) => {
      // The agent's own attempt, given up and late, has replaced this stream, and no other machine.
      const isOurs =
        outcome.kind === 'hopeless' && outcome.replaced === true && now - gaveUpAt < lateMs
      const ended: StreamOutcome = isOurs ? { kind: 'unreachable' } : outcome
      // This is assumed only once: another machine with the same identity replaces the stream again and again.
      if (outcome.kind === 'unreachable') gaveUpAt = now
      if (ended.kind === 'lost' && ended.spreadMs > 0) spreadMs = ended.spreadMs
      const next = decideRetry(attempt, ended, random, spreadMs)
      attempt = next.attempt
      return next.delayMs
    },
  }
}
