// After a rotation has ended: what services run is tried once a day, and at once where one of them fails after all.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { rotated, RotationWorld } from '../../support/docker/rotation-world.ts'
import { createSteppedClock } from '../../support/databases/store-fixtures.ts'

const minute = 60_000
const day = 1_440 * minute

describe('a rotation that has ended', () => {
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
    await world.run(rotated(2))
    return world
  }
  const events = async ({ ns }: RotationWorld): Promise<string> =>
    JSON.stringify((await t.store.list('Event', { namespace: ns })).items.map(({ spec }) => spec))
  const testedAt = async (world: RotationWorld): Promise<number> =>
    Date.parse((await world.status()).accepted?.at ?? '')

  it('has its credential tried each day, with the time, and says aloud when it is refused', async () => {
    const world = await begin()
    expect(await world.condition('Accepted')).toBe('Accepted=True/Accepted')
    const first = await testedAt(world)
    await world.run(() => false, day + 5 * minute, 5 * minute)
    expect((await testedAt(world)) - first).toBeGreaterThanOrEqual(day)
    expect(await world.message('Accepted')).toMatch(/was accepted at \d{4}-.*once a day/)
    const { logins } = world.database
    const password = logins.get('app_b')!
    logins.set('app_b', 'by hand')
    await world.run(() => false, day + 5 * minute, 5 * minute)
    expect(await world.condition('Accepted')).toBe('Accepted=False/Refused')
    expect(await events(world)).toMatch(
      /CredentialRefused.*credential of app_b that services run is refused now/,
    )
    expect(await events(world)).not.toContain(password)
    // Mended: it is asked each hour now.
    logins.set('app_b', password)
    await world.run(() => false, 65 * minute)
    expect(await world.condition('Accepted')).toBe('Accepted=True/Accepted')
    expect(await events(world)).toContain('the credential of app_b is accepted again')
    expect((await world.status()).attempt).toBe(2)
  })

  it('keeps its last answer, with its time, while nobody can be asked', async () => {
    const world = await begin()
    const first = await testedAt(world)
    const ask = world.database.checkAccepted.bind(world.database)
    world.database.checkAccepted = (candidate) => {
      world.database.faults.set('checkAccepted', { kind: 'Unreachable', message: 'no route' })
      return ask(candidate)
    }
    await world.run(() => false, day + 5 * minute, 5 * minute)
    expect(await testedAt(world)).toBe(first)
    expect(await world.condition('Accepted')).toBe('Accepted=True/Accepted')
    expect(await world.message('Accepted')).toContain('since no route')
    await world.run(() => false, 3 * day, 5 * minute)
    expect(await world.condition('Accepted')).toBe('Accepted=Unknown/NotAsked')
    expect(await world.condition('Blocked')).toBe('Blocked=False/NotBlocked')
  })

  it('warns where a service dies again, and tries the credential at once', async () => {
    const world = await begin()
    world.runs.set('one', { state: 'restarting', health: 'unhealthy' })
    world.database.logins.set('app_b', 'by hand')
    await world.agent('one')
    await world.run(() => false, 5 * minute)
    expect(await events(world)).toMatch(/ServiceIllAgain.*one\/web is restarting/)
    expect(await world.condition('Accepted')).toBe('Accepted=False/Refused')
    expect(await world.message('Accepted')).toContain('not well since the rotation: one/web')
    world.runs.delete('one')
    await world.agent('one')
    await world.run(() => false, 5 * minute)
    expect((await world.status()).illAfter).toBeUndefined()
  })
})
