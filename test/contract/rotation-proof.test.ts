// What a rotation may take for a proof that nothing runs with the old credential.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { agentFinalizer, type KubeObject } from '../../src/resources/meta.ts'
import type { RotationStatus } from '../../src/resources/rotation.ts'
import type { StageletStatus } from '../../src/resources/stagelet.ts'
import { openTestStore, type TestStore } from '../support/open-test-store.ts'
import { RotationWorld } from '../support/rotation-world.ts'
import {
  api,
  createSteppedClock,
  objectOf,
  stageletOf,
  system,
  updateAs,
} from '../support/store-fixtures.ts'

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

  it('is none before the health gate of the new values is passed', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    expect((await world.status()).revision).toBe(1)
    await world.agent('one')
    await world.request({ now: true })
    await world.run(({ phase }) => phase === 'Proving')
    expect((await world.status()).revision).toBe(2)
    // All containers have the new values; the gate waits for their health checks.
    await world.agent('one')
    await t.store.write(system, {}, async (tx) => {
      const found = (await tx.get({ kind: 'Stagelet', namespace: world.ns, name: 'one' }))!
      await tx.setStatus({ ...found, status: { ...found.status, healthyRevision: 1 } })
    })
    for (let i = 0; i < 4; i += 1) {
      await world.look()
      clock.step(2 * minute)
    }
    expect((await world.status()).phase).toBe('Proving')
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    await world.run(rotated(2))
    expect(loginsOf(world)).toEqual(['app_b'])
  })

  const stageletIn = (world: RotationWorld, name: string) => ({
    ...{ kind: 'Stagelet', namespace: world.ns, name },
  })
  const remove = async (world: RotationWorld, name: string): Promise<void> => {
    await t.store.write(api, {}, async (tx) => {
      const { gone } = await tx.remove(stageletIn(world, name))
      if (!gone) await tx.removeFinalizer(stageletIn(world, name), agentFinalizer)
    })
  }
  /** The agent says that it has let the stack go, with these containers of `web` left. */
  const release = async (world: RotationWorld, name: string, containers: number): Promise<void> => {
    await t.store.write(system, {}, async (tx) => {
      const stagelet = (await tx.get(stageletIn(world, name))) as KubeObject<
        Record<string, unknown>,
        StageletStatus
      >
      const { services = [] } = stagelet.status ?? {}
      const left = services.map((one) => ({ ...one, containers }))
      await tx.setStatus({ ...stagelet, status: { ...stagelet.status, services: left } })
      const spec = {
        ...{ agent: `${world.ns}/box`, stageletUid: stagelet.metadata.uid, phase: 'Released' },
        ...{ boot: 'b', seq: 1, generation: 1, epoch: 1, revision: 1, services: [], passed: {} },
        ...{ pendingEdits: [], missingVariables: [] },
      }
      await tx.putInternal(objectOf('Observation', world.ns, `released.${name}`, spec))
    })
    await remove(world, name)
  }
  const begin = async (stagelets: string[]): Promise<RotationWorld> => {
    const world = await RotationWorld.begin(t, clock, { stagelets })
    await world.run(rotated(1))
    await world.run(() => world.containers.size === stagelets.length)
    return world
  }

  it('is none while a stack that was released may run the old credential', async () => {
    const world = await begin(['one', 'two', 'down'])
    // The agent has told that nothing is left of it.
    await release(world, 'down', 0)
    // Of this one nobody has told: it was deleted by force.
    await remove(world, 'two')
    world.containers.delete('down')
    await world.request({ now: true })
    await world.run(() => false, 4 * minute)
    expect(await world.condition('Blocked')).toBe('Blocked=True/Released')
    expect(await world.message('Blocked')).toMatch(
      /^two: its stack on agent "box" \(\/srv\/two\) was released at .*nobody has seen it since: service web may run the old credential.*stagely rotation revoke db; the old/,
    )
    expect(world.refused()).toEqual([])
    // Nor does time end it.
    clock.step(100 * 60 * minute)
    await world.run(() => false, 2 * minute)
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    // Stagely has the stack again, and sees what runs.
    await t.store.write(api, {}, async (tx) => {
      await tx.create(stageletOf(world.ns, 'two'))
    })
    await world.run(() => false, minute)
    const ref = stageletIn(world, 'two')
    await t.store.write(system, {}, async (tx) => {
      const found = (await tx.get(ref))!
      const lastReportAt = new Date(clock.now()).toISOString()
      await tx.setStatus({ ...found, status: { ...found.status, lastReportAt } })
    })
    await world.run(rotated(2))
    expect(loginsOf(world)).toEqual(['app_b'])
    expect(world.refused()).toEqual([])
    expect((await world.status()).released).toBeUndefined()
  })

  it('counts a released stack by what was measured as it went', async () => {
    const world = await begin(['one', 'two'])
    await world.request({ now: true })
    await world.run(({ phase }) => phase === 'Proving')
    await world.agent('two')
    // It runs the new credential, and keeps it after this rotation.
    await release(world, 'two', 1)
    await world.run(rotated(2))
    expect(await world.status()).toMatchObject({ slot: 'app_b', failures: 0 })
    expect((await world.status()).released).toMatchObject([{ stagelet: 'two', services: ['web'] }])
    expect(world.refused()).toEqual([])
    // The next one would end that.
    await world.request({ now: true })
    await world.run(() => false, 4 * minute)
    expect(await world.condition('Blocked')).toBe('Blocked=True/Released')
    expect(world.refused()).toEqual([])
    world.containers.delete('two')
    await world.request({ now: true, withoutProof: true })
    await world.run(rotated(3))
    expect(loginsOf(world)).toEqual(['app_a'])
    expect((await world.status()).released).toBeUndefined()
  })

  it('counts a stack that a stagelet has left for another machine', async () => {
    const world = await begin(['one', 'two'])
    const stagelet = (await t.store.get(stageletIn(world, 'two')))!
    await t.store.write(api, {}, async (tx) => {
      await tx.create(objectOf('Agent', world.ns, 'crate'))
      await tx.update({ ...stagelet, spec: { ...stagelet.spec, agentRef: { name: 'crate' } } })
    })
    await world.request({ now: true })
    await world.run(() => false, 4 * minute)
    expect(await world.message('Blocked')).toMatch(/^two: its stack on agent "box"/)
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
  })

  it('is not held by a stack that never saw an output', async () => {
    const world = await begin(['one'])
    await t.store.write(api, {}, async (tx) => {
      await tx.create(stageletOf(world.ns, 'never-told'))
      await tx.create(stageletOf(world.ns, 'other'))
      const other = (await tx.get(stageletIn(world, 'other')))!
      const services = [{ name: 'mail', state: 'running', containers: 1, revision: 1 }]
      await tx.setStatus({ ...other, status: { services, wantedRevision: 1 } })
    })
    for (const name of ['never-told', 'other']) await remove(world, name)
    expect((await world.status()).released).toBeUndefined()
  })
})
