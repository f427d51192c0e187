// When to try again. Measured on 5,000 agents: after losing an established stream the first try is
// spread evenly, because exponential backoff is at its worst in the common, short restart.
import { backoffMs } from '../src/kernel/backoff.ts'

/** How one attempt to hold a stream ended. */
export type Outcome =
  /** The stream was up for `upMs`; `spreadMs` is the server's, `afterMs` the slot it gave. */
  | {
      readonly kind: 'lost'
      readonly upMs: number
      readonly spreadMs: number
      readonly afterMs?: number
    }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'refused'; readonly retryAfterMs: number | undefined }
  /** Trying again will not help by itself: revoked, other protocol. `replaced`: another stream of this agent came. */
  | { readonly kind: 'hopeless'; readonly replaced?: boolean }

const healthyMs = 60_000
const slowMs = 60_000
const leastCapMs = 5_000
const mostCapMs = 30_000

/**
 * How far back-off doubles: over so long do agents come back that were away for long. Twice the time in
 * which the controller takes them all (its last word on that) keeps their peak within its rate, and
 * few of them need not stay away for half a minute after a restart of ten seconds.
 */
export const backoffCapMs = (spreadMs: number | undefined): number =>
  spreadMs === undefined ? mostCapMs : Math.min(mostCapMs, Math.max(leastCapMs, 2 * spreadMs))

/**
 * Delay in ms before the next attempt, and the number of attempts that failed in a row. `spreadMs` is
 * what the controller said last, on this stream or an earlier one.
 */
export const decideRetry = (
  attempt: number,
  outcome: Outcome,
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
      const told = outcome.retryAfterMs
      const delayMs = told === undefined ? backoff(attempt) : told + Math.floor(random() * 1_000)
      return { delayMs, attempt: attempt + 1 }
    }
    case 'hopeless':
      return { delayMs: slowMs + Math.floor(random() * slowMs), attempt: attempt + 1 }
  }
}

/** An attempt that was given up may reach a busy controller so much later. */
const lateMs = 60_000

/** Keeps what one attempt has to know of those before it. */
export const createRetries = (
  random: () => number,
): {
  /** Delay in ms before the next attempt, after one that ended so at `now` (ms). */
  after(outcome: Outcome, now: number): number
} => {
  let attempt = 0
  let spreadMs: number | undefined
  let gaveUpAt = -Infinity
  return {
    after: (outcome, now) => {
      // It is our own, given up and late, that took this one's place: nobody else's.
      const isOurs =
        outcome.kind === 'hopeless' && outcome.replaced === true && now - gaveUpAt < lateMs
      const ended: Outcome = isOurs ? { kind: 'unreachable' } : outcome
      // An excuse is no reason for the next one: a twin that takes the place again and again is found out.
      if (outcome.kind === 'unreachable') gaveUpAt = now
      if (ended.kind === 'lost' && ended.spreadMs > 0) spreadMs = ended.spreadMs
      const next = decideRetry(attempt, ended, random, spreadMs)
      attempt = next.attempt
      return next.delayMs
    },
  }
}
