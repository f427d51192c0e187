import { expect, it } from 'vitest'
import type { Rollout } from '../../../src/generated/rest-types.ts'
import { countsText, rolloutState } from './words.ts'

const rollout = (more: Partial<Rollout>): Rollout => ({
  project: 'shop',
  team: 'default',
  revision: 2,
  message: '',
  in_turns: false,
  state: 'Progressing',
  change_set_open: false,
  healthy: 0,
  progressing: 0,
  waiting: 0,
  held: 0,
  failed: 0,
  unknown: 0,
  stagelets: [],
  ...more,
})

it('says of a rollout that nobody sees the end of that it is unknown, not that it rolls', () => {
  expect(rolloutState(rollout({ unknown: 1 }))).toEqual(['unknown', 'Unknown'])
  expect(rolloutState(rollout({ unknown: 1, healthy: 3 }))).toEqual(['unknown', 'Unknown'])
  expect(rolloutState(rollout({ unknown: 1, progressing: 1 }))).toEqual(['run', 'Rolling'])
  expect(rolloutState(rollout({ unknown: 1, waiting: 1 }))).toEqual(['run', 'Rolling'])
  expect(rolloutState(rollout({ unknown: 1, state: 'Paused' }))).toEqual(['paused', 'Paused'])
})

it('says of a project without a stagelet that nothing gets its secrets, and not that nothing of nothing is healthy', () => {
  const empty = rollout({ state: 'Complete' })
  expect(rolloutState(empty)).toEqual(['wait', 'No stagelet'])
  expect(countsText(empty)).toBe('no stagelet uses these secrets yet')
})
