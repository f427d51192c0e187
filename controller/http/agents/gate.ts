// Limits how many agents are let in per second. TLS has been paid for by then, but not what comes after it.
import type { Clock } from '../../../src/kernel/clock.ts'
import { RefusedError } from './refusal.ts'

/** The returned function throws 503 with Retry-After when more than `perSecond` come. Each further refusal gets a later time, so that they do not return together. */
export const createGate = (perSecond: number, clock: Clock): (() => void) => {
  let tokens = perSecond
  let last = clock.now()
  let refused = 0
  return () => {
    const now = clock.now()
    // A clock that is set back must not take tokens away.
    const earned = (Math.max(0, now - last) / 1000) * perSecond
    tokens = Math.min(perSecond, tokens + earned)
    refused = Math.max(0, refused - earned)
    last = now
    if (tokens >= 1) {
      tokens -= 1
      return
    }
    refused += 1
    const seconds = 1 + Math.floor(refused / perSecond)
    throw new RefusedError(
      503,
      'Overload',
      'many agents connect just now; come back later',
      seconds,
    )
  }
}
