// Limits the rate of requests by one person or machine, whatever the number of its tokens, and of
// invalid tokens from one address. Each controller counts separately. What many changes in one request cost counts too:
// work-budget.ts.
// Not the whole package, which has a limiter for each of many databases.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js'
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'
import { FairLock } from '../../src/kernel/async/fair-lock.ts'
import type { RateLimits } from '../limit-config.ts'
import { clientNetwork } from './request-identity.ts'
import { createPersonWork, endlessWork, type WorkBudget } from './work-budget.ts'

const windowSeconds = 10

const minuteSeconds = 60

const limiterOf = (perSecond: number): RateLimiterMemory =>
  new RateLimiterMemory({ points: perSecond * windowSeconds, duration: windowSeconds })

const tooMany = (what: string, msBeforeNext: number): StagelyError => {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000))
  return new StagelyError('TooManyRequests', `${what}; try again in ${seconds} s`, {
    retryAfterSeconds: seconds,
  })
}

/** Runs `consume`; TooManyRequests where the limiter refuses. */
const orTooMany = async (consume: () => Promise<unknown>, what: string): Promise<void> => {
  try {
    await consume()
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused
    throw tooMany(what, refused.msBeforeNext)
  }
}

export interface RateLimit {
  /** TooManyRequests, with the time of the next attempt. */
  take(principalId: string): Promise<void>
  /** What requests cost beside their number. */
  readonly work: WorkBudget
}

/** `perSecond` on average over ten seconds; 0: no limit. */
const createRateLimit = (perSecond: number, work: WorkBudget): RateLimit => {
  if (perSecond === 0) return { take: () => Promise.resolve(), work: endlessWork }
  const limiter = limiterOf(perSecond)
  const most = perSecond * windowSeconds
  return {
    work,
    take: async (principalId) => {
      const what = `you have made more than ${most} requests in ${windowSeconds} s`
      await orTooMany(() => limiter.consume(principalId), what)
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
      const spent = await limiter.get(clientNetwork(address))
      if (spent === null || spent.consumedPoints < most) return
      const what = `your address has sent more than ${most} tokens or login codes in ${windowSeconds} s that open nothing`
      throw tooMany(what, spent.msBeforeNext)
    },
    count: async (address) => {
      await limiter.penalty(clientNetwork(address))
    },
  }
}

export interface LoginLimit {
  /**
   * Runs an attempt to log in. TooManyRequests after too many from the address within a minute; one that
   * succeeds does not count.
   */
  attempt<T>(address: string, login: () => Promise<T>): Promise<T>
}

/** 0: no limit. */
const createLoginLimit = (perMinute: number): LoginLimit => {
  if (perMinute === 0) return { attempt: (_, login) => login() }
  const limiter = new RateLimiterMemory({ points: perMinute, duration: minuteSeconds })
  const what = `your address has tried to log in more than ${perMinute} times within a minute`
  return {
    attempt: async (address, login) => {
      await orTooMany(() => limiter.consume(clientNetwork(address)), what)
      const done = await login()
      await limiter.reward(clientNetwork(address))
      return done
    },
  }
}

const revealsPerMinute = 30

export interface RevealLimit {
  /** Reads a value for a session: so many a minute for each person, one after the other. */
  run<T>(principalId: string, reveal: () => Promise<T>): Promise<T>
}

const createRevealLimit = (): RevealLimit => {
  const limiter = new RateLimiterMemory({ points: revealsPerMinute, duration: minuteSeconds })
  const running = new Set<string>()
  const what = `a browser reads at most ${revealsPerMinute} values a minute: read many with the command line`
  return {
    run: async (principalId, reveal) => {
      if (running.has(principalId)) throw tooMany('a browser reads one value at a time', 1_000)
      running.add(principalId)
      try {
        await orTooMany(() => limiter.consume(principalId), what)
        return await reveal()
      } finally {
        running.delete(principalId)
      }
    },
  }
}

const matchesPerMinute = 100_000
const matchesPerDay = 1_000_000
const daySeconds = 86_400

export interface MatchLimit {
  /** Of words that a scanner asks for: so many a minute and a day. TooManyRequests. */
  take(principalId: string, words: number): Promise<void>
}

const createMatchLimit = (): MatchLimit => {
  const minute = new RateLimiterMemory({ points: matchesPerMinute, duration: minuteSeconds })
  const day = new RateLimiterMemory({ points: matchesPerDay, duration: daySeconds })
  return {
    take: async (principalId, words) => {
      const what = (most: number, within: string): string =>
        `a scanner may ask for ${most} words ${within}`
      await orTooMany(() => minute.consume(principalId, words), what(matchesPerMinute, 'a minute'))
      await orTooMany(() => day.consume(principalId, words), what(matchesPerDay, 'a day'))
    },
  }
}

export interface RequestLimits {
  /** Limit of the REST API. */
  readonly limit: RateLimit
  readonly kubeLimit: RateLimit
  readonly failureLimit: FailureLimit
  /** Of logins of browsers. */
  readonly loginLimit: LoginLimit
  readonly revealLimit: RevealLimit
  readonly matchLimit: MatchLimit
  /** Of requests that change much: one at a time, and people in turn, so that a small write waits for one of them at most. */
  readonly long: FairLock
}

export const createLimits = (
  limits: RateLimits,
  clock: Pick<Clock, 'monotonic'>,
): RequestLimits => {
  const work = createPersonWork(clock)
  return {
    limit: createRateLimit(limits.rateLimit, work),
    kubeLimit: createRateLimit(limits.kubeRateLimit, work),
    failureLimit: createFailureLimit(limits.failureLimit),
    loginLimit: createLoginLimit(limits.loginLimit),
    revealLimit: createRevealLimit(),
    matchLimit: createMatchLimit(),
    long: new FairLock(),
  }
}
