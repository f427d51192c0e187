// Rotations on a store that was restored from a backup, with a database in memory that went on meanwhile.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { RotatorFault } from '../../../controller/rotators/providers/rotator.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { Restored, RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import { fromFor, holdIn } from '../../../src/rollout/restored.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { RotationWorld } from '../../support/docker/rotation-world.ts'
import {
  api,
  createSteppedClock,
  objectOf,
  secretOf,
  system,
} from '../../support/databases/store-fixtures.ts'

describe('a rotation after the restore of a backup', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  /** The backup is of after the first rotation; `since` is what the database accepts now, and services run. */
  const restored = async (since?: readonly [login: string, password: string]) => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(({ phase, attempt = 0 }) => phase === 'Idle' && attempt === 1)
    await world.agent('one')
    if (since !== undefined) {
      const [user, password] = since
      world.database.logins.clear()
      world.database.logins.set(user, password)
      world.containers.set('one', { user, password })
    }
    const at = toTimestamp(clock.now())
    const mark: Restored = { at, takenAt: at, state: 'Untested', message: '' }
    await world.setStatus((before) => ({ ...before, restored: mark }))
    return world
  }
  const agentIs = (world: RotationWorld, status: 'True' | 'False') =>
    t.store.write(system, {}, async (tx) => {
      const box = (await tx.get({ kind: 'Agent', namespace: world.ns, name: 'box' }))!
      const conditions = [{ type: 'Ready', status, reason: 'Connected', message: '', lastTransitionTime: toTimestamp(clock.now()) }] // prettier-ignore
      await tx.setStatus({ ...box, status: { ...box.status, conditions } })
    })
  const removeOutputs = (world: RotationWorld) =>
    t.store.write(api, {}, async (tx) => {
      const remove = async (name: string): Promise<string> => {
        const ref = { kind: 'StagelySecret', namespace: world.ns, name }
        const { metadata } = (await tx.get(ref))!
        await tx.remove(ref)
        return metadata.uid ?? ''
      }
      return { username: await remove('user'), password: await remove('password') }
    })
  const restore = (world: RotationWorld, uid: string) =>
    t.store.write(api, {}, (tx) =>
      tx.restoreSecret({ kind: 'Project', namespace: world.ns, name: 'shop' }, uid),
    )
  const isAtRest = ({ phase, restored: of }: RotationStatus): boolean =>
    phase === 'Idle' && of?.state !== 'Untested' && of?.state !== 'Renewing'

  it('is tested, and delivered as it is where its credential is accepted', async () => {
    const world = await restored()
    expect(fromFor(holdIn(await world.rotation()), 'one')).toBe(Infinity)
    await world.look()
    expect(await world.status()).toMatchObject({ attempt: 1, restored: { state: 'Accepted' } })
    expect(await world.condition('Tested')).toBe('Tested=True/Accepted')
    expect(fromFor(holdIn(await world.rotation()), 'one')).toBe(0)
    await world.request()
    await world.run(({ phase, attempt = 0 }) => phase === 'Idle' && attempt === 2)
    expect((await world.status()).restored).toBeUndefined()
    expect(await world.condition('Tested')).toBe('Tested=/')
  })

  it('goes on with outputs that were deleted and come back', async () => {
    const world = await restored()
    await world.look()
    const { username, password } = await removeOutputs(world)
    await world.look()
    expect(await world.condition('Ready')).toBe('Ready=False/Refused')
    for (const uid of [username, password]) await restore(world, uid)
    await world.request()
    await world.run(({ phase, attempt = 0 }) => phase === 'Idle' && attempt === 2)
    expect(await world.condition('Ready')).toBe('Ready=True/Rotated')
  })

  it.each([
    ['the other login', 'app_b', 'app_a'],
    ['the same login by turns', 'app_a', 'app_b'],
  ])('is replaced at once where services run with %s', async (_, runs, next) => {
    const world = await restored([runs, 'a newer password'])
    // Another one that cannot be proven before this one is delivered.
    const other = await t.store.write(api, {}, async (tx) => {
      await tx.create(secretOf(world.ns, 'sign', { valueFrom: { rotation: { name: 'other', output: 'current' } } })) // prettier-ignore
      return tx.create(
        objectOf('Rotation', world.ns, 'other', {
          projectRef: { name: 'shop' },
          outputs: { current: 'sign' },
          rotator: { generate: {} },
        }),
      )
    })
    const proving = { ...other, status: { phase: 'Proving', attempt: 1 } }
    await t.store.write({ name: 'test', source: 'system', authority: 'whole' }, {}, (tx) =>
      tx.setStatus(proving),
    )
    const held = { user: runs, password: 'a newer password' }
    const status = await world.run((now) => {
      expect(world.refused()).toEqual([])
      if (now.phase !== 'Proving' && now.phase !== 'Overlapping')
        expect(world.containers.get('one')?.['user']).toBe(now.phase === 'Idle' ? next : held.user)
      return isAtRest(now)
    })
    expect(status).toMatchObject({ attempt: 2, slot: next, restored: { state: 'Renewed' } })
    expect(status.failure).toBeUndefined()
    expect(await world.condition('Tested')).toBe('Tested=True/Renewed')
    expect([...world.database.logins.keys()]).toEqual([next])
    expect(world.refused()).toEqual([])
    expect(fromFor(holdIn(await world.rotation()), 'one')).toBe(status.revision)
    const ref = { kind: 'StagelySecret', namespace: world.ns, name: 'password' }
    const back = t.store.write(api, {}, (tx) => tx.rollbackSecret(ref, 1))
    await expect(back).rejects.toMatchObject({ reason: 'CredentialRevoked' })
    const { items } = await t.store.list('Event', { namespace: world.ns })
    expect(items.map(({ spec }) => spec)).toContainEqual(
      expect.objectContaining({ type: 'Warning', reason: 'CredentialRefused' }),
    )
  })

  it('holds the project back while no other credential can be made, and says why', async () => {
    const world = await restored(['app_b', 'a newer password'])
    world.database.faults.set('preflight', { kind: 'Failed', message: 'no room for a role' })
    await world.look()
    expect(await world.condition('Failed')).toBe('Failed=True/Preflight')
    expect(await world.condition('Tested')).toBe('Tested=False/Renewing')
    expect(fromFor(holdIn(await world.rotation()), 'one')).toBe(Infinity)
    await world.request()
    await world.run(isAtRest)
    expect(await world.condition('Tested')).toBe('Tested=True/Renewed')
    expect(world.refused()).toEqual([])
  })

  it('is delivered untested where nobody answers for 60 s, and tested later', async () => {
    const world = await restored(['app_b', 'a newer password'])
    const { database } = world
    let asked = 0
    Object.assign(database, {
      checkAccepted: () => {
        asked += 1
        clock.step(31_000)
        return Promise.reject(new RotatorFault('Unreachable', 'agent box is away'))
      },
    })
    await world.look()
    expect(asked).toBe(2)
    expect(await world.condition('Tested')).toBe('Tested=Unknown/Unknown')
    expect(await world.message('Tested')).toMatch(
      /delivered all the same, but not to one, .*: agent box is away$/,
    )
    const from = async (stagelet: string): Promise<number> =>
      fromFor(holdIn(await world.rotation()), stagelet)
    expect(await Promise.all(['one', 'another'].map(from))).toEqual([Infinity, 0])
    // Its agent comes back, and is told nothing before it was asked again, for 60 s.
    await agentIs(world, 'True')
    await world.look()
    expect(asked).toBe(4)
    expect(await from('one')).toBe(0)
    // The database comes back.
    Reflect.deleteProperty(database, 'checkAccepted')
    clock.step(300_000)
    await world.run(isAtRest)
    expect(await world.condition('Tested')).toBe('Tested=True/Renewed')
  })

  it('is tested also where its output comes back later from the deleted ones', async () => {
    const world = await restored(['app_b', 'a newer password'])
    const uids = await removeOutputs(world)
    await world.look()
    expect(await world.condition('Tested')).toBe('Tested=Unknown/Unknown')
    expect(await world.message('Tested')).toMatch(/secret "\w+" of output \w+ does not exist$/)
    // One after the other: the first alone is not delivered either.
    const from = async (): Promise<number> => fromFor(holdIn(await world.rotation()), 'one')
    await restore(world, uids.password)
    expect(await from()).toBe(Infinity)
    expect(await world.condition('Tested')).toBe('Tested=Unknown/Untested')
    expect(await world.message('Tested')).toMatch(/^it is not known yet/)
    expect((await world.status()).restored?.message).toBe(await world.message('Tested'))
    await world.look()
    expect(await world.condition('Tested')).toBe('Tested=False/Refused')
    expect(await world.message('Tested')).toMatch(
      /nothing is delivered.*secret "user" of output username does not exist$/,
    )
    expect(await from()).toBe(Infinity)
    await restore(world, uids.username)
    await world.look()
    // It is dead, and replaced at once.
    expect(await world.condition('Tested')).toBe('Tested=True/Renewed')
    expect(await from()).toBeLessThan(Infinity)
  })

  it('is accepted where all of it came back, and a part was refused before', async () => {
    const world = await restored()
    const uids = await removeOutputs(world)
    await restore(world, uids.username)
    await world.look()
    expect(await world.condition('Tested')).toBe('Tested=False/Refused')
    await restore(world, uids.password)
    await world.look()
    expect(await world.condition('Tested')).toBe('Tested=True/Accepted')
  })

  it('is delivered where its test fails in a way that nobody has thought of, and goes on', async () => {
    const world = await restored(['app_b', 'a newer password'])
    // By the backup its agent is there; it is found to be away during the last look.
    await agentIs(world, 'True')
    let asked = 0
    Object.assign(world.database, {
      checkAccepted: async () => {
        asked += 1
        clock.step(31_000)
        if (asked === 2) await agentIs(world, 'False')
        throw new TypeError('a canary of a bug')
      },
    })
    await world.look()
    expect(asked).toBe(2)
    expect(await world.message('Tested')).toMatch(/but not to one, /)
    expect(await world.condition('Tested')).toBe('Tested=Unknown/Unknown')
    expect(await world.message('Tested')).toMatch(/the test failed, see the log of the controller$/)
    Reflect.deleteProperty(world.database, 'checkAccepted')
    clock.step(60_000)
    await world.run(isAtRest)
    expect(await world.condition('Tested')).toBe('Tested=True/Renewed')
  })
})
