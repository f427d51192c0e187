// What a rotation may take for a proof that nothing runs with the old credential.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { RotationStatus } from '../../src/resources/rotation.ts'
import { openTestStore, type TestStore } from '../support/open-test-store.ts'
import { RotationWorld } from '../support/rotation-world.ts'
import { api, createSteppedClock, objectOf, updateAs } from '../support/store-fixtures.ts'

const minute = 60_000
const rotated =
  (times: number) =>
  ({ phase, attempt = 0 }: RotationStatus): boolean =>
    phase === 'Idle' && attempt >= times

describe('the proof of a rotation', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  const loginsOf = ({ database }: RotationWorld): string[] => [...database.logins.keys()].sort()

  it('is none while the project is gone: its secrets and stacks stay', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    world.away.add('one')
    await world.request()
    await world.run(({ phase }) => phase === 'Proving')
    const project = { kind: 'Project', namespace: world.ns, name: 'shop' }
    await t.store.write(api, {}, (tx) => tx.remove(project))
    for (let i = 0; i < 4; i += 1) {
      await world.look()
      clock.step(20 * minute)
    }
    expect(await world.condition('Blocked')).toBe('Blocked=True/ProjectMissing')
    expect(await world.message('Blocked')).toMatch(/project "shop" does not exist.*create it again/)
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    await t.store.write(api, {}, async (tx) => {
      await tx.create(objectOf('Project', world.ns, 'shop'))
    })
    await world.run(() => false, minute)
    expect(await world.condition('Blocked')).toBe('Blocked=True/AgentAway')
    world.away.clear()
    await world.run(rotated(2))
    expect(loginsOf(world)).toEqual(['app_b'])
  })

  it('is of the place that the rotation named when it began', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    world.away.add('one')
    await world.request()
    await world.run(({ phase }) => phase === 'Proving')
    const change = async (more: object): Promise<unknown> => {
      const before = await world.rotation()
      return updateAs(t.store, api, { ...before, spec: { ...before.spec, ...more } })
    }
    const { postgres } = (await world.rotation()).spec.rotator
    const elsewhere = {
      ...{ projectRef: { name: 'other' }, outputs: { password: 'user' }, inPlace: true },
      rotator: { postgres: { ...postgres, roles: ['app_a'] } },
    }
    const message = expect.stringMatching(/an attempt is under way \(Proving\)/) as string
    await expect(change(elsewhere)).rejects.toMatchObject({
      reason: 'Invalid',
      details: {
        faults: ['projectRef', 'outputs', 'rotator', 'inPlace'].map((field) => ({
          ...{ field: `spec.${field}`, reason: 'FieldValueForbidden', message },
        })),
      },
    })
    await change({ overlap: '1m' })
    world.away.clear()
    await world.run(rotated(2))
    await change({ projectRef: { name: 'other' } })
  })
})
