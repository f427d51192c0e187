import { describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/resources/conditions.ts'
import { countAbsence, type Absence } from './absence.ts'
import { absenceOf } from './end-agents.ts'

const lastTransitionTime = '2026-01-01T12:00:00Z'
const condition = (type: string, status: Condition['status'], reason: string): Condition => ({
  type,
  status,
  reason,
  message: '',
  lastTransitionTime,
})

describe('the absence of an ephemeral agent', () => {
  const disconnected = condition('Ready', 'Unknown', 'Disconnected')
  it.each([
    ['is told where its stream is gone', [disconnected], lastTransitionTime],
    ['is none while it is connected', [condition('Ready', 'True', 'Connected')], undefined],
    [
      'is none while it is refused for its clock: it was heard',
      [disconnected, condition('Refused', 'True', 'ClockSkew')],
      undefined,
    ],
    [
      'is none while it is refused for its protocol: it was heard',
      [disconnected, condition('Refused', 'True', 'Protocol')],
      undefined,
    ],
    [
      'is told again once the refusal is over',
      [disconnected, condition('Refused', 'False', 'Accepted')],
      lastTransitionTime,
    ],
  ])('%s', (_, conditions, since) => {
    const metadata = { name: 'ci-7', namespace: 'default' }
    const spec = { ephemeral: { goneAfter: '10m' } }
    expect(absenceOf({ metadata, spec, status: { conditions } })).toBe(since)
  })
})

describe('the count of an absence', () => {
  const minute = 60_000
  const now = 100 * minute
  const from = (minutesAgo: number, isHeld = false): Absence => ({
    since: lastTransitionTime,
    from: now - minutesAgo * minute,
    isHeld,
  })
  const earlier = { ...from(11), since: '2025-12-31T00:00:00Z' }
  it.each<[string, Absence | undefined, boolean, { from: number; in: number | undefined }]>([
    ['begins when it is first noticed', undefined, false, { from: now, in: minute }],
    ['goes on', from(5), false, { from: now - 5 * minute, in: minute }],
    ['ends in time', from(9.5), false, { from: now - 9.5 * minute, in: minute / 2 }],
    ['is over after goneAfter', from(10), false, { from: now - 10 * minute, in: undefined }],
    ['begins anew with another absence', earlier, false, { from: now, in: minute }],
    ['is held for those that vanished together', from(11), true, { from: now, in: minute }],
    ['stays held', from(11, true), true, { from: now, in: minute }],
    ['begins anew when the others are back', from(11, true), false, { from: now, in: minute }],
  ])('%s', (_, former, isHeld, wanted) => {
    const facts = { since: lastTransitionTime, isHeld, goneAfterMs: 10 * minute, now }
    expect(countAbsence(former, facts)).toEqual({
      absence: { since: lastTransitionTime, from: wanted.from, isHeld },
      lookAgainIn: wanted.in,
    })
  })

  it('never waits for longer than a timer can', () => {
    const facts = { since: lastTransitionTime, isHeld: false, goneAfterMs: 40 * 86_400_000, now }
    expect(countAbsence(undefined, facts).lookAgainIn).toBe(minute)
  })
})
