// A Rotation that is deleted while it works, and created again, or under another name: what it has set is known.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { leftByRotation } from '../../../src/kinds/rotation/left.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { rotated, RotationWorld } from '../../support/docker/rotation-world.ts'
import { api, createSteppedClock, objectOf } from '../../support/databases/store-fixtures.ts'

describe('a rotation that is created again', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  const beginAgain = async (phase: string, more: Record<string, unknown> = {}) => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await world.request()
    await world.run((status) => status.phase === phase)
    const { spec, status = {} } = await world.rotation()
    const left = leftByRotation('db', spec, status)
    await t.store.write(api, {}, (tx) => tx.remove(world.ref))
    await t.store.write(api, {}, (tx) =>
      tx.create(objectOf('Rotation', world.ns, 'db', { ...spec, ...more })),
    )
    return { world, left }
  }

  it.each(['Proving', 'Overlapping'])(
    'after a deletion in %s goes on with the logins that the first has set',
    async (phase) => {
      const { world, left } = await beginAgain(phase)
      expect(left).toContain(`under way (${phase}): app_a and app_b stay valid`)
      await world.run(({ slot }) => slot === 'app_b')
      await world.agent('one')
      await world.request()
      const status = await world.run(rotated(1))
      expect(status.failure).toBeUndefined()
      expect(status).toMatchObject({ slot: 'app_a' })
      expect([...world.database.logins.keys()]).toEqual(['app_a'])
      expect(world.refused()).toEqual([])
    },
  )

  it('knows nothing of logins at another place', async () => {
    const rotator = {
      postgres: {
        in: { stagelet: 'one', service: 'other' },
        database: 'shop',
        owner: 'app',
        roles: ['app_a', 'app_b'],
      },
    }
    const { world } = await beginAgain('Proving', { rotator })
    await world.run(({ slot }) => slot === 'app_b')
    await world.agent('one')
    await world.request()
    expect((await world.run(rotated(1))).failure?.message).toContain(
      'login app_a can log in, and this rotation has not set it',
    )
  })
})
