// A model of rotations: whatever happens, what runs is always accepted, what was ended runs nowhere, and what says
// "ended" is refused by the database.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { RotationWorld } from '../../support/docker/rotation-world.ts'
import { api, createSteppedClock } from '../../support/databases/store-fixtures.ts'
import { runs } from '../../support/soak.ts'

type Run = NonNullable<ReturnType<RotationWorld['runs']['get']>>
type Event =
  | { readonly do: 'look' | 'run' | 'now' }
  | {
      readonly do: 'agent' | 'leave' | 'return' | 'die' | 'live' | 'crash'
      readonly stagelet: string
    }
  | { readonly do: 'becomes'; readonly stagelet: string; readonly run: Run }
  | { readonly do: 'fault'; readonly call: string; readonly after: boolean }
  | { readonly do: 'visit' | 'go'; readonly login: string }
  /** Somebody deletes the Rotation, or applies it again. */
  | { readonly do: 'delete' | 'apply' }
  /** Somebody rolls the outputs back, so many credentials; or one of them alone. */
  | { readonly do: 'rollback'; readonly back: number; readonly isTorn: boolean }
  | { readonly do: 'wait'; readonly ms: number }

const stagelets = ['one', 'two']
const calls = ['preflight', 'checkAccepted', 'set', 'test', 'stillUsed', 'revoke', 'disable']
const stagelet = fc.constantFrom(...stagelets)
const some = <T>(...all: T[]): fc.Arbitrary<T> => fc.constantFrom(...all)
const becomes: Run[] = [
  ...[{ containers: 3 }, { containers: 1 }, { state: 'paused' }, { state: 'running' }],
  ...[{ health: 'unhealthy' }, { health: 'healthy' }, { restarts: 0 }],
]
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Event>({ do: 'look' }) },
  { weight: 6, arbitrary: fc.record({ do: some('agent' as const), stagelet }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: some('wait' as const), ms: some(5e3, 61e3, 601e3, 1e6) }),
  },
  { weight: 2, arbitrary: fc.record({ do: some<'run' | 'now'>('run', 'now') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: some<'leave' | 'return' | 'die' | 'live' | 'crash'>(
        ...(['leave', 'return', 'die', 'live', 'crash'] as const),
      ),
      stagelet,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: some('becomes' as const), stagelet, run: some(...becomes) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: some<'visit' | 'go'>('visit', 'go'),
      login: some('app_a', 'app_b'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: some('fault' as const),
      call: some(...calls),
      after: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: some<'delete' | 'apply'>('delete', 'apply', 'apply') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: some('rollback' as const),
      back: fc.nat(4),
      isTorn: some(false, false, true),
    }),
  },
)

/** The controller is killed at a call: before what it does, or after. */
class Killed extends Error {}

interface Pair {
  readonly user: number
  readonly password: number
}

describe('any course of a rotation', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  /** A world, and what a person knows of it. */
  class Course {
    readonly world: RotationWorld
    readonly #rotation: KubeObject
    /** Versions of the outputs that were one credential, in their order. */
    readonly pairs: Pair[] = []
    #rollbacks = 0

    constructor(world: RotationWorld, rotation: KubeObject) {
      this.world = world
      this.#rotation = rotation
    }

    async look(): Promise<void> {
      if ((await t.store.get(this.world.ref)) === undefined) return
      await this.world.look().catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error
      })
    }

    /** The next call of this name ends the performer, before or after its effect. */
    killAt(call: string, after: boolean): void {
      const { database } = this.world
      const own = database as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
      const real = own[call]!.bind(database)
      own[call] = async (...args) => {
        Reflect.deleteProperty(own, call)
        if (after) await real(...args)
        throw new Killed(call)
      }
    }

    async remove(): Promise<void> {
      if ((await t.store.get(this.world.ref)) === undefined) return
      await t.store.write(api, {}, (tx) => tx.remove(this.world.ref))
    }

    async apply(): Promise<void> {
      if ((await t.store.get(this.world.ref)) !== undefined) return
      const { status: _, metadata, ...rest } = this.#rotation
      const { name } = metadata
      const made = { ...rest, metadata: { name, namespace: this.world.ns } }
      await t.store.write(api, {}, (tx) => tx.create(made))
    }

    async rollback(back: number, isTorn: boolean): Promise<void> {
      const to = this.pairs.at(-1 - back)
      if (to === undefined) return
      const ref = (name: string) => ({ kind: 'StagelySecret', namespace: this.world.ns, name })
      // The controller closes a revision after a while; nobody does so here.
      const changeSet = { id: `back ${++this.#rollbacks}`, last: true }
      const write = t.store.write(api, { changeSet }, async (tx) => {
        await tx.rollbackSecret(ref('password'), to.password)
        if (!isTorn) await tx.rollbackSecret(ref('user'), to.user)
      })
      await write.catch((error: unknown) => {
        if (!(error instanceof StagelyError)) throw error
        expect(['CredentialRevoked', 'Conflict']).toContain(error.reason)
      })
    }

    async request(more: { now?: boolean } = {}): Promise<void> {
      if ((await t.store.get(this.world.ref)) !== undefined) await this.world.request(more)
    }

    crash(stagelet: string): void {
      const { restarts = 0, ...run } = this.world.runs.get(stagelet) ?? {}
      const since = toTimestamp(clock.now())
      this.world.runs.set(stagelet, { ...run, restarts: restarts + 1, since })
    }

    async happen(one: Event): Promise<void> {
      const { world } = this
      switch (one.do) {
        case 'look':
          return this.look()
        case 'run':
          return this.request()
        case 'now':
          return this.request({ now: true })
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
        case 'crash':
          this.crash(one.stagelet)
          return
        case 'becomes':
          world.runs.set(one.stagelet, { ...world.runs.get(one.stagelet), ...one.run })
          return
        case 'visit':
          if (world.database.logins.has(one.login)) world.database.visited.add(one.login)
          return
        case 'go':
          world.database.visited.delete(one.login)
          return
        case 'fault':
          this.killAt(one.call, one.after)
          return
        case 'delete':
          return this.remove()
        case 'apply':
          return this.apply()
        case 'rollback':
          return this.rollback(one.back, one.isTorn)
        case 'wait':
          clock.step(one.ms)
      }
    }

    /** What holds at each moment. */
    async check(): Promise<void> {
      const { world } = this
      const { items } = await t.store.list('StagelySecret', { namespace: world.ns })
      const version = (name: string): number =>
        (items.find(({ metadata }) => metadata.name === name)?.status?.['version'] as number) ?? 0
      const pair = { user: version('user'), password: version('password') }
      const last = this.pairs.at(-1)
      if (pair.password > 0 && (last?.user !== pair.user || last.password !== pair.password))
        this.pairs.push(pair)
      expect(world.refused()).toEqual([])
      const { ended } = world.database
      expect(ended.filter((values) => world.database.accepts({ values }))).toEqual([])
    }

    /** In the end everybody is there, and nothing fails any more. */
    async heal(): Promise<void> {
      const { world } = this
      for (const all of [world.away, world.dies, world.runs, world.database.visited]) all.clear()
      for (const call of calls) Reflect.deleteProperty(world.database, call)
      await this.apply()
      for (const name of stagelets) await world.agent(name)
    }

    /** A person takes a login away that the rotation names, and nothing runs with. */
    close({ failure }: RotationStatus): void {
      const [, name] = /^login (\w+) can log in/.exec(failure?.message ?? '') ?? []
      const { logins } = this.world.database
      const isRun = [...this.world.containers.values()].some(({ user }) => user === name)
      if (name !== undefined && !isRun) logins.delete(name)
    }
  }

  it('leaves what runs accepted, and comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 50 }), async (events) => {
        const world = await RotationWorld.begin(t, clock, { stagelets })
        await world.run(({ phase, attempt }) => phase === 'Idle' && attempt === 1)
        for (const name of stagelets) await world.agent(name)
        const course = new Course(world, await world.rotation())
        for (const one of events) {
          await course.happen(one)
          await course.check()
        }
        await course.heal()
        const isOver = ({ phase = 'Idle', request }: RotationStatus): boolean =>
          phase === 'Idle' && request === undefined
        const end = await world.run((status) => {
          expect(world.refused()).toEqual([])
          return isOver(status)
        }, 72 * 3_600_000)
        expect(end.phase).toBe('Idle')
        await course.check()
        // Whatever was ended, only what is in use is accepted after a good rotation.
        let good = end
        for (let n = 0; n < 3; n += 1) {
          const { attempt = 0 } = good
          course.close(good)
          await world.request()
          good = await world.run(
            (status) => isOver(status) && (status.attempt ?? 0) > attempt,
            24 * 3_600_000,
          )
          if (good.failure === undefined) break
        }
        expect(good.failures).toBe(0)
        expect([...world.database.logins.keys()]).toEqual([good.slot])
        await course.check()
      }),
      { ...runs(8, 300), endOnFailure: true },
    )
  }, 600_000)
})
