import { toFineTimestamp } from '../kernel/clock.ts'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  heldIntervals,
  intervalsBefore,
  lifeInterval,
  type HeldInterval,
  type RolloutFacts,
} from './held-intervals.ts'

const at = (second: number): string => toFineTimestamp(1_700_000_000_000 + second * 1000)
const secondOf = (text: string): number => (Date.parse(text) - 1_700_000_000_000) / 1000

/** A container as the engine's events tell of it. */
interface Container {
  readonly revision: number
  readonly start: number
  end: number
}

interface Step {
  readonly gap: number
  readonly takes: number
  readonly does: 'recreated' | 'untouched' | 'rolledBack' | 'crashedBefore' | 'crashedAfter'
}

const step: fc.Arbitrary<Step> = fc.record({
  gap: fc.integer({ min: 1, max: 50 }),
  takes: fc.integer({ min: 2, max: 20 }),
  does: fc.constantFrom('recreated', 'untouched', 'rolledBack', 'crashedBefore', 'crashedAfter'),
})

/** What happens in the engine, and what is kept of it. A crash of the agent leaves a rollout without an end. */
const play = (steps: readonly Step[]): { containers: Container[]; rollouts: RolloutFacts[] } => {
  const containers: Container[] = []
  const rollouts: RolloutFacts[] = []
  let now = 0
  let running: Container | undefined
  const replace = (revision: number, when: number): void => {
    if (running !== undefined) running.end = when - 1
    running = { revision, start: when, end: Infinity }
    containers.push(running)
  }
  for (const [i, { gap, takes, does }] of steps.entries()) {
    now += gap
    const revision = i + 1
    const startedAt = at(now)
    const before = running?.revision
    const finished = now + takes
    if (does === 'recreated') {
      replace(revision, now + 1)
      const known = { what: 'recreated', since: at(now + 1) } as const
      rollouts.push({ revision, startedAt, finishedAt: at(finished), result: 'Healthy', ...known })
    } else if (does === 'untouched') {
      const known = { what: 'untouched' } as const
      // The set of the service is the same: it goes on with the container of before.
      rollouts.push({ revision, startedAt, finishedAt: at(finished), result: 'Healthy', ...known })
    } else if (does === 'rolledBack' && before !== undefined) {
      replace(revision, now + 1)
      replace(before, finished)
      const known = { what: 'recreated', since: at(finished) } as const
      const end = at(finished)
      rollouts.push({ revision, startedAt, finishedAt: end, result: 'RolledBack', ...known })
    } else {
      if (does === 'crashedAfter') replace(revision, now + 1)
      rollouts.push({ revision, startedAt, result: 'Unknown' })
    }
    now = finished
  }
  return { containers, rollouts }
}

const covers = (intervals: readonly HeldInterval[], second: number): boolean =>
  intervals.some(
    ({ from, until }) =>
      secondOf(from.earliest) <= second &&
      (until === undefined || second <= secondOf(until.latest)),
  )

it('leaves out no moment in which a container held the version, over random histories with crashes', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (steps, first) => {
        const last = first + 3
        const holds = (revision: number): boolean => revision >= first && revision <= last
        const { containers, rollouts } = play(steps)
        const intervals = heldIntervals(rollouts, holds)
        for (const { revision, start, end } of containers) {
          if (!holds(revision)) continue
          for (let second = start; second <= Math.min(end, 5_000); second++)
            if (!covers(intervals, second)) throw new Error(`second ${second} of r${revision}`)
        }
      },
    ),
    { numRuns: 200 },
  )
})

it('is certain only of moments in which a container held it', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (steps, first) => {
        const holds = (revision: number): boolean => revision >= first && revision <= first + 3
        const { containers, rollouts } = play(steps)
        for (const { from, until, certain } of heldIntervals(rollouts, holds)) {
          if (!certain) continue
          const end = until === undefined ? 5_000 : secondOf(until.earliest)
          for (let second = secondOf(from.latest); second <= end; second++) {
            const real = containers.find((c) => c.start <= second && second <= c.end)
            expect(real !== undefined && holds(real.revision)).toBe(true)
          }
        }
      },
    ),
    { numRuns: 200 },
  )
})

it('equals the engine within a second where nothing went wrong', () => {
  const does = (word: Step['does']): Step => ({ gap: 5, takes: 4, does: word })
  const { containers, rollouts } = play([
    does('recreated'),
    does('recreated'),
    does('untouched'),
    does('recreated'),
  ])
  const intervals = heldIntervals(rollouts, (revision) => revision >= 2 && revision <= 3)
  const real = containers.find(({ revision }) => revision === 2)!
  expect(intervals).toHaveLength(1)
  const [{ from, until, certain }] = intervals as [HeldInterval]
  expect(certain).toBe(true)
  expect(Math.abs(secondOf(from.latest) - real.start)).toBeLessThanOrEqual(1)
  expect(Math.abs(secondOf(until!.latest) - real.end)).toBeLessThanOrEqual(1)
})

it.each([
  ['that is there', {}, undefined],
  ['that was removed', { removed: at(9) }, { earliest: at(9), latest: at(9) }],
  ['whose end nobody saw', { missedAt: at(8) }, { earliest: at(5), latest: at(8) }],
])('of a container %s the interval is what was measured', (_, end, until) => {
  const life = { made: at(2), thereAt: at(5), ...end }
  const from = { earliest: at(2), latest: at(2) }
  expect(lifeInterval(life, at(0))).toEqual({ from, ...(until && { until }) })
})

it('of a container that nobody saw being made only bounds are told', () => {
  expect(lifeInterval({ thereAt: at(5), removed: at(9) }, at(1)).from).toEqual({
    earliest: at(1),
    latest: at(9),
  })
})

it('where containers are told of, rollouts say only what was before them', () => {
  const recreated = (revision: number, second: number): RolloutFacts => ({
    revision,
    startedAt: at(second),
    finishedAt: at(second + 3),
    result: 'Healthy',
    what: 'recreated',
    since: at(second + 1),
  })
  const rollouts = [recreated(1, 10), recreated(2, 20), recreated(3, 30)]
  const all = (): boolean => true
  const [first, ...more] = intervalsBefore(at(21), rollouts, all)
  expect(more).toEqual([])
  expect(first?.from.latest).toBe(at(11))
  expect(first?.until).toEqual({ earliest: at(20), latest: at(21) })
  expect(intervalsBefore(at(11), rollouts, all)).toEqual([])
  expect(intervalsBefore(undefined, rollouts, all)).toEqual(heldIntervals(rollouts, all))
})
