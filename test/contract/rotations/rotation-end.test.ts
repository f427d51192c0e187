// The end of an old credential: the new one is tried right before and right after, since the proof is older than the end.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { rotated, RotationWorld } from '../../support/docker/rotation-world.ts'
import { createSteppedClock } from '../../support/databases/store-fixtures.ts'

const minute = 60_000

describe('the end of an old credential', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  const begin = async (spec: Record<string, unknown> = {}): Promise<RotationWorld> => {
    const world = await RotationWorld.begin(t, clock, { spec })
    await world.run(rotated(1))
    await world.agent('one')
    await world.request()
    return world
  }
  const messages = async ({ ns }: RotationWorld): Promise<string> =>
    JSON.stringify((await t.store.list('Event', { namespace: ns })).items.map(({ spec }) => spec))

  it.each(['Proving', 'Overlapping'])(
    'does not come where the new one was changed by hand while %s',
    async (phase) => {
      const world = await begin()
      const { logins } = world.database
      await world.run((status) => status.phase === phase)
      const password = logins.get('app_b')!
      logins.set('app_b', 'by hand')
      await world.run(() => false, 30 * minute)
      expect([...logins.keys()].sort()).toEqual(['app_a', 'app_b'])
      expect(world.database.ended).toEqual([])
      expect(await world.condition('Blocked')).toBe('Blocked=True/NewRefused')
      expect(await world.message('Blocked')).toMatch(
        /credential of app_b was proven, and is refused now.*the old one is accepted, and is kept/,
      )
      expect(await messages(world)).toContain('RotationBlocked')
      logins.set('app_b', password)
      await world.run(rotated(2))
      expect([...logins.keys()]).toEqual(['app_b'])
      expect(await messages(world)).toContain(
        'the new one was accepted right before and right after (tried in the service db)',
      )
    },
  )

  it('does not come on what was tried before a long wait', async () => {
    const world = await begin()
    const { logins, faults } = world.database
    const revoke = world.database.revoke.bind(world.database)
    let asked = 0
    world.database.revoke = (old) => {
      if (asked++ === 0) faults.set('revoke', { kind: 'Unreachable', message: 'no route' })
      return revoke(old)
    }
    await world.run(({ phase, tries }) => phase === 'Revoking' && tries === 1)
    logins.set('app_b', 'by hand')
    await world.run(() => false, 30 * minute)
    expect(logins.has('app_a')).toBe(true)
    expect(await world.condition('Blocked')).toBe('Blocked=True/NewRefused')
  })

  it('does not come while nobody can say whether the new one is accepted', async () => {
    const world = await begin()
    await world.run(({ phase }) => phase === 'Overlapping')
    const test = world.database.test.bind(world.database)
    world.database.test = (candidate) => {
      world.database.faults.set('test', { kind: 'Unreachable', message: 'no route to host' })
      return test(candidate)
    }
    await world.run(() => false, 60 * minute)
    expect(world.database.logins.has('app_a')).toBe(true)
    expect(await world.condition('Blocked')).toBe('Blocked=True/NotRevoked')
    expect(await world.message('Blocked')).toContain(
      'so that the old one is kept: no route to host',
    )
    world.database.test = test
    await world.run(rotated(2), 600 * minute)
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('does not come while an agent that has the old one does not answer what its machine runs', async () => {
    const world = await begin()
    await world.run(({ phase }) => phase === 'Overlapping')
    world.mute.add('box')
    await world.run(() => false, 30 * minute)
    expect(world.database.ended).toEqual([])
    expect(await world.condition('Blocked')).toBe('Blocked=True/NotRevoked')
    expect(await world.message('Blocked')).toMatch(
      /agent "box" .*it has no connection to a controller: look at its machine/,
    )
    world.mute.clear()
    await world.run(rotated(2), 600 * minute)
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('waits no longer for the answer of an agent than the Rotation says for agents that are away', async () => {
    const spec = { away: 'RevokeAfter', revokeAfter: '2h' }
    const world = await begin(spec)
    await world.run(({ phase }) => phase === 'Overlapping')
    world.mute.add('box')
    await world.run(() => false, 100 * minute)
    expect(world.database.ended).toEqual([])
    await world.run(rotated(2), 300 * minute)
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  describe.each([
    ['a one-off of the stack', 'OldContainer', (world: RotationWorld) => world.oneOffs],
    ['a container of no stack', 'SeenElsewhere', (world: RotationWorld) => world.unmanaged],
    ['a service of the stack', 'OldContainer', (world: RotationWorld) => world.runs],
  ] as const)('with %s that came with the old one', (_, reason, heldIn) => {
    const held = (world: RotationWorld, old: string): void => {
      const found = heldIn(world)
      if (found === world.oneOffs) found.set('one', 1)
      else if (found === world.unmanaged) world.unmanaged.set('by-hand', old)
      else world.runs.set('one', { runningDigest: 'of the old one', revision: 1 })
    }

    it('does not come though its begin is stored, and the database was away since', async () => {
      const world = await begin()
      const old = JSON.stringify(world.containers.get('one'))
      const { database } = world
      const revoke = database.revoke.bind(database)
      database.revoke = (credential) => {
        database.faults.set('revoke', { kind: 'Unreachable', message: 'no route' })
        return revoke(credential)
      }
      await world.run(({ phase, tries }) => phase === 'Revoking' && tries === 1)
      database.revoke = revoke
      held(world, old)
      await world.run(() => false, 60 * minute)
      expect(database.ended).toEqual([])
      expect(await world.condition('Blocked')).toBe(`Blocked=True/${reason}`)
      heldIn(world).clear()
      await world.run(rotated(2), 600 * minute)
      expect([...database.logins.keys()]).toEqual(['app_b'])
    })
  })

  it('does not come while a service of a stack has the old one from another secret', async () => {
    const world = await begin()
    world.copies.set('legacy', `URL=${JSON.stringify(world.containers.get('one'))}`)
    await world.run(() => false, 30 * minute)
    expect(world.database.ended).toEqual([])
    expect(await world.condition('Blocked')).toBe('Blocked=True/SeenElsewhere')
    expect(await world.message('Blocked')).toMatch(
      /containers of stacks that have it from no output of this rotation: box: legacy: let what they see follow the output/,
    )
    world.copies.clear()
    await world.run(rotated(2))
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('is not even stored where the proof was lost while agents were asked', async () => {
    const world = await begin()
    const test = world.database.test.bind(world.database)
    await world.run(({ phase }) => phase === 'Overlapping')
    world.database.test = async (candidate) => {
      world.oneOffs.set('one', 1)
      await world.agent('one')
      return test(candidate)
    }
    await world.run(() => false, 30 * minute)
    expect(world.database.ended).toEqual([])
    expect(await world.status()).not.toHaveProperty('revokeStartedAt')
    expect(await world.condition('Blocked')).toBe('Blocked=True/OldContainer')
    world.oneOffs.clear()
    world.database.test = test
    await world.run(rotated(2))
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('is told loudly where the new one is refused right after', async () => {
    const world = await begin()
    const { database } = world
    const revoke = database.revoke.bind(database)
    database.revoke = async (old) => {
      await revoke(old)
      database.logins.set('app_b', 'by hand')
    }
    await world.run(() => false, 30 * minute)
    expect(await world.status()).toMatchObject({ phase: 'Revoking' })
    expect(await world.condition('Blocked')).toBe('Blocked=True/NewRefused')
    expect(await world.message('Blocked')).toMatch(/the old one is refused too/)
  })

  it('comes where an owner ends it whatever runs, and what is refused is told', async () => {
    const world = await begin()
    const { logins } = world.database
    await world.run((status) => status.phase === 'Overlapping')
    logins.set('app_b', 'by hand')
    await world.request({ withoutProof: true })
    await world.run(() => false, 5 * minute)
    expect(logins.has('app_a')).toBe(false)
    expect(await world.condition('Blocked')).toBe('Blocked=True/NewRefused')
  })
})
