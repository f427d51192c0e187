import { describe, expect, it } from 'vitest'
import { aStagelet } from '../../../test/support/builders.ts'
import { toTimestamp } from '../../kernel/clock.ts'
import { annotations } from '../../resources/meta.ts'
import type { Typed } from '../typed.ts'
import { lifetime } from '../../resources/duration.ts'
import { endingOf, endsAtAfter, faultOfExtension } from './end.ts'

const hour = 3_600_000
const start = Date.parse('2026-03-01T00:00:00Z')
const at = (hours: number): string => toTimestamp(start + hours * hour)

interface Given {
  readonly ttl?: string
  readonly endsAt?: string
  readonly generation?: number
  readonly notes?: Readonly<Record<string, string>>
}

const stageletWith = ({ ttl, endsAt, generation = 1, notes }: Given): Typed<'Stagelet'> => {
  const { metadata, spec } = aStagelet()
  return aStagelet({
    metadata: { ...metadata, generation, ...(notes && { annotations: { ...notes } }) },
    spec: { ...spec, ...(ttl !== undefined && { ttl }) },
    status: { ...(endsAt !== undefined && { endsAt }) },
  })
}

describe('the end of a stagelet', () => {
  const before: Given = { ttl: '72h', endsAt: at(72) }
  const extend = (text: string) => ({ [annotations.extend]: text })
  type Case = readonly [string, Given | undefined, Given & { hours: number }, string | undefined]
  const redeploy = { [annotations.redeploy]: 'now' }
  const cases: readonly Case[] = [
    ['is counted from the creation', undefined, { ttl: '72h', hours: 0 }, at(72)],
    ['is absent without a ttl', undefined, { hours: 0 }, undefined],
    ['goes with the ttl', before, { generation: 2, hours: 1 }, undefined],
    ['is counted from a new spec', before, { ...before, generation: 2, hours: 5 }, at(77)],
    ['is counted from a deploy', before, { ...before, notes: redeploy, hours: 9 }, at(81)],
    ['stays with a change of labels alone', before, { ...before, hours: 9 }, at(72)],
    ['comes nearer with a shorter ttl', before, { ttl: '1h', generation: 2, hours: 1 }, at(2)],
    ['is put off by the ttl', before, { ...before, notes: extend('x'), hours: 70 }, at(142)],
    ['is put off by a length', before, { ...before, notes: extend('x\n48h'), hours: 70 }, at(118)],
    ['stays with a short length', before, { ...before, notes: extend('x\n10m'), hours: 1 }, at(72)],
    [
      'keeps an extension with a deploy',
      { ttl: '1h', endsAt: at(48) },
      { ttl: '1h', notes: redeploy, hours: 2 },
      at(48),
    ],
    ['is counted anew where it was lost', { ttl: '72h' }, { ttl: '72h', hours: 3 }, at(75)],
  ]
  it.each(cases)('%s', (_, former, next, wanted) => {
    const old = former && stageletWith(former)
    expect(endsAtAfter(stageletWith(next), old, start + next.hours * hour)).toBe(wanted)
  })

  it('is put off only where there is one, and by a length that can be read', () => {
    expect(faultOfExtension('x', undefined)).toContain('spec.ttl is not set')
    expect(faultOfExtension('x\n5m', '72h')).toContain('at least 10m')
    expect(faultOfExtension('x\nsoon', '72h')).toContain('at least 10m')
    expect(faultOfExtension('x', '72h')).toBeUndefined()
    expect(faultOfExtension('x\n7d', '72h')).toBeUndefined()
  })

  it('lies ten minutes ahead at least', () => {
    const accepted = ['1m', '9m', '10m', '99999m', '1h', '0h', '72h', '1d', '30s', '1.5h'].filter(
      (text) => lifetime.safeParse(text).success,
    )
    expect(accepted).toEqual(['10m', '99999m', '1h', '72h', '1d'])
  })
})

describe('the condition Ending', () => {
  /** Reason and next moment, in hours after the start, as one run after the other tells them. */
  const story = (given: Given, ...hours: number[]): string[] => {
    let stagelet = stageletWith(given)
    return hours.map((now) => {
      const nowMs = start + now * hour
      const ending = endingOf(stagelet, { nowMs, declaredBy: undefined })
      if (ending === undefined) return 'none'
      const { verdict, isOver, nextAt } = ending
      const [former] = stagelet.status?.conditions ?? []
      const lastTransitionTime =
        former?.status === verdict.status ? former.lastTransitionTime : toTimestamp(nowMs)
      const conditions = [{ type: 'Ending', ...verdict, lastTransitionTime }]
      stagelet = { ...stagelet, status: { ...stagelet.status, conditions } }
      const next = nextAt === undefined ? '' : ` until ${(nextAt - start) / hour}`
      return `${verdict.reason}${next}${isOver ? ', over' : ''}`
    })
  }
  const long: Given = { ttl: '72h', endsAt: at(72) }

  it('warns a day and an hour before, and ends then', () => {
    expect(story(long, 0, 47.9, 48, 70, 71, 71.9, 72)).toEqual([
      'NotDue until 48',
      'NotDue until 48',
      'EndsIn24h until 71',
      'EndsIn24h until 71',
      'EndsIn1h until 72',
      'EndsIn1h until 72',
      'Ended, over',
    ])
  })
  it('gives no warning that would come with the beginning', () => {
    expect(story({ ttl: '2h', endsAt: at(2) }, 0, 1, 2)).toEqual([
      'NotDue until 1',
      'EndsIn1h until 2',
      'Ended, over',
    ])
    expect(story({ ttl: '30m', endsAt: at(0.5) }, 0, 0.5)).toEqual([
      'NotDue until 0.5',
      'Ended, over',
    ])
  })
  it('is told ten minutes before the end at least, after a leap of the clock or without a controller', () => {
    expect(story(long, 0, 100, 100.1, 100.2)).toEqual([
      'NotDue until 48',
      `EndsNow until ${100 + 1 / 6}`,
      `EndsNow until ${100 + 1 / 6}`,
      'Ended, over',
    ])
  })
  it('is taken back with a clock that leapt ahead and back', () => {
    expect(story(long, 0, 100, 1)).toEqual([
      'NotDue until 48',
      `EndsNow until ${100 + 1 / 6}`,
      'NotDue until 48',
    ])
  })
  it('says who declares a stagelet, which is never deleted here', () => {
    const nowMs = start + 200 * hour
    const ending = endingOf(stageletWith(long), { nowMs, declaredBy: 'folder:/srv/m' })
    expect(ending).toMatchObject({ isOver: false, verdict: { reason: 'Declared' } })
    expect(ending?.verdict.message).toContain('folder:/srv/m declares it')
  })
  it('is absent without a ttl, and says so where one was there', () => {
    expect(story({}, 0)).toEqual(['none'])
    const { status } = stageletWith({})
    const told = { type: 'Ending', status: 'True', reason: 'EndsIn1h' } as const
    const conditions = [{ ...told, message: '', lastTransitionTime: at(0) }]
    const stagelet = { ...stageletWith({}), status: { ...status, conditions } }
    const ending = endingOf(stagelet, { nowMs: start, declaredBy: undefined })
    expect(ending?.verdict).toMatchObject({ status: 'False', reason: 'NoEnd' })
  })
})
