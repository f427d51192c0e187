import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../test/support/random.ts'
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import { surelySeen } from '../../../src/kinds/rotation/use.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { afterLook, nextLookAt, useInWords, watchMs } from './old-use.ts'

const begin = Date.parse('2026-03-02T12:00:00Z')
const specOf = (overlap: string): RotationSpec => ({
  projectRef: { name: 'shop' },
  outputs: { password: 'db' },
  rotator: {},
  overlap,
  away: 'Wait' as const,
})

interface Client {
  /** It logs in each so often, for so long (ms). */
  readonly period: number
  readonly lasts: number
}
interface Overlap extends Client {
  readonly spec: RotationSpec
  /** The database can only be asked for a moment. */
  readonly isMoment?: boolean
}

/** Goes through an overlap with a client that is out of step with it by `phase`. */
const overlapWith = (
  { spec, isMoment = false, period, lasts }: Overlap,
  { phase, random }: { readonly phase: number; readonly random: () => number },
): { isSeen: boolean; status: RotationStatus } => {
  const lookMs = isMoment ? 0 : watchMs(spec)
  let status: RotationStatus = { phase: 'Overlapping', provenAt: toFineTimestamp(begin) }
  for (let nowMs = begin; ; nowMs = nextLookAt(spec, status)) {
    // The last session that has begun when the look is over.
    const session = begin - phase + period * Math.floor((nowMs + lookMs - begin + phase) / period)
    const sessions = session + lasts >= nowMs ? 1 : 0
    const seen = { sessions, from: [], ...(!isMoment && { watchedMs: lookMs }) }
    const next = afterLook(spec, status, { nowMs, steps: ['Switch'], random: random() }, seen)
    status = next.status
    if (sessions > 0 || next.do === 'move') return { isSeen: sessions > 0, status }
  }
}

const overlaps = 300
/** The share of overlaps, each with its own chance and phase, in which the client is seen; and the looks of one. */
const seenIn = (overlap: Overlap): { share: number; looks: number } => {
  const chance = createRandom(7)
  const random = (): number => chance.below(1_000_000) / 1_000_000
  const all = Array.from({ length: overlaps }, () =>
    overlapWith(overlap, { phase: Math.floor(random() * overlap.period), random }),
  )
  const unseen = all.filter(({ isSeen }) => !isSeen)
  const looks = unseen.reduce((sum, { status }) => sum + (status.use?.looks ?? 0), 0)
  return { share: 1 - unseen.length / overlaps, looks: looks / Math.max(1, unseen.length) }
}

describe('looks for who still logs in with the old credential', () => {
  const quick = { period: 5_000, lasts: 50 }

  it('are as long and as many as the overlap allows', () => {
    expect(['0m', '10m', '20m', '24h'].map((overlap) => watchMs(specOf(overlap)))).toEqual([
      1_000, 3_000, 3_000, 3_000,
    ])
  })

  it.each([
    ['a client of 5 s in 20 minutes', '20m', quick],
    ['a client of 5 s in 2 minutes', '2m', quick],
    ['a client of a minute', '20m', { period: 60_000, lasts: 50 }],
    ['a client of five minutes', '20m', { period: 300_000, lasts: 50 }],
    ['a client of 5 s, by looks of a moment', '20m', { ...quick, isMoment: true }],
    [
      'a client of half the rate, by looks of a moment',
      '20m',
      { period: 15_000, lasts: 2_000, isMoment: true },
    ],
  ])('see %s as often as is said', (_, overlap, client: Client & { isMoment?: boolean }) => {
    const spec = specOf(overlap)
    const { share, looks } = seenIn({ ...client, spec })
    const ofTime = (client.isMoment === true ? 0 : watchMs(spec)) + client.lasts
    const many = looks === 0 ? durationMs(overlap) / 30_000 : looks
    const said = 1 - (1 - Math.min(1, ofTime / client.period)) ** many
    expect(Math.abs(share - said)).toBeLessThan(0.06)
  })

  it('see a client of 5 s and 50 ms in each overlap of 20 minutes', () => {
    expect(seenIn({ ...quick, spec: specOf('20m') }).share).toBe(1)
  })

  it('say what they cannot see', () => {
    const { status } = overlapWith(
      { period: 1e9, lasts: 0, spec: specOf('20m') },
      { phase: 1, random: () => 0.5 },
    )
    expect(useInWords(status)).toMatch(
      /^41 looks since \S+ found no session of it \(who logs in at least every 42 s is seen with 95 %, less often with less\)$/,
    )
    expect(surelySeen({ looks: 41 })).toMatch(/between two looks may be unseen/)
    expect(surelySeen({ looks: 1, watchedMs: 500 })).toMatch(/less often than each second/)
  })

  it('are told with 95 % rightly', () => {
    const { share } = seenIn({ spec: specOf('20m'), period: 42_000, lasts: 0 })
    expect(share).toBeGreaterThan(0.93)
  })
})
