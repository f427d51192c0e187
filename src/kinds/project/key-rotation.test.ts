import { toFineTimestamp } from '../../kernel/clock.ts'
import { describe, expect, it } from 'vitest'
import {
  dataKeyDueAt,
  keyRotationSpec,
  keysAt,
  overdueKeys,
  toldOf,
  type KeyRule,
  type KeysInUse,
} from './key-rotation.ts'

const day = 86_400_000
const from = Date.parse('2026-01-01T00:00:00Z')
const msAfter = (days: number): number => from + days * day
const text = (days: number): string => toFineTimestamp(msAfter(days))
const rule = (own?: KeyRule['own']): KeyRule => ({
  namespace: 'pay',
  name: 'cards',
  own,
  usualMs: 365 * day,
})
const byMaster: KeysInUse = {
  dataKeySince: msAfter(0),
  wrappedBy: undefined,
  wrappedSince: msAfter(0),
}
const quarterly = { every: '90d', enforce: true }

describe('the keys of a project', () => {
  it('are due as the project says, or else as the controller does', () => {
    expect(dataKeyDueAt(byMaster, rule())).toBe(msAfter(365))
    expect(dataKeyDueAt(byMaster, rule(quarterly))).toBe(msAfter(90))
    expect(dataKeyDueAt({ ...byMaster, dataKeySince: undefined }, rule())).toBeUndefined()
  })

  it('are no news while none is due: only a project with a rule of its own says when', () => {
    expect(keysAt(byMaster, rule(), { nowMs: msAfter(364) })).toEqual({
      dueAt: msAfter(365),
      verdict: undefined,
      nextAt: msAfter(365),
    })
    const { verdict, nextAt } = keysAt(byMaster, rule(quarterly), { nowMs: msAfter(89) })
    expect(verdict).toMatchObject({ status: 'False', reason: 'NotDue' })
    expect(nextAt).toBe(msAfter(90))
  })

  it.each([
    [
      'the data key',
      { ...byMaster, wrappedSince: msAfter(80) },
      'DataKeyDue',
      /--project cards -n pay/,
    ],
    [
      'the master key',
      { ...byMaster, dataKeySince: msAfter(80) },
      'WrappingKeyDue',
      /rotate --master/,
    ],
    [
      'the key that it names',
      { dataKeySince: msAfter(80), wrappedBy: 'hsm', wrappedSince: msAfter(0) },
      ...(['WrappingKeyDue', /the key "hsm", which wraps its keys, is from/] as const),
    ],
    ['both', byMaster, 'KeysDue', /--project cards.*; the master key is from.*--master/],
  ] as const)('name %s, and the command', (_, keys, reason, message) => {
    const { verdict } = keysAt(keys, rule(quarterly), { nowMs: msAfter(92) })
    expect(verdict).toMatchObject({ status: 'True', reason })
    expect(verdict?.message).toMatch(message)
  })

  it('are told of in other words each day, and within a day in the same', () => {
    const said = [90, 90.9, 91, 92.5].map((days) => {
      const { verdict, nextAt } = keysAt(byMaster, rule({ every: '90d' }), { nowMs: msAfter(days) })
      return [/and (.*?):/.exec(verdict?.message ?? '')?.[1], nextAt]
    })
    expect(said).toEqual([
      ['due for rotation', msAfter(91)],
      ['due for rotation', msAfter(91)],
      ['1 day overdue', msAfter(92)],
      ['2 days overdue', msAfter(93)],
    ])
  })

  it('leave the master key to the operator where the project has no rule', () => {
    const keys = { ...byMaster, dataKeySince: msAfter(300) }
    expect(keysAt(keys, rule(), { nowMs: msAfter(400) }).verdict).toBeUndefined()
  })

  it('say why the controller has not replaced the data key yet', () => {
    const { verdict } = keysAt(byMaster, rule(), { nowMs: msAfter(366), waits: 'it is down' })
    expect(verdict?.message).toMatch(/1 day overdue: stagely .*; the controller waits: it is down$/)
    const { verdict: alone } = keysAt(byMaster, rule(), { nowMs: msAfter(366) })
    expect(toldOf(verdict?.message ?? '')).toBe(alone?.message)
  })

  it('refuse new values 30 days after one is due, only where that is enforced, and say since when', () => {
    const status = { dataKeySince: text(0), wrappedSince: text(60) }
    const refusal = (days: number, own: KeyRule['own']) =>
      overdueKeys(rule(own), status, msAfter(days))
    expect(refusal(119.9, quarterly)).toBeUndefined()
    expect(refusal(120, quarterly)).toMatch(
      /the data key .* 30 days overdue: stagely admin keys rotate/,
    )
    expect(refusal(500, { every: '90d' })).toBeUndefined()
    expect(overdueKeys(rule(quarterly), undefined, msAfter(500))).toBeUndefined()
    expect(keysAt(byMaster, rule(quarterly), { nowMs: msAfter(91) }).verdict?.message).toContain(
      'from 2026-05-01T00:00:00Z on new values of the project are refused',
    )
  })

  it.each(['0d', '90 days', '12h', '-1d', '90', 'P90D', '10000d'])(
    'take no rule of %s',
    (every) => {
      expect(keyRotationSpec.safeParse({ every }).error?.issues[0]?.message).toBe(
        'must be whole days, such as 90d',
      )
    },
  )
})
