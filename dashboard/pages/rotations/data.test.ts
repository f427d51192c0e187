import { expect, it } from 'vitest'
import type { Condition, Rotation } from '../../../src/generated/rest-types.ts'
import { nextText, rotationState, scheduleText, stepsOf } from './data.ts'

const rotation = (more: object = {}, ...conditions: Partial<Condition>[]): Rotation =>
  ({ phase: 'Idle', paused: false, blocked_by: [], evidence: [], conditions, ...more }) as never

const states = (rotation: Rotation): string[] => stepsOf(rotation).map(({ state }) => state)

it('shows how far a rotation is, and where it waits', () => {
  expect(states(rotation())).toEqual(Array(7).fill('next'))
  const evidence = [{ stagelet: 'one', revision: 2, containers: 1 }]
  const rotated = { last_rotated_at: '2026-01-01T00:00:00Z' }
  expect(states(rotation({ ...rotated, evidence }))).toEqual(Array(7).fill('done'))
  expect(states(rotation({ ...rotated, evidence, skipped: [] }))).toEqual(Array(7).fill('done'))
  // There was no old credential, or it is a status of before.
  const first = [...Array<string>(4).fill('done'), ...Array<string>(3).fill('skipped')]
  expect(states(rotation(rotated))).toEqual(first)
  const skipped = ['Proving', 'Overlapping', 'Revoking']
  expect(states(rotation({ ...rotated, skipped }))).toEqual(first)
  expect(states(rotation({ ...rotated, evidence, skipped: ['Overlapping'] }))[5]).toBe('skipped')
  expect(states(rotation({ phase: 'Revoking' }))[4]).toBe('skipped')
  expect(states(rotation({ phase: 'Revoking', evidence }))[4]).toBe('done')
  expect(states(rotation({ phase: 'Proving' }))).toEqual([
    ...['done', 'done', 'done', 'done', 'now', 'next', 'next'],
  ])
  const waits = rotation({ phase: 'Proving' }, { type: 'Blocked', status: 'True', message: 'a' })
  expect(states(waits)[4]).toBe('blocked')
  expect(rotationState(waits)).toEqual({ kind: 'warn', word: 'Blocked', why: 'a' })
})

it('says after a restore that its credential is refused, or not tested', () => {
  const wordOf = (status: string): string =>
    rotationState(rotation({}, { type: 'Tested', status, message: 'a' } as Partial<Condition>)).word
  expect(wordOf('False')).toBe('Refused after a restore')
  expect(wordOf('Unknown')).toBe('Not tested after a restore')
  expect(wordOf('True')).toBe('Never rotated')
})

it('says when it runs', () => {
  expect(scheduleText({})).toBe('on request')
  const schedule = { every: '30d' }
  expect(scheduleText({ schedule })).toBe('every 30d')
  expect(nextText({ phase: 'Proving' })).toBe('on request')
  expect(nextText({ phase: 'Proving', schedule })).toBe('after this rotation')
})
