// A model of rotations: whatever happens, what runs is always accepted, and what was ended runs nowhere.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTestStore, type TestStore } from '../support/open-test-store.ts'
import { RotationWorld } from '../support/rotation-world.ts'
import { createSteppedClock } from '../support/store-fixtures.ts'
import { runs } from '../support/soak.ts'

type Event =
  | { readonly do: 'look' | 'run' | 'now' }
  | { readonly do: 'agent' | 'leave' | 'return'; readonly stagelet: string }
  | { readonly do: 'fault'; readonly call: string; readonly after: boolean }
  | { readonly do: 'die' | 'live'; readonly stagelet: string }
  | { readonly do: 'wait'; readonly ms: number }

const stagelets = ['one', 'two']
const calls = ['preflight', 'look', 'set', 'test', 'stillUsed', 'revoke', 'scramble']
const stagelet = fc.constantFrom(...stagelets)
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Event>({ do: 'look' }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('agent' as const), stagelet }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(5_000, 61_000, 601_000, 1_000_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('run' as const, 'now' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('leave' as const, 'return' as const), stagelet }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'live' as const), stagelet }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('fault' as const), call: fc.constantFrom(...calls) },
      after: fc.boolean(),
    }),
  },
)

/** The controller is killed at a call: before what it does, or after. */
class Killed extends Error {}

describe('any course of a rotation', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  /** The next call of this name ends the performer, before or after its effect. */
  const killAt = ({ database }: RotationWorld, call: string, after: boolean): void => {
    const own = database as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
    const real = own[call]!.bind(database)
    own[call] = async (...args) => {
      Reflect.deleteProperty(own, call)
      if (after) await real(...args)
      throw new Killed(call)
    }
  }
  const look = async (world: RotationWorld): Promise<void> => {
    await world.look().catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error
    })
  }
  const happen = async (world: RotationWorld, one: Event): Promise<void> => {
    switch (one.do) {
      case 'look':
        return look(world)
      case 'run':
        return world.request()
      case 'now':
        return world.request({ now: true })
      case 'agent':
        return world.agent(one.stagelet)
      case 'leave':
        world.away.add(one.stagelet)
        return world.agent(one.stagelet)
      case 'return':
        world.away.delete(one.stagelet)
        return
      case 'die':
        world.dies.set(one.stagelet, ({ user }) => user === 'app_b')
        return
      case 'live':
        world.dies.delete(one.stagelet)
        return
      case 'fault':
        killAt(world, one.call, one.after)
        return
      case 'wait':
        clock.step(one.ms)
    }
  }

  it('leaves what runs accepted, and comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 50 }), async (events) => {
        const world = await RotationWorld.begin(t, clock, { stagelets })
        await world.run(({ phase, attempt }) => phase === 'Idle' && attempt === 1)
        for (const name of stagelets) await world.agent(name)
        for (const one of events) {
          await happen(world, one)
          expect(world.refused()).toEqual([])
        }
        // In the end everybody is there, and nothing fails any more.
        world.away.clear()
        world.dies.clear()
        for (const call of calls) Reflect.deleteProperty(world.database, call)
        const end = await world.run(({ phase, request }) => {
          expect(world.refused()).toEqual([])
          return phase === 'Idle' && request === undefined
        }, 72 * 3_600_000)
        expect(end.phase).toBe('Idle')
        expect(world.refused()).toEqual([])
        // Whatever was ended, only what is in use is accepted after a good rotation.
        await world.request()
        const { attempt = 0 } = end
        const good = await world.run(
          (status) => status.phase === 'Idle' && (status.attempt ?? 0) > attempt,
          24 * 3_600_000,
        )
        expect(good.failures).toBe(0)
        expect([...world.database.logins.keys()]).toEqual([good.slot])
        expect(world.refused()).toEqual([])
      }),
      { ...runs(3, 300), endOnFailure: true },
    )
  }, 600_000)
})
