import { describe, expect, it } from 'vitest'
import { toTimestamp } from '../../kernel/clock.ts'
import { findCondition } from '../../resources/conditions.ts'
import { checkEnd, endOf, expiryAt, expirySpec } from './expiry.ts'
import { withDates } from './expiry-status.ts'
import { checkSecret } from './rules.ts'

const day = 86_400_000
const since = '2026-01-01T00:00:00Z'
const t0 = Date.parse(since)
const remedy = 'give another'
const faultsOf = (expiry: unknown, more: object = {}): string[] => {
  const parsed = expirySpec.safeParse(expiry)
  const own = parsed.success ? [] : parsed.error.issues.map(({ message }) => message)
  return [
    ...own,
    ...checkSecret({ expiry, ...more }).map(({ field, message }) => `${field}: ${message}`),
  ]
}

it('an end after the year 9999 hides no nearer one, and is a time of RFC 3339', () => {
  const storeEndsAt = toTimestamp(Date.parse('9999-12-31T23:59:59-05:00'))
  expect(endOf({ since, expiry: { at: '2026-01-02T00:00:00Z' }, storeEndsAt })).toEqual({
    expiresAt: '2026-01-02T00:00:00Z',
    expiresFrom: 'Spec',
  })
  const ends = ['9999-12-31T23:59:59-05:00', '0000-01-01T00:00:00+05:00'].map(
    (end) => endOf({ since, expiry: { at: end } })?.expiresAt,
  )
  expect(ends).toEqual(['9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z'])
})

describe('the rules', () => {
  const generate = { valueFrom: { generate: {} } }
  it.each<[string, unknown, object, RegExp]>([
    [
      'no time at all',
      { after: '0d' },
      {},
      /whole number above 0 and a unit: 90s, 30m, 12h or 90d/,
    ],
    ['words', { after: '90 days' }, {}, /30m, 12h or 90d/],
    ['a number', { after: 90 }, {}, /must be text, such as 30m/],
    ['a date alone', { at: '2027-03-31' }, {}, /must be a time, such as 2027/],
    ['a zone that is none', { at: '2027-03-31T00:00:00+99:00' }, {}, /must be a time/],
    ['two ends', { after: '1d', at: '2027-03-31T00:00:00Z' }, {}, /expiry.at: .*at most one/],
    [
      'a warning before the beginning',
      { after: '7d', warn: ['30d'] },
      {},
      /warn\[0\]: .*not within/,
    ],
    [
      'Rotate of what somebody wrote',
      { after: '7d', onExpiry: 'Rotate' },
      {},
      /spec.valueFrom says how/,
    ],
    [
      'Rotate at a date',
      { at: '2027-03-31T00:00:00Z', onExpiry: 'Rotate' },
      generate,
      /with after/,
    ],
  ])('refuse %s', (_, expiry, more, expected) => {
    expect(faultsOf(expiry, more).join('\n')).toMatch(expected)
  })

  it('refuse all of it at once, and take what makes sense', () => {
    expect(faultsOf({ after: '7d', warn: ['30d', '1d', '7d'], onExpiry: 'Rotate' })).toHaveLength(3)
    expect(faultsOf({ after: '90d', warn: ['30d'], onExpiry: 'Rotate' }, generate)).toEqual([])
    expect(faultsOf({ warn: ['14d'] })).toEqual([])
    const output = { valueFrom: { rotation: { name: 'db', output: 'password' } } }
    expect(faultsOf({ after: '90d', onExpiry: 'Rotate' }, output)).toEqual([])
  })

  it('refuse an end that is over, but not one that was there before', () => {
    const at = '2025-12-31T23:59:59Z'
    expect(checkEnd({ at }, undefined, t0)).toMatchObject([{ field: 'spec.expiry.at' }])
    expect(checkEnd({ at }, { at }, t0)).toEqual([])
    expect(checkEnd({ at: '2026-01-01T01:00:00+00:30' }, undefined, t0)).toEqual([])
  })
})

describe('the end of a value', () => {
  const certificateEndsAt = '2026-02-01T00:00:00Z'
  it('is what the spec or the certificate says, whichever is earlier', () => {
    expect(endOf({ since })).toBeUndefined()
    expect(endOf({ since, certificateEndsAt })?.expiresFrom).toBe('Certificate')
    const later = { expiry: { after: '90d' }, since, certificateEndsAt }
    expect(endOf(later)).toEqual({ expiresAt: certificateEndsAt, expiresFrom: 'Certificate' })
    expect(endOf({ ...later, expiry: { after: '12h' } })).toEqual({
      expiresAt: '2026-01-01T12:00:00Z',
      expiresFrom: 'Spec',
    })
    const zoned = { at: '2026-01-05T01:00:00+01:00' }
    expect(endOf({ since, expiry: zoned })?.expiresAt).toBe('2026-01-05T00:00:00Z')
    expect(endOf({ since: undefined, expiry: { after: '1d' } })).toBeUndefined()
  })

  it('is what the store of the value says, where that is the earliest', () => {
    const storeEndsAt = '2026-01-15T00:00:00Z'
    const all = { expiry: { after: '90d' }, since, certificateEndsAt, storeEndsAt }
    expect(endOf(all)).toEqual({ expiresAt: storeEndsAt, expiresFrom: 'Store' })
    expect(endOf({ ...all, expiry: { at: storeEndsAt } })?.expiresFrom).toBe('Spec')
    expect(endOf({ ...all, storeEndsAt: '2026-03-01T00:00:00Z' })?.expiresFrom).toBe('Certificate')
  })

  it('is told step by step, and the next moment to look is the next step', () => {
    const dated = { expiry: { after: '90d' }, since, remedy }
    const steps: string[] = []
    let nowMs: number | undefined = t0
    while (nowMs !== undefined) {
      const { verdicts, nextAt } = expiryAt(dated, nowMs)
      steps.push(
        `day ${(nowMs - t0) / day}: ${verdicts.Expiring?.reason ?? ''} ${verdicts.Expired?.reason ?? ''}`,
      )
      // Nothing changes until then.
      if (nextAt !== undefined) expect(expiryAt(dated, nextAt - 1).verdicts).toEqual(verdicts)
      nowMs = nextAt
    }
    expect(steps).toEqual([
      'day 0: NotDue NotEnded',
      'day 60: DueIn30d NotEnded',
      'day 83: DueIn7d NotEnded',
      'day 89: DueIn1d NotEnded',
      'day 90: Expired Ended',
    ])
  })

  it('warns of nothing where no warning is wanted', () => {
    const { verdicts, nextAt } = expiryAt({ expiry: { after: '1d', warn: [] }, since, remedy }, t0)
    expect(verdicts.Expiring?.status).toBe('False')
    expect(nextAt).toBe(t0 + day)
  })
})

describe('a value that is known outside', () => {
  const messageOf = (valueFrom: object | undefined): string | undefined => {
    const spec = { key: 'TOKEN', ...(valueFrom === undefined ? {} : { valueFrom }) }
    const status = { version: 1, valueSince: since, knownOutside: { people: 2, since } }
    const judging = { nowMs: t0, announces: true, policy: undefined }
    const found = withDates(spec, status, judging).status.conditions
    return findCondition(found, 'RotationDue')?.message
  }

  it.each<[string, object | undefined]>([
    ['give the secret a new value', undefined],
    ['stagely rotation run db', { rotation: { name: 'db', output: 'password' } }],
    ['stagely secrets rotate TOKEN', { generate: {} }],
    ['give secret "other" a new value', { secretRef: { name: 'other' } }],
    ['change it in store "aws"', { external: { store: 'aws', key: 'k' } }],
  ])('is due, and says what makes another one: %s', (remedy, valueFrom) => {
    expect(messageOf(valueFrom)).toContain(remedy)
  })
})
