import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { anEntry } from '../../../test/support/builders.ts'
import {
  admitted,
  aFleet,
  ago,
  anAgent,
  now,
  rolledBack,
  settled,
  type Fleet,
} from '../../../test/support/agents/rollout-fleet.ts'
import { findVanishedTogether } from './vanished-agents.ts'
import { decideRollout } from './decide.ts'
import type { AgentObject } from './gather.ts'

describe('a rollout', () => {
  it('leaves a project without spec.rollout alone, and counts its stagelets', () => {
    const decision = decideRollout(aFleet({ a: settled(4), b: settled(4) }, undefined))
    expect(decision).toMatchObject({ admit: [], rollout: undefined, conditions: [] })
    expect(decision.stagelets).toMatchObject({ total: 2, away: 2 })
  })

  it('starts as many as may go at a time, then the next as each becomes healthy', () => {
    const first = decideRollout(
      aFleet({ a: settled(4), b: settled(4), c: settled(4) }, { maxConcurrent: 2 }),
    )
    expect(first.admit).toEqual(['a', 'b'])
    expect(first.rollout).toMatchObject({ state: 'Progressing', progressing: 2, waiting: 1 })
    const fleet = { a: admitted(), b: admitted(), c: settled(4) }
    expect(decideRollout(aFleet(fleet, { maxConcurrent: 2 })).admit).toEqual([])
    const next = decideRollout(aFleet({ ...fleet, a: settled(5) }, { maxConcurrent: 2 }))
    expect(next.admit).toEqual(['c'])
    const last = decideRollout(
      aFleet({ a: settled(5), b: settled(5), c: settled(5) }, { maxConcurrent: 2 }),
    )
    expect([last.admit, last.rollout?.state]).toEqual([[], 'Complete'])
  })

  it('starts all at once without a number, and none while it is paused', () => {
    const fleet = { a: settled(4), b: settled(4), c: {} }
    expect(decideRollout(aFleet(fleet, {})).admit).toEqual(['a', 'b', 'c'])
    const paused = decideRollout(aFleet(fleet, { paused: true }))
    expect([paused.admit, paused.rollout?.state, paused.rollout?.waiting]).toEqual([
      [],
      'Paused',
      3,
    ])
  })

  it('stops at the first that fails, names it, and goes on once it is retried', () => {
    const fleet = { a: rolledBack(), b: settled(4) }
    const stopped = decideRollout(aFleet(fleet, { maxConcurrent: 1 }))
    expect(stopped.admit).toEqual([])
    expect(stopped.rollout).toMatchObject({ state: 'Stopped', failed: ['a'], waiting: 1 })
    expect(stopped.conditions[1]).toMatchObject({ type: 'Degraded', status: 'True' })
    const retried = { ...fleet, a: { ...fleet.a, retry: 'again' } }
    expect(decideRollout(aFleet(retried, { maxConcurrent: 1 })).admit).toEqual(['a'])
  })

  it('goes on by itself once the newest set no longer holds what failed', () => {
    const mended = [anEntry({ key: 'A', version: 2 })]
    const decision = decideRollout(
      aFleet(
        { a: rolledBack(), b: settled(4) },
        { maxConcurrent: 1 },
        {
          closed: 6,
          head: { projectUid: 'p', epoch: 1, revision: 6, entries: mended },
        },
      ),
    )
    expect([decision.admit, decision.rollout?.state]).toEqual([['a'], 'Progressing'])
  })

  it('stops where a first deploy fails, which nothing can be rolled back to', () => {
    const failed: StageletStatus = {
      ...admitted(),
      lastRollout: { revision: 5, result: 'Failed', startedAt: ago(1) },
    }
    const decision = decideRollout(aFleet({ a: failed, b: {} }, { maxConcurrent: 1 }))
    expect(decision.rollout).toMatchObject({ state: 'Stopped', failed: ['a'] })
  })

  it('stops at a stagelet that is not healthy in time, and looks again when that time is over', () => {
    const fleet = { a: admitted(599), b: settled(4) }
    const waiting = decideRollout(aFleet(fleet, { maxConcurrent: 1 }))
    expect([waiting.rollout?.state, waiting.checkInMs]).toEqual(['Progressing', 1001])
    const late = decideRollout(aFleet({ ...fleet, a: admitted(601) }, { maxConcurrent: 1 }))
    expect(late.rollout).toMatchObject({ state: 'Stopped', failed: ['a'] })
    expect(late.conditions[1]?.message).toContain('progressDeadlineSeconds')
  })

  it('gives a newer revision to what is half done first, so that no more are on their way', () => {
    const fleet = { a: settled(5), z: admitted(1, 5) }
    const decision = decideRollout(aFleet(fleet, { maxConcurrent: 1 }, { closed: 6 }))
    expect(decision.admit).toEqual(['z'])
  })

  it('passes over what is paused, drained or away, and takes it when that ends', () => {
    const fleet = {
      a: { ...settled(4), paused: true },
      b: settled(4),
      c: settled(4),
      d: settled(4),
    }
    const agents = new Map([
      ['agent-a', anAgent('agent-a')],
      ['agent-b', anAgent('agent-b', { drained: true })],
      ['agent-c', anAgent('agent-c', { away: 7200 })],
      ['agent-d', anAgent('agent-d')],
    ])
    const decision = decideRollout(aFleet(fleet, { maxConcurrent: 1 }, { agents }))
    expect([decision.admit, decision.rollout?.held]).toEqual([['d'], 3])
    expect(decideRollout(aFleet(fleet, { maxConcurrent: 9 })).admit).toEqual(['b', 'c', 'd'])
  })

  it('never has more on their way than it may, and starts nothing once something failed', () => {
    const onTheWay = admitted()
    const status = fc.oneof(
      fc.constant<StageletStatus>({}),
      fc.constant(settled(4)),
      fc.constant(settled(5)),
      fc.constant(onTheWay),
      fc.constant(admitted(9999)),
      fc.constant(rolledBack()),
      fc.constant(admitted(1, 4)),
    )
    fc.assert(
      fc.property(
        fc.array(status, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (statuses, maxConcurrent) => {
          const fleet = Object.fromEntries(statuses.map((s, i) => [`s${i}`, s]))
          const input = aFleet(fleet, { maxConcurrent })
          const { admit, rollout } = decideRollout(input)
          const busy = statuses.filter((s) => s === onTheWay)
          expect(new Set(admit).size).toBe(admit.length)
          if (rollout?.state !== 'Progressing') expect(admit).toEqual([])
          else expect(rollout.progressing).toBeLessThanOrEqual(Math.max(maxConcurrent, busy.length))
          const { healthy, progressing, waiting, held } = rollout!
          const failed = rollout?.failed?.length ?? 0
          expect(healthy + progressing + waiting + held + failed).toBe(statuses.length)
        },
      ),
    )
  })

  it('comes to its end, whatever the order in which stagelets become healthy', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        (count, maxConcurrent, picks) => {
          let fleet: Fleet = Object.fromEntries(
            Array.from({ length: count }, (_, i) => [`s${i}`, settled(4)]),
          )
          for (let step = 0; step < 2 * count + 2; step += 1) {
            const { admit, rollout } = decideRollout(aFleet(fleet, { maxConcurrent }))
            for (const name of admit) fleet = { ...fleet, [name]: admitted() }
            const busy = Object.keys(fleet).filter(
              (n) => fleet[n]?.healthyRevision === 4 && fleet[n]?.admitted,
            )
            expect(busy.length).toBeLessThanOrEqual(maxConcurrent)
            if (rollout?.state === 'Complete') break
            const pick = busy[picks.next().value % busy.length]
            if (pick !== undefined) fleet = { ...fleet, [pick]: settled(5) }
          }
          expect(decideRollout(aFleet(fleet, { maxConcurrent })).rollout?.state).toBe('Complete')
        },
      ),
    )
  })
})

describe('the brake', () => {
  const away = (...seconds: number[]): AgentObject[] =>
    seconds.map((s, i) => anAgent(`gone-${i}`, { away: s }))
  const here = (count: number): AgentObject[] =>
    Array.from({ length: count }, (_, i) => anAgent(`here-${i}`))

  it('is on while more than half of at least four agents left within a minute', () => {
    expect(findVanishedTogether([...away(10, 30, 65), ...here(2)], -Infinity)).toHaveLength(3)
    expect(findVanishedTogether([...away(10, 30), ...here(2)], -Infinity)).toEqual([])
    expect(findVanishedTogether([...away(10, 30), ...here(1)], -Infinity)).toEqual([])
    expect(findVanishedTogether([...away(10, 100, 200, 300), ...here(3)], -Infinity)).toEqual([])
  })

  it('does not count those that left before the operator said to go on', () => {
    expect(findVanishedTogether([...away(10, 30, 65), ...here(2)], now - 5_000)).toEqual([])
  })

  it('holds a rollout that has something before it, and lets go when the operator says so', () => {
    const fleet = { a: settled(4), b: settled(4), c: settled(4), d: settled(4) }
    const agents = new Map(
      ['a', 'b', 'c', 'd'].map((name, i) => {
        const agent = anAgent(`agent-${name}`, i < 3 ? { away: 20 } : {})
        return [agent.metadata.name, agent] as const
      }),
    )
    const braked = decideRollout(aFleet(fleet, { maxConcurrent: 1 }, { agents }))
    expect([braked.admit, braked.rollout?.state]).toEqual([[], 'Braked'])
    const resumed = decideRollout(aFleet(fleet, { maxConcurrent: 1 }, { agents, resumed: ago(1) }))
    expect(resumed.admit).toEqual(['d'])
  })
})
