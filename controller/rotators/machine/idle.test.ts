// What a Rotation does between two attempts, beside the rows of the machine: when it is late, and when it is tried again.
import { idleFacts } from '../../../test/support/rotation-facts.ts'
import { expect, it } from 'vitest'
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import type { RotationSpec, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { nothingToProve } from '../proof/proof.ts'
import { illAgain, retestAt } from './after-end.ts'
import { isOverdue } from './idle.ts'

const hour = 3_600_000
const day = 24 * hour
const now = Date.parse('2026-03-02T12:00:00Z')
const at = (ms: number): string => toFineTimestamp(now + ms)
const spec = { rotator: {}, schedule: { every: '30d' } } as RotationSpec
const facts = idleFacts(now, now - 90 * day)
const ended: RotationStatus = { phase: 'Idle', endedAt: at(-hour), lastRotatedAt: at(-hour) }

it('a rotation is late after 7 days', () => {
  const rotated = { ...ended, lastRotatedAt: at(-31 * day) }
  expect(isOverdue(spec, rotated, facts)).toBe(false)
  expect(isOverdue(spec, { ...rotated, lastRotatedAt: at(-38 * day) }, facts)).toBe(true)
  expect(isOverdue({ schedule: undefined }, {}, facts)).toBe(false)
})

it.each<[string, RotationStatus['accepted'], number]>([
  ['a day after the end', undefined, 23 * hour],
  ['a day after the last answer', { at: at(-day / 2), is: 'accepted' }, day / 2],
  ['an hour after it was refused', { at: at(-hour / 2), is: 'refused' }, hour / 2],
  [
    'an hour after nobody answered',
    { at: at(-2 * day), is: 'accepted', triedAt: at(-hour / 4), why: 'no route' },
    0.75 * hour,
  ],
])('what services run is tried %s', (_, accepted, inMs) => {
  const status = { ...ended, accepted }
  expect(retestAt({ spec, status, facts })).toBe(now + inMs)
})

it('what nobody can try, was never made, or somebody else has written, is not tried', () => {
  const generate = { generate: { order: 'SwitchFirst' } } as RotationSpec['rotator']
  expect(retestAt({ spec: { ...spec, rotator: generate }, status: ended, facts })).toBeUndefined()
  expect(retestAt({ spec, status: { phase: 'Idle' }, facts })).toBeUndefined()
  const changed = { ...facts, changed: ['password'] }
  expect(retestAt({ spec, status: ended, facts: changed })).toBeUndefined()
})

it('who fails is told once, and only within a day after the end', () => {
  const one = { stagelet: 'one', service: 'web', containers: 1, restarts: 0, ill: 'is exited' }
  const failing = { ...facts, proof: { ...nothingToProve, bearers: [one] } }
  expect(illAgain({ spec, status: ended, facts: failing })?.message).toContain('one/web is exited')
  const told = { ...ended, illAfter: ['one/web'] }
  expect(illAgain({ spec, status: told, facts: failing })).toBeUndefined()
  const old = { ...ended, lastRotatedAt: at(-25 * hour) }
  expect(illAgain({ spec, status: old, facts: failing })).toBeUndefined()
})
