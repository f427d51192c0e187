import { describe, expect, it } from 'vitest'
import { aDesired } from '../test/support/builders.ts'
import { held } from '../test/support/held.ts'
import type { DesiredStagelet } from '../src/protocol/messages.ts'
import {
  chooseWant,
  digestIn,
  findCulprits,
  liveQuarantine,
  withQuarantined,
} from './quarantine.ts'
import { createWant, type HeldEntry, type Want } from './stack-state.ts'

const aWant = (
  revision: number,
  entries: readonly HeldEntry[],
  tweak: Partial<DesiredStagelet> = {},
): Want => {
  const desired = aDesired({ order: revision, revision, ...tweak })
  return createWant({ desired, entries, base: {} }, undefined, false)
}
const failure = (want: Want, service = 'web') => ({
  service,
  digest: digestIn(want, service),
  revision: want.desired.revision,
  retry: want.desired.retry,
  message: 'crashed',
})
const good = aWant(4, [held('KEY', 'good', 'web'), held('OTHER', 'same')])
const bad = aWant(5, [held('KEY', 'bad', 'web'), held('OTHER', 'same')], { healthyRevision: 4 })

describe('what is run', () => {
  it('is the target, with the healthy revision to go back to', () => {
    expect(chooseWant(bad, good, [])).toEqual({ run: bad, healthy: good, because: undefined })
  })

  it('is the healthy revision as a whole once part of the target has failed', () => {
    const q = failure(bad)
    expect(chooseWant(bad, good, [q])).toEqual({ run: good, healthy: undefined, because: q })
  })

  it('is the target again, by backoff, where there is nothing healthy, or that failed too', () => {
    expect(chooseWant(bad, undefined, [failure(bad)]).run).toBe(bad)
    const both = [failure(bad), failure(good)]
    expect(chooseWant(bad, good, both)).toMatchObject({ run: bad, healthy: undefined })
  })

  it('is a later revision that does not hold what failed, and not one that still does', () => {
    const fixed = aWant(6, [held('KEY', 'fixed', 'web'), held('OTHER', 'same')])
    const alike = aWant(6, [held('KEY', 'bad', 'web'), held('OTHER', 'same'), held('X', 'y', 'db')])
    expect(chooseWant(fixed, good, [failure(bad)]).run).toBe(fixed)
    expect(chooseWant(alike, good, [failure(bad)]).run).toBe(good)
  })

  it('is the target after somebody has asked for a retry', () => {
    const again = aWant(5, bad.entries, { healthyRevision: 4, retry: 'now' })
    expect(chooseWant(again, good, [failure(bad)]).run).toBe(again)
  })

  it('has one key whether the agent or the controller decided to go back', () => {
    expect(aWant(4, good.entries, { order: 99, healthyRevision: 4, generation: 7 }).key).toBe(
      good.key,
    )
  })
})

describe('a failure', () => {
  it('is put down to what the service was given, where going back gives it something else', () => {
    expect(findCulprits(bad, good, 'web', [])).toEqual(['web'])
    expect(findCulprits(bad, good, 'db', [])).toEqual([])
    expect(findCulprits(bad, undefined, 'web', [])).toEqual([])
    expect(findCulprits(aWant(5, []), aWant(4, []), 'web', [])).toEqual([])
  })

  it('is put down as well to what the service is not given any more, nothing at all included', () => {
    const none = aWant(5, [])
    expect(findCulprits(none, good, 'web', [])).toEqual(['web'])
    expect(findCulprits(none, good, 'api', ['db', 'web'])).toEqual(['api'])
    const q = failure(none)
    expect(q.digest).toBe('')
    expect(chooseWant(none, good, [q])).toMatchObject({ run: good, because: q })
    expect(liveQuarantine([q], none, {})).toEqual([q])
    expect(liveQuarantine([q], none, { web: '' })).toEqual([])
  })

  it('is put down to new values of those that it leans on, where its own is no new one', () => {
    expect(findCulprits(bad, good, 'db', ['cache', 'web'])).toEqual(['web'])
    expect(findCulprits(bad, good, 'db', ['cache'])).toEqual([])
    expect(findCulprits(bad, good, 'web', ['db'])).toEqual(['web'])
    expect(findCulprits(bad, undefined, 'db', ['web'])).toEqual([])
  })
})

describe('a quarantine', () => {
  it('lasts while nothing has changed', () => {
    expect(liveQuarantine([failure(bad)], bad, {})).toHaveLength(1)
  })

  it('ends by a retry, by passing after all, and once something newer is healthy', () => {
    const q = failure(bad)
    expect(liveQuarantine([q], aWant(5, bad.entries, { retry: 'now' }), {})).toEqual([])
    expect(liveQuarantine([q], bad, { web: q.digest })).toEqual([])
    const newer = aWant(7, good.entries, { healthyRevision: 6 })
    expect(liveQuarantine([q], newer, {})).toEqual([])
    const unproven = aWant(6, good.entries, { healthyRevision: 4 })
    expect(liveQuarantine([q], unproven, {})).toEqual([q])
  })

  it('names a pair once, with what was said last, and keeps the newest 20', () => {
    const q = failure(bad)
    expect(withQuarantined([q], { ...q, message: 'again' })).toEqual([{ ...q, message: 'again' }])
    const many = Array.from({ length: 25 }, (_, i) => ({ ...q, digest: String(i) }))
    const kept = many.reduce<(typeof q)[]>((all, one) => withQuarantined(all, one), [])
    expect(kept.map((k) => k.digest)).toEqual(many.slice(-20).map((k) => k.digest))
  })
})
