// Limits the rate of requests by one person or machine, whatever the number of its tokens, and of
// invalid tokens from one address. Each controller counts separately.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { StagelyError } from '../../src/kernel/errors.ts'
import type { RateLimits } from '../limit-config.ts'

const windowSeconds = 10

const limiterOf = (perSecond: number): RateLimiterMemory =>
  new RateLimiterMemory({ points: perSecond * windowSeconds, duration: windowSeconds })

const tooMany = (what: string, msBeforeNext: number): StagelyError => {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000))
  return new StagelyError('TooManyRequests', `${what}; try again in ${seconds} s`, {
    retryAfterSeconds: seconds,
  })
}

export interface RateLimit {
  /** TooManyRequests, with the time of the next attempt. */
  take(principalId: string): Promise<void>
}

/** `perSecond` on average over ten seconds; 0: no limit. */
const createRateLimit = (perSecond: number): RateLimit => {
  if (perSecond === 0) return { take: () => Promise.resolve() }
  const limiter = limiterOf(perSecond)
  const most = perSecond * windowSeconds
  return {
    take: async (principalId) => {
      try {
        await limiter.consume(principalId)
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        const what = `you have made more than ${most} requests in ${windowSeconds} s`
        throw tooMany(what, refused.msBeforeNext)
      }
    },
  }
}

export interface FailureLimit {
  /** TooManyRequests after too many failures from the address. */
  check(address: string): Promise<void>
  count(address: string): Promise<void>
}

/** As createRateLimit, but counts failures only. */
const createFailureLimit = (perSecond: number): FailureLimit => {
  if (perSecond === 0) return { check: () => Promise.resolve(), count: () => Promise.resolve() }
  const limiter = limiterOf(perSecond)
  const most = perSecond * windowSeconds
  return {
    check: async (address) => {
      const spent = await limiter.get(address)
      if (spent === null || spent.consumedPoints < most) return
      const what = `your address has sent more than ${most} tokens or login codes in ${windowSeconds} s that open nothing`
      throw tooMany(what, spent.msBeforeNext)
    },
    count: async (address) => {
      await limiter.penalty(address)
    },
  }
}

export interface RequestLimits {
  /** Limit of the REST API. */
  readonly limit: RateLimit
  readonly kubeLimit: RateLimit
  readonly failureLimit: FailureLimit
}

export const createLimits = (perSecond: RateLimits): RequestLimits => ({
  limit: createRateLimit(perSecond.rateLimit),
  kubeLimit: createRateLimit(perSecond.kubeRateLimit),
  failureLimit: createFailureLimit(perSecond.failureLimit),
})
