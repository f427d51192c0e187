import { expect, it } from 'vitest'
import { fewestOf, leftOutWord, percentOf, timeOf, verdictOf } from './propagation-words.ts'

it('says times in the unit that fits, and shares rounded down', () => {
  expect([340, 2410, 75_000, 720_000, undefined].map(timeOf)).toEqual([
    ...['340 ms', '2.41 s', '75 s', '12 min', '–'],
  ])
  expect([0.99999, 0.5, 1, null].map(percentOf)).toEqual(['99.99 %', '50 %', '100 %', '–'])
})

it('has words for what is left out, also for what it does not know', () => {
  expect(leftOutWord('AgentAway')).toBe('waited: the agent was offline')
  expect(leftOutWord('SomethingNew')).toBe('something new')
})

it('calls a promise missed only where there are enough samples for one that is too late', () => {
  expect([0.99, 0.95, 0.5].map(fewestOf)).toEqual([100, 20, 2])
  expect(verdictOf({ is_met: false, target: 0.99 }, 9)).toBe('few')
  expect(verdictOf({ is_met: false, target: 0.99 }, 100)).toBe('missed')
  expect(verdictOf({ is_met: true, target: 0.99 }, 9)).toBe('met')
  expect(verdictOf({ is_met: null, target: 0.99 }, 0)).toBe('nothing')
})
