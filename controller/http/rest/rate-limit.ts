// How often one token may ask. Counted in this process: with several controllers each one counts.
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { StagelyError } from '../../../src/kernel/errors.ts'

export interface RateLimit {
  /** TooManyRequests, saying when to try again. */
  take(tokenId: string): Promise<void>
}

const windowSeconds = 10

/** `perSecond` on average over ten seconds; 0: no limit. */
export const createRateLimit = (perSecond: number): RateLimit => {
  if (perSecond === 0) return { take: () => Promise.resolve() }
  const limiter = new RateLimiterMemory({
    points: perSecond * windowSeconds,
    duration: windowSeconds,
  })
  return {
    take: async (tokenId) => {
      try {
        await limiter.consume(tokenId)
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        const seconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000))
        throw new StagelyError(
          'TooManyRequests',
          `this token has made more than ${perSecond * windowSeconds} requests in ${windowSeconds} s; try again in ${seconds} s`,
          { retryAfterSeconds: seconds },
        )
      }
    },
  }
}
