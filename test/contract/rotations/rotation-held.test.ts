// What keeps a rotation from its start: a pause, another rotation, a login that may be somebody else's.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { reconcilerActor } from '../../../controller/reconcilers/actor.ts'
import { advance, startRotationPerformer } from '../../../controller/rotators/performer.ts'
import { RotatorFault } from '../../../controller/rotators/providers/rotator.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { rotated, RotationWorld } from '../../support/docker/rotation-world.ts'
import {
  api,
  createAs,
  createSteppedClock,
  objectOf,
  secretOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const minute = 60_000
const day = 86_400_000
describe('a rotation that waits', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  const signal = new AbortController().signal
  const read = async (ns: string, name: string): Promise<KubeObject> =>
    (await t.store.get({ kind: 'Rotation', namespace: ns, name }))!
  const conditionOf = async (ns: string, name: string, type: string): Promise<string> => {
    const { conditions } = (await read(ns, name)).status as RotationStatus
    const found = findCondition(conditions, type)
    return `${found?.status ?? ''}/${found?.reason ?? ''}: ${found?.message ?? ''}`
  }
  const pause = async (world: RotationWorld, paused: boolean): Promise<unknown> => {
    const before = await world.rotation()
    return updateAs(t.store, api, { ...before, spec: { ...before.spec, paused } })
  }
  /** Another rotation, with outputs of its own. */
  const another = async (
    { ns }: RotationWorld,
    name: string,
    { project = 'shop', rotator = {} }: { project?: string; rotator?: object } = {},
  ): Promise<KubeObject> => {
    const projectRef = { name: project }
    return t.store.write(api, {}, async (tx) => {
      if ((await tx.get({ kind: 'Project', namespace: ns, name: project })) === undefined)
        await tx.create(objectOf('Project', ns, project))
      for (const output of ['username', 'password']) {
        const valueFrom = { rotation: { name, output } }
        await tx.create(secretOf(ns, `${name}-${output}`, { projectRef, scope: 'web', valueFrom }))
      }
      return tx.create(
        objectOf('Rotation', ns, name, {
          projectRef,
          outputs: { username: `${name}-username`, password: `${name}-password` },
          rotator: { postgres: { database: 'shop', owner: 'app', ...rotator } },
        }),
      )
    })
  }
  const place = (host: string, port?: number) => ({
    at: { host, ...(port === undefined ? {} : { port }), adminRef: { name: 'admin' } },
  })

  it('starts nothing while it is paused, goes on with what has begun, and starts when it is resumed', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await pause(world, true)
    clock.step(31 * day)
    await world.run(() => false, minute)
    expect(await world.status()).toMatchObject({ phase: 'Idle', attempt: 1 })
    expect(await world.condition('Progressing')).toBe('Progressing=False/Paused')
    await pause(world, false)
    await world.run(({ phase }) => phase === 'Proving', minute)
    expect(await world.status()).toMatchObject({ phase: 'Proving', attempt: 2 })
    await pause(world, true)
    await world.run(rotated(2))
    expect(await world.status()).toMatchObject({ attempt: 2, slot: 'app_b', failures: 0 })
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('waits for one of its project, and for one of its database in another project or team', async () => {
    const rotator = { ...place('DB.example.com.'), roles: ['app_a', 'app_b'] }
    const world = await RotationWorld.begin(t, clock, {
      spec: { rotator: { postgres: { database: 'shop', owner: 'app', ...rotator } } },
    })
    const elsewhere = await RotationWorld.begin(t, clock, {
      spec: {
        rotator: {
          postgres: {
            database: 'crm',
            owner: 'crm',
            roles: ['crm_a', 'crm_b'],
            ...place('db.example.com', 5432),
          },
        },
      },
    })
    const near = await another(world, 'near', { rotator: { ...place('n'), roles: ['n_a', 'n_b'] } })
    const far = await another(world, 'far', {
      project: 'crm',
      rotator: { ...place('db.example.com', 5432), roles: ['f_a', 'f_b'] },
    })
    const free = await another(world, 'free', {
      project: 'tax',
      rotator: { ...place('db.example.com', 5433), roles: ['app_a', 'app_b'] },
    })
    const all = [await world.rotation(), near, far, await elsewhere.rotation()]
    // Decided at the same time: one write is the first.
    const unreachable = new RotatorFault('Unreachable', 'no route to host')
    world.database.preflight = () => Promise.reject(unreachable)
    await Promise.all(all.map((one) => advance(world.deps, one, signal)))
    const begun = await Promise.all(
      all.map(async ({ metadata }) => {
        const { status } = await read(metadata.namespace!, metadata.name)
        return (status as RotationStatus | undefined)?.attempt === 1
      }),
    )
    expect(begun.filter((one) => one)).toHaveLength(1)
    await advance(world.deps, free, signal)
    expect((await read(world.ns, 'free')).status).toMatchObject({ phase: 'Preparing' })
  })

  it('is told who holds it up, and what to do', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await another(world, 'near', { rotator: { ...place('a'), roles: ['n_a', 'n_b'] } })
    const look = async (): Promise<void> => {
      await advance(world.deps, await read(world.ns, 'near'), signal)
    }
    world.away.add('one')
    await world.request()
    await world.look()
    await look()
    expect(await conditionOf(world.ns, 'near', 'Progressing')).toMatch(
      /^False\/Waiting: rotation "db" must end first: attempt 2 is in Proving since .*describe rotation db$/,
    )
    expect(await conditionOf(world.ns, 'near', 'Blocked')).toMatch(/^False/)
    // It waits itself, and somebody must do something.
    await world.run(() => false, 20 * minute)
    await look()
    expect(await conditionOf(world.ns, 'near', 'Blocked')).toMatch(
      /^True\/OtherRotation: .*blocked \(AgentAway: one: agent "box" is away.*delete rotation "db", which ends no credential/,
    )
    world.away.clear()
    await world.run(rotated(2))
    await look()
    expect(await conditionOf(world.ns, 'near', 'Blocked')).toMatch(/^False/)
    expect((await read(world.ns, 'near')).status).toMatchObject({ attempt: 1 })
  })

  it('names no login that another rotation changes at the same place', async () => {
    const world = await RotationWorld.begin(t, clock)
    const inside = { in: { stagelet: 'one', service: 'db' } }
    const make = (name: string, rotator: object) => another(world, name, { rotator })
    await expect(make('same', { ...inside, roles: ['b', 'app_a'] })).rejects.toMatchObject({
      reason: 'Invalid',
      details: {
        faults: [
          {
            field: 'spec.rotator.postgres.roles',
            message: expect.stringMatching(
              /Duplicate value: "app_a": rotation "db" changes this login.*name another login/,
            ) as string,
          },
        ],
      },
    })
    await expect(
      make('adopts', { ...inside, roles: ['b', 'c'], adopt: 'app_a' }),
    ).rejects.toMatchObject({ reason: 'Invalid' })
    await make('other', { in: { stagelet: 'one', service: 'db2' }, roles: ['app_a', 'app_b'] })
    const other = await read(world.ns, 'other')
    const { postgres } = (other.spec as { rotator: { postgres: object } }).rotator
    const rotator = { postgres: { ...postgres, ...inside } }
    await expect(
      updateAs(t.store, api, { ...other, spec: { ...other.spec, rotator } }),
    ).rejects.toThrow(/rotation "db" changes this login/)
    // Of another team not even the name is told.
    const at = { ...place('db.example.org'), roles: ['x', 'y'] }
    await make('far', at)
    const foreign = await RotationWorld.begin(t, clock)
    await expect(another(foreign, 'far', { rotator: at })).rejects.toThrow(
      /a rotation of another team changes this login/,
    )
    await createAs(t.store, api, objectOf('Agent', foreign.ns, 'unrelated'))
  })

  it('does not begin with a login that it has not set, and that can log in', async () => {
    const world = await RotationWorld.begin(t, clock)
    world.database.logins.set('app_a', 'of-a-person')
    await world.run(rotated(1))
    expect(await world.message('Failed')).toMatch(
      /login app_a can log in, and this rotation has not set it.*ALTER ROLE app_a NOLOGIN/,
    )
    expect(world.database.logins.get('app_a')).toBe('of-a-person')
    world.database.logins.delete('app_a')
    world.database.logins.set('app_b', 'of-a-person')
    await world.request()
    await world.run(rotated(2))
    await world.agent('one')
    await world.request()
    await world.run(rotated(3))
    expect(await world.message('Failed')).toMatch(/login app_b can log in/)
    expect(world.database.logins.get('app_b')).toBe('of-a-person')
  })

  it('makes outputs that no container sees, but for the password that it logs in with itself', async () => {
    const rotatorBy = (admin: string) => ({
      mariadb: {
        in: { stagelet: 'one', service: 'db', adminRef: { name: admin } },
        database: 'shop',
        users: ['app_a'],
      },
    })
    const spec = { outputs: { password: 'root' }, inPlace: true, rotator: rotatorBy('root') }
    const world = await RotationWorld.begin(t, clock, { spec })
    const root = (await t.store.get({ kind: 'StagelySecret', namespace: world.ns, name: 'root' }))!
    const { scope: _, ...own } = root.spec as Record<string, unknown>
    await updateAs(t.store, api, { ...root, spec: { ...own, audience: 'Controller' } })
    await world.look()
    expect(await world.condition('Ready')).toBe('Ready=False/Refused')
    expect(await world.message('Ready')).toMatch(
      /^output password: secret "root" is the password of the administrator .*\(adminRef\).*change it by hand/,
    )
    const before = await world.rotation()
    const rotator = rotatorBy('another')
    await updateAs(t.store, api, { ...before, spec: { ...before.spec, rotator } })
    await world.run(rotated(1))
    expect(await world.condition('Ready')).toBe('Ready=True/Rotated')
  })

  it('changes a login that it has left valid only when it runs nowhere', async () => {
    const roles = ['app_a', 'app_b']
    const inside = { in: { stagelet: 'one', service: 'db' }, database: 'shop', owner: 'app' }
    const world = await RotationWorld.begin(t, clock, {
      stagelets: ['one', 'two'],
      spec: { rotator: { postgres: { ...inside, roles, adopt: 'app' } } },
    })
    await world.run(rotated(1))
    await world.run(() => world.containers.size === 2)
    await world.request()
    await world.run(({ phase }) => phase === 'Overlapping')
    // Somebody goes back meanwhile; one machine does not hear of it.
    world.away.add('two')
    await t.store.write(api, { changeSet: { id: 'back', last: true } }, async (tx) => {
      for (const name of ['user', 'password'])
        await tx.rollbackSecret({ kind: 'StagelySecret', namespace: world.ns, name }, 1)
    })
    const given = await world.run(rotated(2))
    expect(given.failure?.reason).toBe('OutputChanged')
    await world.request({ now: true })
    await world.run(rotated(3))
    expect(await world.message('Failed')).toMatch(/login app_b is still valid.*may run in .*two/)
    expect(world.refused()).toEqual([])
    world.away.clear()
    await world.run(() => false, 2 * minute)
    await world.request({ now: true })
    await world.run((status) => {
      expect(world.refused()).toEqual([])
      return rotated(4)(status)
    })
    expect(await world.status()).toMatchObject({ slot: 'app_b', failures: 0 })
    // What it has set for other outputs may be in use by who sees those.
    const { status: _, ...before } = await world.rotation()
    const outputs = { username: 'user', password: 'password-2' }
    const valueFrom = { rotation: { name: 'db', output: 'password' } }
    await createAs(t.store, api, secretOf(world.ns, 'password-2', { scope: 'web', valueFrom }))
    await updateAs(t.store, api, { ...before, spec: { ...before.spec, outputs } })
    expect((await world.status()).ownSlots).toBeUndefined()
  })

  it('takes over a login of its own that is accepted: of one that was deleted and made again, or of an output that came back', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await world.request({ now: true })
    await world.run(rotated(2))
    const { metadata, spec } = await world.rotation()
    await t.store.write(api, {}, async (tx) => {
      await tx.remove({ kind: 'Rotation', namespace: world.ns, name: 'db' })
    })
    await createAs(t.store, api, objectOf('Rotation', world.ns, 'db', { ...spec }))
    expect((await world.rotation()).metadata.uid).not.toBe(metadata.uid)
    await world.look()
    expect(await world.condition('Ready')).toBe('Ready=True/TakenOver')
    expect(await world.status()).toMatchObject({ slot: 'app_b', versions: { username: 2 } })
    await world.request({ now: true })
    await world.run(rotated(1))
    expect(await world.status()).toMatchObject({ slot: 'app_a', failures: 0 })
    expect([...world.database.logins.keys()]).toEqual(['app_a'])
    expect(world.refused()).toEqual([])
    // Its manifest may still say adopt, as that of the first one.
    await t.store.write(api, {}, async (tx) => {
      await tx.remove({ kind: 'Rotation', namespace: world.ns, name: 'db' })
    })
    const rotator = { postgres: { ...spec.rotator.postgres!, adopt: 'app' } }
    await createAs(t.store, api, objectOf('Rotation', world.ns, 'db', { ...spec, rotator }))
    await world.look()
    expect(await world.condition('Ready')).toBe('Ready=True/TakenOver')
  })

  it('does not take over what is not accepted, and asks again once there is another one', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    const good = world.database.logins.get('app_a')!
    world.database.logins.set('app_a', 'of somebody else')
    await world.setStatus(({ versions: _, ...rest }) => rest)
    world.database.faults.set('checkAccepted', { kind: 'Unreachable', message: 'no route to host' })
    await world.look()
    expect(await world.status()).toMatchObject({ retryFor: 'no route to host' })
    clock.step(minute)
    await world.look()
    expect(await world.condition('Ready')).toBe('Ready=False/Refused')
    expect(await world.message('Ready')).toContain('does not accept it as a password of app_a')
    const calls = world.database.calls.length
    await world.look()
    expect(world.database.calls).toHaveLength(calls)
    world.database.logins.set('app_a', good)
    await world.setStatus(({ judged: _, ...rest }) => rest)
    await world.look()
    expect(await world.condition('Ready')).toMatch(/^Ready=True/)
  })

  it('lets the outputs of one credential go back together or not at all', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await world.request()
    await world.run(({ phase }) => phase === 'Overlapping')
    const back = (names: readonly string[], version: number): Promise<unknown> =>
      t.store.write(api, { changeSet: { id: `back ${version}`, last: true } }, async (tx) => {
        for (const name of names)
          await tx.rollbackSecret({ kind: 'StagelySecret', namespace: world.ns, name }, version)
      })
    for (const name of ['user', 'password'])
      await expect(back([name], 1)).rejects.toMatchObject({
        reason: 'Conflict',
        message: expect.stringMatching(
          /go back together or not at all; for a new credential: stagely rotation run db/,
        ) as string,
      })
    await back(['user', 'password'], 1)
    await expect(back(['password'], 2)).rejects.toMatchObject({ reason: 'Conflict' })
    await back(['user', 'password'], 2)
  })

  it('is decided again at its time and not meanwhile, or when an agent is back', async () => {
    const world = await RotationWorld.begin(t, clock)
    const preflights: number[] = []
    const own = createFakeClock(clock.now())
    // Those of the other tests are led on too.
    const openRotator: typeof world.deps.openRotator = ({ namespace }) => {
      if (namespace === world.ns) preflights.push(own.now())
      return Promise.reject(new RotatorFault('Unreachable', 'no route to host'))
    }
    let passes = 0
    const store = new Proxy(t.store, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found !== 'function') return found
        return (...args: unknown[]): unknown => {
          const ref = args[0] as Partial<ObjectRef> | undefined
          if (name === 'get' && ref?.kind === 'Rotation' && ref.namespace === world.ns) passes += 1
          return Reflect.apply(found, target, args) as unknown
        }
      },
    })
    const setReady = (status: 'True' | 'False'): Promise<unknown> =>
      t.store.write(reconcilerActor, {}, async (tx) => {
        const ref = { kind: 'Agent', namespace: world.ns, name: 'back' }
        const agent = (await tx.get(ref)) ?? (await tx.create(objectOf('Agent', world.ns, 'back')))
        const conditions = [
          { type: 'Ready', status, reason: 'Test', message: '', lastTransitionTime: at },
        ]
        await tx.setStatus({ ...agent, status: { conditions } })
      })
    const at = toFineTimestamp(clock.now()).replace(/\.\d+/, '')
    await setReady('False')
    await world.request()
    const performer = startRotationPerformer({
      ...world.deps,
      store,
      openRotator,
      clock: own,
    })
    const isTried = async (times: number): Promise<void> => {
      await expect
        .poll(async () => {
          await own.advance(100)
          return preflights.length
        })
        .toBe(times)
      // Its own writes are news of it.
      for (let i = 0; i < 20; i += 1) await own.advance(100)
    }
    await isTried(1)
    const before = passes
    for (let i = 0; i < 100; i += 1) await own.advance(100)
    expect(passes - before).toBeLessThan(5)
    await setReady('True')
    await isTried(2)
    await performer.stop()
  })
})
