// What a rotation may take for a proof that nothing runs with the old credential.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { endAgents } from '../../../controller/reconcilers/agent/end-agents.ts'
import { agentFinalizer, type KubeObject } from '../../../src/resources/meta.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { rotated, RotationWorld } from '../../support/docker/rotation-world.ts'
import {
  api,
  createAs,
  createSteppedClock,
  objectOf,
  secretOf,
  stageletOf,
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const minute = 60_000
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

  it('does not end what sits in a container that nobody manages, unless an owner says so', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    const held = (): string => JSON.stringify(world.containers.get('one'))
    world.unmanaged.set('old-worker', held()).set('other', 'PASSWORD=of-something-else')
    await world.request({ now: true })
    await world.run(() => false, 20 * minute)
    expect(await world.condition('Blocked')).toBe('Blocked=True/SeenElsewhere')
    expect(await world.message('Blocked')).toContain('no stack of Stagely: box: old-worker:')
    expect((await world.status()).phase).toBe('Revoking')
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    world.unmanaged.set('old-worker', 'PASSWORD=removed')
    await world.run(rotated(2))
    expect(await world.condition('Blocked')).toBe('Blocked=False/NotBlocked')
    expect(loginsOf(world)).toEqual(['app_b'])
    await world.agent('one')
    world.unmanaged.set('old-worker', held())
    await world.request({ now: true })
    await world.run(() => false, 20 * minute)
    await world.request({ now: true, withoutProof: true })
    await world.run(rotated(3))
    expect(loginsOf(world)).toEqual(['app_a'])
  })

  it('is held up by no machine that never got the credential, whatever it says', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.join('liar')
    world.claims.set('liar', 'of-mine')
    await world.run(rotated(1))
    await world.agent('one')
    await world.request({ now: true })
    await world.run(rotated(2))
    expect(loginsOf(world)).toEqual(['app_b'])
    const { items } = await t.store.list('Event', { namespace: world.ns })
    const messages = items.map(({ spec }) => `${spec.reason}: ${spec.message}`)
    expect(messages).toContainEqual(
      expect.stringMatching(/^SeenElsewhere: agents that never got .*: liar: of-mine\. It ends/),
    )
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
      projectRef: { name: 'other' },
      outputs: { password: 'user' },
      inPlace: true,
      rotator: { postgres: { ...postgres, roles: ['app_a'] } },
    }
    const message = expect.stringMatching(/an attempt is under way \(Proving\)/) as string
    await expect(change(elsewhere)).rejects.toMatchObject({
      reason: 'Invalid',
      details: {
        faults: ['projectRef', 'outputs', 'rotator', 'inPlace'].map((field) => ({
          field: `spec.${field}`,
          reason: 'FieldValueForbidden',
          message,
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

  it('is needed where a login is taken over, though no output had a value', async () => {
    const world = await RotationWorld.begin(t, clock)
    const { database } = world
    database.adopt = 'app'
    database.logins.set('app', 'of the env file')
    const began = clock.now()
    const phases = new Set<string | undefined>()
    const status = await world.run((one) => {
      phases.add(one.phase)
      return rotated(1)(one)
    })
    expect([...phases]).toEqual(['Proving', 'Overlapping', 'Idle'])
    // 60 s of proof and 10 m of overlap.
    expect(clock.now() - began).toBeGreaterThanOrEqual(11 * minute)
    expect(loginsOf(world)).toEqual(['app_a'])
    expect(status).toMatchObject({ slot: 'app_a', skipped: [] })
    expect(status.evidence).toHaveLength(1)
    expect(status.use!.looks).toBeGreaterThan(5)
    expect(await world.message('Ready')).toMatch(/^rotated last at/)
    const { items } = await t.store.list('Event', { namespace: world.ns })
    expect(JSON.stringify(items)).toMatch(
      /the old credential of app is ended: its login is taken away; \d+ looks since [^ ]+ found no session of it/,
    )
  })

  it('is said to be none where there is no old credential', async () => {
    const world = await RotationWorld.begin(t, clock)
    const status = await world.run(rotated(1))
    expect(status.skipped).toEqual(['Proving', 'Overlapping', 'Revoking'])
    expect(await world.message('Ready')).toMatch(/no old one was known, so none was ended$/)
    const filter = { teams: undefined, action: 'rotation step', namespace: world.ns }
    const { records } = await t.audit.list(filter, { limit: 50 })
    const steps = records.map(({ detail }) => detail?.['to'])
    expect(steps.reverse()).toEqual([
      ...['Preparing', 'Setting', 'Testing', 'RollingOut', 'Proving', 'Idle'],
    ])
  })

  it('begins anew with each start of a container, and a service that cannot live gets the old values back', async () => {
    const world = await RotationWorld.begin(t, clock)
    const since = (): string => toFineTimestamp(clock.now())
    world.runs.set('one', { since: since(), restarts: 0 })
    await world.run(rotated(1))
    await world.agent('one')
    clock.step(10 * minute)
    await world.agent('one')
    const before = await world.valuesOf('one')
    await world.request({ now: true })
    await world.run(({ phase }) => phase === 'Proving')
    const { illBefore } = await world.status()
    expect(illBefore).toEqual([])
    // Each container passes its gate, and dies 20 s later.
    for (let restarts = 0; restarts < 3; restarts += 1) {
      world.runs.set('one', { since: since(), restarts })
      await world.agent('one')
      await world.look()
      clock.step(59_000)
      await world.look()
      expect((await world.status()).phase).toBe('Proving')
    }
    world.runs.set('one', { since: since(), restarts: 3 })
    await world.agent('one')
    await world.look()
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    world.runs.set('one', { since: since(), restarts: 0 })
    const status = await world.run(rotated(2))
    expect(status.failure?.message).toMatch(
      /service web of stagelet "one" has restarted 3 times with the new credential, and was well before/,
    )
    expect(await world.valuesOf('one')).toEqual(before)
    expect(loginsOf(world)).toEqual(['app_a'])
  })

  it('waits for who was seen with the old credential in the overlap, though nobody uses it as that ends', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await world.request()
    const { provenAt } = await world.run(({ phase }) => phase === 'Overlapping')
    await world.run(() => Date.parse(provenAt!) + 8 * minute <= clock.now())
    world.database.sessions = { sessions: 1, from: ['10.0.0.7'] }
    await world.run(({ use }) => use?.seenAt !== undefined)
    world.database.sessions = { sessions: 0, from: [] }
    const seenAt = clock.now()
    await world.run(() => clock.now() >= seenAt + 4 * minute)
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    expect(await world.condition('Blocked')).toBe('Blocked=True/StillUsed')
    expect(await world.message('Blocked')).toMatch(/^the old credential was used at /)
    await world.run(rotated(2))
    expect(clock.now() - seenAt).toBeGreaterThanOrEqual(10 * minute)
    expect(loginsOf(world)).toEqual(['app_b'])
  })

  it.each([
    ['redis', { redis: { in: { stagelet: 'one', service: 'db' }, adopt: true } }],
    [
      'webhook',
      { webhook: { url: 'https://x.example', signingKeyRef: { name: 'key' }, adopt: true } },
    ],
  ])(
    'is possible only of a credential that is known: %s with adopt, and no value',
    async (...[, rotator]) => {
      const world = await RotationWorld.begin(t, clock, {
        spec: { outputs: { password: 'password' }, rotator },
      })
      await world.look()
      expect(await world.condition('Ready')).toBe('Ready=False/Refused')
      expect(await world.message('Ready')).toMatch(
        /adopt says that services use a credential today.*write it into password \(password\) first/,
      )
    },
  )

  it('counts a service whose value refers to outputs that were to come as it was written', async () => {
    const world = await RotationWorld.begin(t, clock)
    const { database, ns } = world
    database.adopt = 'app'
    database.logins.set('app', 'of the env file')
    const url = { kind: 'StagelySecret', namespace: ns, name: 'url' }
    const plain = { scope: 'web', value: 'db://app:of-the-env-file@db' }
    await createAs(t.store, api, secretOf(ns, 'url', plain))
    const { spec, ...rest } = (await t.store.get(url))!
    const template = { references: true, value: 'db://${USER}:${PASSWORD}@db' }
    const written = { ...rest, spec: { ...spec, ...template } }
    // A review writes nothing.
    await t.store.write(api, { dryRun: true }, (tx) => tx.update(written))
    await updateAs(t.store, api, written)
    expect((await t.store.get(url))!.status).toMatchObject({
      version: 1,
      awaits: ['USER', 'PASSWORD'],
      conditions: expect.arrayContaining([
        expect.objectContaining({ type: 'Accepted', status: 'False', reason: 'ValueToCome' }),
      ]) as unknown,
    })
    const wrong = { ...template, value: 'db://${USER}:${PASWORD}@db' }
    await expect(
      t.store.write(api, {}, async (tx) => {
        const now = (await tx.get(url))!
        await tx.update({ ...now, spec: { ...now.spec, ...wrong } })
      }),
    ).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringMatching(/\$\{PASWORD\}/) as string,
    })
    const present = (await t.store.get(url))!
    const formatted = { ...present, spec: { ...written.spec, format: 'url' } }
    await expect(updateAs(t.store, api, formatted)).rejects.toMatchObject({
      details: { faults: [{ field: 'spec.format' }] },
    })
    // Another write of the secret keeps what waits, and what is in use.
    const labelled = (await t.store.get(url))!
    const { value: _, ...kept } = labelled.spec as { value?: string }
    await updateAs(t.store, api, {
      ...labelled,
      spec: kept,
      metadata: { ...labelled.metadata, labels: { a: 'b' } },
    })
    await world.run(({ phase }) => phase === 'Proving')
    await world.agent('one')
    const { user, password, url: now } = world.containers.get('one')!
    expect(now).toBe(`db://${user!}:${password!}@db`)
    const after = (await t.store.get(url))!
    expect(after.status).toMatchObject({ version: 2, references: ['USER', 'PASSWORD'] })
    expect(after.status).not.toHaveProperty('awaits')
    await world.run(rotated(1))
    expect(loginsOf(world)).toEqual(['app_a'])
    await world.request({ now: true })
    await world.run(rotated(2))
    expect(world.containers.get('one')!['url']).toMatch(/^db:\/\/app_b:/)
  })

  const stageletIn = (world: RotationWorld, name: string) => ({
    kind: 'Stagelet',
    namespace: world.ns,
    name,
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
        agent: `${world.ns}/box`,
        stageletUid: stagelet.metadata.uid,
        phase: 'Released',
        boot: 'b',
        seq: 1,
        generation: 1,
        epoch: 1,
        revision: 1,
        services: [],
        passed: {},
        pendingEdits: [],
        missingVariables: [],
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
      const lastReportAt = toFineTimestamp(clock.now())
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

  it.each(['Trust', 'Wait'] as const)(
    'counts the stacks of an ephemeral machine that was ended as the Rotation says: %s',
    async (ended) => {
      const world = await begin(['one', 'two'])
      const ref = { kind: 'Agent', namespace: world.ns, name: 'box' } as const
      await t.store.write(api, {}, async (tx) => {
        const spec = { ephemeral: { goneAfter: '10m' } }
        await tx.update({ ...(await tx.get(ref))!, spec })
        const rotation = (await tx.get({ ...ref, kind: 'Rotation', name: 'db' }))!
        await tx.update({ ...rotation, spec: { ...rotation.spec, ended } })
      })
      const now = toFineTimestamp(clock.now())
      // Another absence than the one that was judged: the agent was back meanwhile.
      const back = { ref, why: 'it was away', since: '2026-01-01T00:00:00Z' }
      await t.store.write(system, {}, (tx) => endAgents(tx, [back], now))
      expect(await t.store.get(stageletIn(world, 'one'))).toBeDefined()
      await t.store.write(system, {}, (tx) => endAgents(tx, [{ ref, why: 'it leaves' }], now))
      world.containers.clear()
      expect(await t.store.get(ref)).toBeUndefined()
      expect(await t.store.get(stageletIn(world, 'one'))).toBeUndefined()
      expect((await world.status()).released).toMatchObject([
        { stagelet: 'one', services: ['web'], ended: {} },
        { stagelet: 'two', services: ['web'], ended: {} },
      ])
      await world.request({ now: true })
      if (ended === 'Wait') {
        await world.run(() => false, 4 * minute)
        expect(await world.condition('Blocked')).toBe('Blocked=True/Released')
        expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
        return
      }
      await world.run(rotated(2))
      expect(loginsOf(world)).toEqual(['app_b'])
      expect((await world.status()).released).toBeUndefined()
      const { items } = await t.store.list('Event', { namespace: world.ns })
      const proven = items.find(({ spec }) => spec.reason === 'RotationProven')
      expect(proven?.spec.message).toMatch(
        /not running, by declaration: one: ended at .*, ephemeral, .*; two: ended at/,
      )
    },
  )

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

  const rollback = (world: RotationWorld, versions: Record<string, number>): Promise<void> =>
    t.store.write(api, { changeSet: { id: 'back', last: true } }, async (tx) => {
      for (const [name, version] of Object.entries(versions))
        await tx.rollbackSecret({ kind: 'StagelySecret', namespace: world.ns, name }, version)
    })
  const both = (version: number) => ({ user: version, password: version })
  const isRevoked = { reason: 'CredentialRevoked' }

  it('lets no version come back whose credential was taken back', async () => {
    const world = await begin(['one'])
    world.dies.set('one', ({ user }) => user === 'app_b')
    await world.request()
    expect((await world.run(rotated(2))).failure).toMatchObject({ reason: 'RolledBack' })
    await expect(rollback(world, both(2))).rejects.toMatchObject(isRevoked)
    await rollback(world, both(1))
    await world.agent('one')
    expect(world.refused()).toEqual([])
  })

  it('lets none come back whose login gets another password', async () => {
    const world = await begin(['one'])
    await world.request()
    await world.run(({ phase }) => phase === 'Overlapping')
    // That ends the attempt, and leaves both logins valid.
    await rollback(world, both(1))
    await world.run(rotated(2))
    await world.agent('one')
    expect(loginsOf(world)).toEqual(['app_a', 'app_b'])
    world.database.faults.set('test', { kind: 'Unreachable', message: 'it is away' })
    await world.request()
    await world.run(({ phase, tries }) => phase === 'Setting' && tries === 1)
    await expect(rollback(world, both(2))).rejects.toMatchObject(isRevoked)
    await world.run(rotated(3))
    expect(world.refused()).toEqual([])
  })

  it('leaves the parts of a credential together, also where its Rotation was deleted', async () => {
    const world = await begin(['one'])
    await world.request()
    await world.run(({ phase }) => phase === 'Overlapping')
    await t.store.write(api, {}, (tx) => tx.remove(world.ref))
    await expect(rollback(world, { password: 1 })).rejects.toMatchObject({ reason: 'Conflict' })
    await rollback(world, both(1))
    await world.agent('one')
    expect(world.refused()).toEqual([])
  })
})
