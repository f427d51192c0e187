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

  const begin = async (): Promise<RotationWorld> => {
    const world = await RotationWorld.begin(t, clock)
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
