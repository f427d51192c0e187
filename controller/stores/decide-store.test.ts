import { describe, expect, it } from 'vitest'
import { decideStore, offsetOf, type KnownFault, type StoreStepInput } from './decide-store.ts'

const minute = 60_000
const facts = (given: Partial<StoreStepInput> = {}): StoreStepInput => ({
  nowMs: 1_000_000,
  everyMs: 5 * minute,
  offset: 0.5,
  sinceMs: 0,
  secrets: 3,
  news: 0,
  lookedAt: 1_000_000,
  isUntried: false,
  isNotListening: false,
  fault: undefined,
  asked: { sync: false, keys: false, check: false, notifications: false },
  random: 0,
  ...given,
})
const fault = (given: Partial<KnownFault>): KnownFault => ({
  kind: 'Unavailable',
  message: 'no answer',
  tries: 1,
  at: 1_000_000,
  ...given,
})
const asked = { sync: true, keys: false, check: false, notifications: false }
const waitOf = (given: Partial<StoreStepInput>): number | undefined => {
  const { at } = decideStore(facts(given))
  return at === undefined ? undefined : at - 1_000_000
}

describe('a store', () => {
  it('is looked at every so often, a tenth earlier or later', () => {
    for (const random of [0, 0.3, 0.6, 0.99]) {
      const wait = waitOf({ random })!
      expect(wait).toBeGreaterThanOrEqual(4.5 * minute)
      expect(wait).toBeLessThanOrEqual(5.5 * minute)
    }
  })

  it('is looked at, or asked again, at once where the clock was set back', () => {
    expect(waitOf({ lookedAt: 9_000_000 })).toBe(0)
    expect(waitOf({ fault: fault({ at: 9_000_000, kind: 'Throttled' }) })).toBe(0)
    const refused = fault({ at: 9_000_000, kind: 'Unauthorized', tries: 3 })
    expect(waitOf({ fault: refused })).toBe(0)
  })

  it('has a time of its own at a start, where many are late', () => {
    const times = Array.from(
      { length: 50 },
      (_, i) =>
        decideStore(facts({ lookedAt: 0, sinceMs: 900_000, offset: offsetOf(`uid-${i}`) })).at!,
    )
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(20_000)
    expect(Math.max(...times)).toBeLessThanOrEqual(930_000)
  })

  it('is asked at once for new secrets, and by whoever asks', () => {
    expect(decideStore(facts({ news: 1 }))).toEqual({ at: 1_000_000, step: 'news' })
    expect(decideStore(facts({ asked, news: 1 }))).toEqual({ at: 1_000_000, step: 'sync' })
    expect(decideStore(facts({ asked: { ...asked, sync: false, keys: true } })).step).toBe('keys')
    const notifiedKeys = { ...asked, sync: false, notifications: true }
    expect(decideStore(facts({ asked: notifiedKeys }))).toEqual({
      at: 1_000_000,
      step: 'notifications',
    })
    expect(decideStore(facts({ asked: notifiedKeys, news: 1 })).step).toBe('news')
  })

  it('without secrets is asked once whom it takes us for', () => {
    expect(decideStore(facts({ secrets: 0, isUntried: true })).step).toBe('check')
    expect(waitOf({ secrets: 0 })).toBeUndefined()
  })

  it('with a queue of notifications is asked at a start, but not one that is to be left alone', () => {
    expect(decideStore(facts({ isNotListening: true }))).toEqual({ at: 1_000_000, step: 'check' })
    const refused = fault({ kind: 'Unauthorized', tries: 3 })
    expect(waitOf({ isNotListening: true, fault: refused })).toBeGreaterThanOrEqual(60 * minute)
    const throttled = fault({ kind: 'Throttled', retryAfterMs: 120_000 })
    expect(waitOf({ isNotListening: true, fault: throttled })).toBeGreaterThanOrEqual(120_000)
  })

  it('is left alone as long as it says, whoever asks', () => {
    const throttled = fault({ kind: 'Throttled', retryAfterMs: 120_000 })
    for (const random of [0, 0.5, 0.99]) {
      const wait = waitOf({ fault: throttled, random, news: 5, asked: { ...asked, check: true } })!
      expect(wait).toBeGreaterThanOrEqual(120_000)
      expect(wait).toBeLessThan(134_000)
    }
  })

  it('that says no time is left alone twice as long each time, up to an hour', () => {
    const wait = (tries: number): number =>
      waitOf({ fault: fault({ kind: 'Throttled', tries }) })! / minute
    expect([1, 2, 3, 4, 20].map(wait)).toEqual([10, 20, 40, 60, 60])
  })

  it('that does not take the credential is asked three times, and then once an hour', () => {
    const refused = (tries: number): KnownFault => fault({ kind: 'Unauthorized', tries })
    expect(waitOf({ fault: refused(2) })).toBeGreaterThan(0)
    for (const random of [0, 0.99]) {
      const wait = waitOf({ fault: refused(3), news: 5, asked, random })!
      expect(wait).toBeGreaterThanOrEqual(60 * minute)
      expect(wait).toBeLessThan(66 * minute)
    }
    expect(waitOf({ fault: refused(3), asked: { ...asked, check: true } })).toBe(0)
    expect(waitOf({ fault: refused(3), isUntried: true, news: 1 })).toBe(0)
  })

  it('that is away is asked again within 15 minutes, and by whoever asks', () => {
    for (const tries of [1, 5, 30]) {
      const wait = waitOf({ fault: fault({ tries }), random: 0.99, news: 1 })!
      expect(wait).toBeGreaterThan(0)
      expect(wait).toBeLessThanOrEqual(15 * minute)
    }
    expect(waitOf({ fault: fault({ tries: 5 }), asked })).toBe(0)
  })
})
