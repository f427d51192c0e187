// Rotations from beginning to end, on one store, with a database in memory and the test's own time.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { renew } from '../../../controller/reconcilers/project/expiry.ts'
import { createProjectReconciler } from '../../../controller/reconcilers/project/reconciler.ts'
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { refOf, type KubeObject } from '../../../src/resources/meta.ts'
import type { RotationStatus } from '../../../src/kinds/rotation/schema.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { dropRetired } from '../../../src/store/keys/key-deletion.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { RotatorFault } from '../../../controller/rotators/providers/rotator.ts'
import { RotationWorld } from '../../support/docker/rotation-world.ts'
import {
  api,
  createSteppedClock,
  objectOf,
  secretOf,
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const day = 86_400_000
const isIdle = ({ phase }: RotationStatus): boolean => phase === 'Idle'
const rotated =
  (times: number) =>
  (status: RotationStatus): boolean =>
    isIdle(status) && (status.attempt ?? 0) >= times

describe('a rotation', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  const eventsOf = async ({ ns }: RotationWorld): Promise<string[]> => {
    const { items } = await t.store.list('Event', { namespace: ns })
    return items.map(({ spec }) => (spec as { reason: string }).reason)
  }

  it('makes the first credential at once, and another at its turn; the old one ends when nothing runs with it', async () => {
    const world = await RotationWorld.begin(t, clock)
    const { database } = world
    const first = await world.run(rotated(1))
    expect(first).toMatchObject({
      phase: 'Idle',
      attempt: 1,
      slot: 'app_a',
      versions: { username: 1 },
    })
    expect(await world.condition('Ready')).toBe('Ready=True/Rotated')
    await world.agent('one')
    expect(world.refused()).toEqual([])
    clock.step(30 * day)
    const phases: (string | undefined)[] = []
    const status = await world.run((one) => {
      phases.push(one.phase)
      expect(world.refused()).toEqual([])
      return rotated(2)(one)
    })
    expect([...new Set(phases)]).toEqual(['Proving', 'Overlapping', 'Idle'])
    expect(status).toMatchObject({ slot: 'app_b', attempt: 2, failures: 0, revision: 2 })
    expect(status.evidence).toEqual([{ stagelet: 'one', revision: 2, containers: 1 }])
    expect([...database.logins.keys()]).toEqual(['app_b'])
    // 60 s of proof and 10 m of overlap.
    expect(world.revoked[0]).toBeGreaterThan(11 * 60_000)
    expect(await eventsOf(world)).toEqual(
      expect.arrayContaining([
        'RotationStarted',
        'CredentialSet',
        'RotationProven',
        'CredentialRevoked',
      ]),
    )
    const ref = { kind: 'StagelySecret', namespace: world.ns, name: 'password' }
    const back = t.store.write(api, {}, (tx) => tx.rollbackSecret(ref, 1))
    await expect(back).rejects.toMatchObject({ reason: 'CredentialRevoked' })
    const project = { kind: 'Project', namespace: world.ns, name: 'shop' }
    const whole = await t.store.write(api, {}, (tx) => tx.rollbackProject(project, { revision: 1 }))
    expect(whole.kept).toEqual(['password', 'user'])
    // Nor does a revoked version come back to a secret that is no output any more.
    const { spec } = (await t.store.get(ref))!
    const { valueFrom: _, ...others } = spec as { valueFrom: object }
    await updateAs(t.store, api, {
      ...(await t.store.get(ref))!,
      spec: { ...others, value: 'by hand' },
    })
    const after = await t.store.write(api, {}, (tx) => tx.rollbackProject(project, { revision: 1 }))
    expect(after.kept).toEqual(['password', 'user'])
    expect(
      await t.staged.open({
        rotationUid: (await world.rotation()).metadata.uid!,
        attempt: 2,
        role: 'new',
      }),
    ).toBeUndefined()
  })

  it('waits for an agent that is away, with both credentials valid, and names it', async () => {
    const world = await RotationWorld.begin(t, clock, { stagelets: ['one', 'two'] })
    await world.run(rotated(1))
    await world.run(() => world.containers.size === 2)
    world.away.add('two')
    await world.request()
    await world.run(() => false, 30 * 60_000)
    expect(await world.condition('Blocked')).toBe('Blocked=True/AgentAway')
    expect(await world.message('Blocked')).toContain('two')
    expect([...world.database.logins.keys()].sort()).toEqual(['app_a', 'app_b'])
    expect(await eventsOf(world)).toContain('RotationBlocked')
    world.away.delete('two')
    const before = clock.now()
    await world.run(({ phase }) => phase === 'Overlapping')
    expect(clock.now() - before).toBeLessThanOrEqual(150_000)
    await world.run(rotated(2))
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
    expect(world.refused()).toEqual([])
  })

  it('gives the old values back where a service dies with the new ones, and ends the new credential', async () => {
    const world = await RotationWorld.begin(t, clock, { stagelets: ['one', 'two'] })
    await world.run(rotated(1))
    await world.run(() => world.containers.size === 2)
    const before = await world.valuesOf('one')
    world.dies.set('two', ({ user }) => user === 'app_b')
    await world.request()
    const status = await world.run(rotated(2))
    expect(status).toMatchObject({ slot: 'app_a', failures: 1, failure: { reason: 'RolledBack' } })
    expect(await world.condition('Failed')).toBe('Failed=True/RolledBack')
    expect(await world.message('Failed')).toMatch(/service web of stagelet "two".*no such user/)
    expect(await world.valuesOf('one')).toEqual(before)
    expect([...world.database.logins.keys()]).toEqual(['app_a'])
    expect(world.refused()).toEqual([])
    expect(Date.parse(status.nextAt!)).toBeGreaterThan(clock.now() + 29 * day)
  })

  it('takes what failed with an earlier revision for no failure of the new credential', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    const ref = { kind: 'Stagelet', namespace: world.ns, name: 'one' }
    const failed = { service: 'web', digest: 'of-then', revision: 1, retry: '', message: 'ended' }
    await t.store.write(system, {}, async (tx) => {
      const stagelet = (await tx.get(ref))!
      await tx.setStatus({ ...stagelet, status: { ...stagelet.status, quarantine: [failed] } })
    })
    await world.request({ now: true })
    await world.look()
    const status = await world.status()
    expect([status.phase, status.step, status.revision]).toEqual(['Proving', 'Switch', 2])
    await world.run(rotated(2))
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('blocks while a session still uses the old credential, or a container of compose run has old secrets', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    await world.request({ now: true })
    world.oneOffs.set('one', 1)
    await world.run(() => false, 5 * 60_000)
    expect(await world.condition('Blocked')).toBe('Blocked=True/OldContainer')
    world.oneOffs.clear()
    world.database.sessions = { sessions: 2, from: ['10.0.0.7'] }
    await world.run(() => false, 5 * 60_000)
    expect(await world.condition('Blocked')).toBe('Blocked=True/StillUsed')
    expect(await world.message('Blocked')).toContain(
      '2 sessions use the old credential, from 10.0.0.7',
    )
    expect(world.database.logins.has('app_a')).toBe(true)
    world.database.sessions = { sessions: 0, from: [] }
    await world.run(rotated(2))
    expect(world.database.logins.has('app_a')).toBe(false)
  })

  it('tells what the rotator warns of, and ends the old one where nobody can count sessions', async () => {
    const world = await RotationWorld.begin(t, clock)
    world.database.warnings = ['app is a superuser']
    world.database.sessions = { sessions: undefined, from: [] }
    await world.run(rotated(1))
    const { items } = await t.store.list('Event', { namespace: world.ns })
    expect(JSON.stringify(items)).toContain('the rotator warns: app is a superuser')
    await world.request({ now: true })
    await world.run(rotated(2))
    expect(world.database.logins.has('app_a')).toBe(false)
  })

  it('changes nothing where a test says nothing, and gives up after five tries', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    world.database.trusts = true
    await world.request()
    const meaningless = await world.run(rotated(2))
    expect(meaningless.failure?.reason).toBe('TestMeaningless')
    expect((await t.store.revisionsOf(world.projectUid)).closed).toBe(1)
    world.database.trusts = false
    await world.request()
    for (let i = 0; i < 5; i += 1) {
      expect(isIdle(await world.status())).toBe(i === 0)
      world.database.faults.set('set', { kind: 'Unreachable', message: 'no route to host' })
      await world.look()
      clock.step(7 * 3_600_000)
    }
    expect((await world.status()).failure).toEqual({
      reason: 'SetFailed',
      message: 'no route to host',
    })
    expect([...world.database.logins.keys()]).toEqual(['app_a'])
  })

  it('takes the login in turn from what the outputs hold, not from what it remembers', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    // As of a Rotation that was deleted and made again, or that gave up when an output changed.
    await world.setStatus(({ slot: _, ...rest }) => ({ ...rest, slot: 'app_b' }))
    await world.request({ now: true })
    await world.run((status) => {
      expect(world.refused()).toEqual([])
      return rotated(2)(status)
    })
    expect(await world.status()).toMatchObject({ slot: 'app_b', failures: 0 })
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
    world.database.sessions = { sessions: 2, from: ['10.0.0.7'] }
    await world.request()
    const refused = await world.run(rotated(3))
    expect(refused.failure?.reason).toBe('Preflight')
    expect(refused.failure?.message).toMatch(/login app_a should be idle, but has 2 sessions/)
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
  })

  it('goes only forward once the end of the old credential has begun', async () => {
    const world = await RotationWorld.begin(t, clock, { stagelets: ['one', 'two'] })
    await world.run(rotated(1))
    await world.run(() => world.containers.size === 2)
    await world.request({ now: true })
    // The old login is ended, but the answer is lost.
    const { database } = world
    const revoke = database.revoke.bind(database)
    database.revoke = async (old) => {
      await revoke(old)
      database.revoke = revoke
      throw new RotatorFault('Unreachable', 'the answer is lost')
    }
    await world.run(({ phase, tries }) => phase === 'Revoking' && tries === 1)
    expect([...database.logins.keys()]).toEqual(['app_b'])
    const ref = { kind: 'StagelySecret', namespace: world.ns, name: 'password' }
    const back = t.store.write(api, {}, (tx) => tx.rollbackSecret(ref, 1))
    await expect(back).rejects.toMatchObject({ reason: 'CredentialRevoked' })
    // A service that dies now does not bring the dead values back.
    const before = await world.valuesOf('one')
    world.dies.set('two', () => true)
    const status = await world.run(rotated(2))
    expect(status).toMatchObject({ slot: 'app_b', failures: 0 })
    expect(await world.valuesOf('one')).toEqual(before)
  })

  it('ends the old credential while an agent is away for too long, where that is asked for, and names it', async () => {
    const world = await RotationWorld.begin(t, clock, {
      stagelets: ['one', 'two'],
      spec: { away: 'RevokeAfter', revokeAfter: '5m' },
    })
    await world.run(rotated(1))
    await world.run(() => world.containers.size === 2)
    world.away.add('two')
    await world.request({ now: true })
    await world.run(() => false, 4 * 60_000)
    expect([...world.database.logins.keys()].sort()).toEqual(['app_a', 'app_b'])
    await world.run(rotated(2))
    expect([...world.database.logins.keys()]).toEqual(['app_b'])
    const { items } = await t.store.list('Event', { namespace: world.ns })
    const proven = items.filter(({ spec }) => spec?.['reason'] === 'RotationProven')
    expect(proven.map(({ spec }) => spec?.['message'])).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/1 in 1 stagelet; not seen, since their agents are away: two/),
      ]),
    )
  })

  it('gives up where a secret does not take the new value, with the new credential ended', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    const ref = { kind: 'StagelySecret', namespace: world.ns, name: 'user' }
    const secret = (await t.store.get(ref))!
    const pattern = '^app_a$'
    await updateAs(t.store, api, { ...secret, spec: { ...secret.spec, format: 'regex', pattern } })
    await world.request()
    const status = await world.run(rotated(2))
    expect(status.failure?.reason).toBe('OutputRefused')
    expect([...world.database.logins.keys()]).toEqual(['app_a'])
  })

  it('ends an attempt only when its credential is taken back, however long that takes', async () => {
    const inside = { in: { stagelet: 'one', service: 'db' }, database: 'shop', owner: 'app' }
    const world = await RotationWorld.begin(t, clock, {
      spec: { inPlace: true, rotator: { postgres: { ...inside, roles: ['app_a'] } } },
    })
    const { database } = world
    Object.assign(database, { slots: ['app_a'] })
    await world.run(rotated(1))
    await world.agent('one')
    const first = database.logins.get('app_a')
    await world.request()
    const lost = (): RotatorFault => new RotatorFault('Unreachable', 'no route to host')
    database.test = () => Promise.reject(lost())
    const set = database.set.bind(database)
    // The new password is set; the one before is not, for now.
    database.set = async (login) => {
      if (login.values['password'] === first) throw lost()
      return set(login)
    }
    const wait = async (): Promise<RotationStatus> => {
      await world.look()
      clock.step(7 * 3_600_000)
      return world.status()
    }
    for (let i = 0; i < 6; i += 1) await wait()
    expect(await wait()).toMatchObject({ phase: 'Testing', failure: { reason: 'SetFailed' } })
    expect(await world.condition('Blocked')).toBe('Blocked=True/NotRevoked')
    database.set = set
    const end = await wait()
    expect(end.phase).toBe('Idle')
    expect(end.failure?.reason).toBe('SetFailed')
    expect(database.logins.get('app_a')).toBe(first)
    expect(world.refused()).toEqual([])
  })

  it('starts at the end of a value only where the secret is an output of it', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    const valueFrom = { rotation: { name: 'db', output: 'password' } }
    const expiresAt = toTimestamp(clock.now() + day)
    const ended = (secret: KubeObject): KubeObject => ({
      ...secret,
      status: { ...secret.status, expiresAt },
    })
    const other = secretOf(world.ns, 'other', { scope: 'web', valueFrom })
    await t.store.write(api, {}, async (tx) => renew(tx, ended(await tx.create(other))))
    expect((await world.status()).request).toBeUndefined()
    const ref = { kind: 'StagelySecret', namespace: world.ns, name: 'password' }
    await t.store.write(system, {}, async (tx) => renew(tx, ended((await tx.get(ref))!)))
    expect((await world.status()).request?.cause).toBe('Expiry')
  })

  it('starts at the end of an output with onExpiry: Rotate, once, and the new value has an end to come', async () => {
    const world = await RotationWorld.begin(t, clock)
    const { ns, database } = world
    await world.run(rotated(1))
    await world.agent('one')
    const ref = { kind: 'StagelySecret', namespace: ns, name: 'password' }
    const { spec } = (await t.store.get(ref))!
    const expiry = { after: '7d', onExpiry: 'Rotate' }
    await updateAs(t.store, api, secretOf(ns, 'password', { ...spec, expiry }))
    const project = createProjectReconciler({ store: t.store, clock })
    const reconcile = () => project.reconcile(`Project/${ns}/shop`, new AbortController().signal)
    const secret = async () => {
      const { conditions, expiresAt = '' } = ((await t.store.get(ref))?.status ??
        {}) as SecretStatus
      return { expired: findCondition(conditions, 'Expired')?.status, expiresAt }
    }
    await reconcile()
    expect((await secret()).expired).toBe('False')
    expect((await world.status()).request).toBeUndefined()
    clock.step(7 * day)
    for (let i = 0; i < 2; i += 1) await reconcile()
    expect((await secret()).expired).toBe('True')
    expect((await world.status()).request).toMatchObject({
      cause: 'Expiry',
      by: 'spec.expiry of PASSWORD',
    })
    await world.run(({ phase }) => phase === 'Proving')
    await reconcile()
    await world.run(rotated(2))
    expect([...database.logins.keys()]).toEqual(['app_b'])
    expect(world.refused()).toEqual([])
    await reconcile()
    const renewed = await secret()
    expect(renewed.expired).toBe('False')
    expect(Date.parse(renewed.expiresAt)).toBeGreaterThan(clock.now() + 6 * day)
    const { attempt, request } = await world.status()
    expect([attempt, request]).toEqual([2, undefined])
  })

  it('goes on with the same credential while data keys rotate, and nothing stays under the old ones', async () => {
    const world = await RotationWorld.begin(t, clock)
    const { projectUid } = world
    await world.run(rotated(1))
    world.away.add('one')
    await world.agent('one')
    await world.request()
    await world.look()
    const { uid: rotationUid = '' } = (await world.rotation()).metadata
    const opened = (role: 'new' | 'old') => t.staged.open({ rotationUid, attempt: 2, role })
    const before = [await opened('new'), await opened('old')]
    const finish = async (): Promise<void> => {
      while (await t.keys.workOnce());
    }
    const old = () =>
      t.sql.query(
        `SELECT 1 FROM sealed_rows v JOIN data_keys k ON k.id = v.data_key_id
         WHERE k.project_uid = $1 AND k.retired_at IS NOT NULL`,
        [projectUid],
      )
    await t.keys.rotateDataKeys(api, projectUid)
    expect((await old()).length).toBeGreaterThan(2)
    await finish()
    expect(await old()).toEqual([])
    clock.step(61_000)
    await dropRetired({ sql: t.sql, store: t.store, clock })
    expect([await opened('new'), await opened('old')]).toEqual(before)
    world.away.clear()
    await world.run(rotated(2))
    expect([...world.database.logins]).toEqual([['app_b', before[0]?.values['password']]])
    expect(world.refused()).toEqual([])
  })

  it('holds up no rotation of keys by a staged credential that does not open', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    world.away.add('one')
    await world.request()
    await world.look()
    const { uid = '' } = (await world.rotation()).metadata
    await t.sql.query(
      `UPDATE staged_values SET output = 'other'
       WHERE rotation_uid = $1 AND output = 'password' AND role = 'new'`,
      [uid],
    )
    await t.keys.rotateDataKeys(api, world.projectUid)
    while (await t.keys.workOnce());
    const [last] = (await t.keys.status()).rotations
    expect(last?.message).toContain(`other of rotation ${uid}`)
  })

  it('ends pending that lasts for ever after 6 h', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.request()
    for (let i = 0; i < 15; i += 1) {
      const retryAfterMs = 1_800_000
      world.database.faults.set('checkAccepted', {
        kind: 'Pending',
        message: 'not yet',
        retryAfterMs,
      })
      await world.look()
      clock.step(retryAfterMs)
    }
    const status = await world.run(isIdle)
    expect(status.failure).toEqual({ reason: 'PendingTooLong', message: 'not yet' })
  })

  it('does not start while an output is refused, another rotation runs, or it is paused', async () => {
    const world = await RotationWorld.begin(t, clock)
    const ref = { kind: 'StagelySecret', namespace: world.ns, name: 'password' }
    const secret = (await t.store.get(ref))!
    const { projectRef, key } = secret.spec as { projectRef: object; key: string }
    await updateAs(t.store, api, {
      ...secret,
      spec: { projectRef, key, scope: 'global', value: 'by hand' },
    })
    await world.look()
    expect(await world.condition('Ready')).toBe('Ready=False/Refused')
    expect(await world.message('Ready')).toMatch(
      /must say valueFrom.rotation: \{name: db, output: password\}/,
    )
    const valueFrom = { rotation: { name: 'db', output: 'password' } }
    const read = async () => (await t.store.get(ref))!
    await updateAs(t.store, api, {
      ...(await read()),
      spec: { projectRef, key, scope: 'global', valueFrom },
    })
    await world.look()
    expect(await world.message('Ready')).toMatch(/is global.*somebody wrote: say adopt/)
    const other = { ...(await read()), spec: { projectRef: { name: 'other' }, key, valueFrom } }
    await t.store.write(api, {}, async (tx) => {
      await tx.create(objectOf('Project', world.ns, 'other'))
      await tx.remove(ref)
      await tx.create({ ...other, metadata: { name: 'password', namespace: world.ns } })
    })
    await world.look()
    expect(await world.message('Ready')).toMatch(
      /secret "password" does not exist in project "shop"/,
    )
    expect(world.database.calls).toEqual([])
  })

  it('ends where a rotator answers two different credentials for one attempt', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    await world.agent('one')
    const before = await world.valuesOf('one')
    const ended: string[] = []
    let made = 0
    const token = (): string => `token-${(made += 1)}`
    world.rotator = {
      slots: [],
      outputs: ['username', 'password'],
      make: () => Promise.reject(new Error('it is made outside')),
      create: () =>
        Promise.resolve({
          slot: undefined,
          values: { username: 'app_b', password: token() },
        }),
      preflight: () => Promise.resolve([]),
      checkAccepted: () => Promise.resolve('accepted'),
      set: () => Promise.resolve(),
      test: () => Promise.resolve('accepted'),
      stillUsed: () => Promise.resolve({ sessions: 0, from: [] }),
      revoke: () => Promise.reject(new Error('the old one is in use')),
      discard: ({ values }) => {
        ended.push(values['password'] ?? '')
        return Promise.resolve()
      },
      disable: () => Promise.resolve(),
    }
    await world.request()
    const status = await world.run(rotated(2))
    expect(status.failure?.reason).toBe('TwoCredentials')
    expect(ended).toEqual(['token-1'])
    expect(await world.valuesOf('one')).toEqual(before)
    // The one that is in use is no new one, and is not ended as one.
    const { user: username = '', password = '' } = before
    world.rotator.create = () =>
      Promise.resolve({ slot: undefined, values: { username, password } })
    await world.request()
    const same = await world.run(rotated(3))
    expect(same.failure?.reason).toBe('SameCredential')
    expect(ended).toEqual(['token-1'])
  })

  it('forgets what it had staged when it is deleted or an output is purged', async () => {
    const world = await RotationWorld.begin(t, clock)
    await world.run(rotated(1))
    world.away.add('one')
    await world.agent('one')
    await world.request()
    await world.look()
    const { uid = '' } = (await world.rotation()).metadata
    const place = { rotationUid: uid, attempt: 2, role: 'new' as const }
    expect((await t.staged.open(place))?.slot).toBe('app_b')
    const project = { kind: 'Project', namespace: world.ns, name: 'shop' }
    const secret = (await t.store.get({
      kind: 'StagelySecret',
      namespace: world.ns,
      name: 'password',
    }))!
    await t.store.write(api, {}, (tx) => tx.purgeSecret(project, secret.metadata.uid!))
    expect(await t.staged.open(place)).toBeUndefined()
    await t.store.write(api, {}, async (tx) => {
      await tx.remove(refOf(await world.rotation()))
    })
    await t.staged.dropOrphans()
  })
})

describe('a value that services share', () => {
  const clock = createSteppedClock()
  let t: TestStore
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(() => t.destroy())

  it('is known everywhere before it is used, and the old one is forgotten at the end', async () => {
    const world = await RotationWorld.begin(t, clock, {
      spec: {
        outputs: { current: 'sign', previous: 'before', list: 'check' },
        rotator: { generate: {} },
      },
    })
    await world.run(rotated(1))
    await world.agent('one')
    const old = (await world.valuesOf('one'))['sign']
    await world.request()
    const seen: string[] = []
    const status = await world.run((one) => {
      const { sign = '', check = '[]' } = world.containers.get('one') ?? {}
      const list = JSON.parse(check) as string[]
      expect(list).toContain(sign)
      seen.push(`${sign === old ? 'old' : 'new'} of ${list.length}`)
      return rotated(2)(one)
    })
    expect([...new Set(seen)]).toEqual(['old of 1', 'old of 2', 'new of 2', 'new of 1'])
    expect(status).toMatchObject({ failures: 0 })
    expect((await world.valuesOf('one'))['check']).not.toContain(old)
  })
})
