// Values that end, or are known outside: warnings, renewals, and what stays untouched. On one store, with a clock that leaps.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { startOffBoarding } from '../../../controller/off-boarding.ts'
import { startReconcilers, type Reconcilers } from '../../../controller/reconcilers/start.ts'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import { realClock, toFineTimestamp } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { EventSpec } from '../../../src/kinds/event/schema.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import { dueOf } from '../../../src/kinds/secret/expiry-status.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { createKeyRing } from '../../../src/secrets/key-ring.ts'
import { createLocalKeyProvider } from '../../../src/secrets/providers/local.ts'
import type { Actor } from '../../../src/store/store.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import { certificateUntil } from '../../support/http/certificates.ts'
import { reaches } from '../../support/eventually.ts'
import { createLeapingClock } from '../../support/leaping-clock.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import { soak } from '../../support/soak.ts'
import {
  api,
  createAs,
  createShop,
  folder,
  objectOf,
  secretOf,
  stageletOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const day = 86_400_000

describe('values that end', () => {
  const clock = createLeapingClock()
  let t: TestStore
  let reconcilers: Reconcilers
  let isKeyAway = false
  const told: string[] = []
  const stopping = new AbortController()

  const start = (): Reconcilers => startReconcilers({ store: t.store, clock, log: silentLogger })
  const restart = async (): Promise<void> => {
    await reconcilers.stop()
    reconcilers = start()
  }
  /** Events, as they come: those of an hour ago are gone. */
  const listen = async (): Promise<void> => {
    const from = await t.store.currentVersion()
    for await (const changes of t.store.watch(from, stopping.signal))
      for (const { object, type } of changes) {
        if (object.kind !== 'Event' || type === 'DELETED') continue
        const { reason, involvedObject, message } = object.spec as EventSpec
        told.push(`${involvedObject.namespace}/${involvedObject.name} ${reason}: ${message}`)
      }
  }

  beforeAll(async () => {
    const local = createLocalKeyProvider(testMasterKey, { previous: [] })
    const wrap: typeof local.wrap = (...given) =>
      isKeyAway ? Promise.reject(new Error('the key does not answer')) : local.wrap(...given)
    const keyRing = createKeyRing({ ...local, wrap }, [], clock)
    t = await openTestStore(inject('postgresUrl'), { clock, keyRing })
    void listen().catch(() => undefined)
    reconcilers = start()
  })
  afterAll(async () => {
    stopping.abort()
    await reconcilers.stop()
    await t.destroy()
  })

  const refOf = (ns: string, name: string): ObjectRef => ({
    kind: 'StagelySecret',
    namespace: ns,
    name,
  })
  const create = (ns: string, name: string, spec: object): Promise<KubeObject> =>
    createAs(t.store, api, secretOf(ns, name, { ...spec }))
  const update = (ns: string, name: string, spec: object): Promise<KubeObject> =>
    updateAs(t.store, api, secretOf(ns, name, { ...spec }))
  const statusOf = async (ns: string, name: string): Promise<SecretStatus> =>
    (await t.store.get(refOf(ns, name)))?.status ?? {}
  const verdict = ({ conditions }: SecretStatus, type: string): string => {
    const found = findCondition(conditions, type)
    return found === undefined ? 'absent' : `${found.status}/${found.reason}`
  }
  const becomes = (ns: string, name: string, type: string, wanted: string): Promise<void> =>
    reaches(async () => verdict(await statusOf(ns, name), type), wanted)
  const newsOf = (ns: string, name: string): string[] =>
    told
      .filter((one) => one.startsWith(`${ns}/${name} `))
      .map((one) => one.slice(ns.length + name.length + 2))
      .filter((one) => /^(ExpiryNear|Expired|Renewed|RotationDue)/.test(one))
  const reasonsOf = (ns: string, name: string): string[] =>
    newsOf(ns, name).map((one) => one.slice(0, one.indexOf(':')))

  it('is warned of by a certificate alone, and no longer in the write that brings a longer one', async () => {
    const { ns } = await createShop(t.store)
    const soon = await certificateUntil(clock.now() + 29 * day)
    const late = await certificateUntil(clock.now() + 300 * day)
    const made = await create(ns, 'tls', { value: soon.pem })
    expect(made.status).toMatchObject({ expiresFrom: 'Certificate' })
    await becomes(ns, 'tls', 'Expiring', 'True/DueIn30d')
    await reaches(() => newsOf(ns, 'tls').length, 1)
    expect(newsOf(ns, 'tls')[0]).toMatch(
      /TLS: the value ends at .* its certificate: give .*; no service sees it/,
    )
    const renewed = await update(ns, 'tls', { value: late.pem })
    expect(verdict(renewed.status ?? {}, 'Expiring')).toBe('False/NotDue')
    const text = await update(ns, 'tls', { value: 'no certificate' })
    expect(text.status).not.toHaveProperty('expiresAt')
    expect(verdict(text.status ?? {}, 'Expiring')).toBe('absent')
  })

  it('reads a certificate beside a key only where the write gives it in plain text', async () => {
    const { ns } = await createShop(t.store)
    const { pem, keyPem } = await certificateUntil(clock.now() + 300 * day)
    const both = await create(ns, 'both', { value: pem + keyPem })
    expect(both.status).toHaveProperty('certificateEndsAt')
    const moved = await update(ns, 'both', { scope: 'web' })
    expect(moved.status).toMatchObject({ version: 2, certificateEndsAt: both.status!['expiresAt'] })
    await create(ns, 'public', { value: pem })
    const copies = await Promise.all(
      ['both', 'public'].map((name) =>
        create(ns, `copy-${name}`, { valueFrom: { secretRef: { name } } }),
      ),
    )
    expect(copies.map(({ status }) => status?.['expiresFrom'])).toEqual([undefined, 'Certificate'])
  })

  it('reads a certificate that was stored without its end when the same is given again, as no new version', async () => {
    const { ns } = await createShop(t.store)
    const { pem } = await certificateUntil(clock.now() + 300 * day)
    const made = await create(ns, 'tls', { value: pem })
    const { certificateEndsAt, expiresAt: _, expiresFrom: __, ...rest } = made.status!
    await t.store.write(api, {}, async (tx) => {
      await tx.setStatus({ ...(await tx.get(refOf(ns, 'tls')))!, status: rest })
    })
    expect(await statusOf(ns, 'tls')).not.toHaveProperty('expiresAt')
    const again = await update(ns, 'tls', { value: pem })
    expect(again.status).toMatchObject({ certificateEndsAt, version: 1 })
    expect(again.metadata.generation).toBe(made.metadata.generation)
    const { resourceVersion } = (await update(ns, 'tls', { value: pem })).metadata
    expect(resourceVersion).toBe((await t.store.get(refOf(ns, 'tls')))!.metadata.resourceVersion)
  })

  it('tells of many values that end at the same second in one message', async () => {
    const { ns } = await createShop(t.store)
    const count = soak(200, 10_000)
    const at = toFineTimestamp(clock.now() + 40 * day)
    await createAs(
      t.store,
      api,
      objectOf('Notifier', ns, 'ops', {
        reasons: ['Expired'],
        webhook: { url: 'https://hooks.example.com/s' },
      }),
    )
    for (let first = 0; first < count; first += 100)
      await t.store.write(api, {}, async (tx) => {
        for (let i = first; i < first + 100; i++)
          await tx.create(secretOf(ns, `s-${i}`, { value: 'abcdefgh', expiry: { at } }))
      })
    const waiting = async (): Promise<number> => {
      const [row] = await t.sql.query<{ n: number }>(
        'SELECT count(*) AS n FROM outbox o JOIN objects n ON n.uid = o.notifier WHERE n.namespace = $1',
        [ns],
      )
      return row?.n ?? 0
    }
    clock.leap(40 * day)
    await reaches(waiting, count, soak(60_000, 120_000))
    const notifier = await t.store.get({ kind: 'Notifier', namespace: ns, name: 'ops' })
    const batches = (await t.outbox.due(clock.now() + 6_000, undefined)).filter(
      (one) => one.notifier === notifier!.metadata.uid,
    )
    expect(batches.map((one) => [one.count, one.notices.length])).toEqual([[count, 50]])
  }, 300_000)

  it('tells each warning once, also over restarts, and leaves what runs alone', async () => {
    const { ns, projectUid } = await createShop(t.store)
    await create(ns, 'token', { value: 'abcdefgh', expiry: { after: '90d' } })
    await createAs(t.store, api, stageletOf(ns, 'prod'))
    await reaches(async () => (await t.store.revisionsOf(projectUid)).closed, 1)
    const wanted = async (): Promise<unknown> => {
      const stagelet = await t.store.get({ kind: 'Stagelet', namespace: ns, name: 'prod' })
      return stagelet?.status?.['wantedRevision']
    }
    await reaches(wanted, 1)
    for (const [days, step] of [
      [61, 'True/DueIn30d'],
      [23, 'True/DueIn7d'],
      [5.5, 'True/DueIn1d'],
    ] as const) {
      clock.leap(days * day)
      await becomes(ns, 'token', 'Expiring', step)
      await restart()
    }
    clock.leap(day)
    await becomes(ns, 'token', 'Expired', 'True/Ended')
    clock.leap(7 * day)
    await restart()
    await reaches(
      () => reasonsOf(ns, 'token'),
      ['ExpiryNear', 'ExpiryNear', 'ExpiryNear', 'Expired'],
    )
    await realClock.sleep(500)
    expect(reasonsOf(ns, 'token')).toHaveLength(4)
    expect((await t.store.revisionsOf(projectUid)).closed).toBe(1)
    expect(await wanted()).toBe(1)
    const renewed = await update(ns, 'token', { value: 'ijklmnop', expiry: { after: '90d' } })
    expect(verdict(renewed.status ?? {}, 'Expired')).toBe('False/NotEnded')
    const without = await update(ns, 'token', {})
    expect(verdict(without.status ?? {}, 'Expired')).toBe('absent')
  })

  it('makes a new value at the end, once, and moves the digests of those alone who see it', async () => {
    const { ns, projectUid } = await createShop(t.store)
    const generate = { length: 20 }
    const expiry = { after: '90d', warn: ['7d'], onExpiry: 'Rotate' }
    await create(ns, 'made', { scope: 'web', valueFrom: { generate }, expiry })
    await create(ns, 'other', { scope: 'db', value: 'abcdefgh' })
    await reaches(async () => (await t.store.revisionsOf(projectUid)).closed, 1)
    const digests = async (): Promise<(string | undefined)[]> => {
      const entries = environmentSet(await t.store.readSet(projectUid, 'head'), 'prod')
      return ['web', 'db'].map((service) => serviceDigest(visibleTo(service, 'prod', entries)))
    }
    const before = await digests()
    const { generation } = (await t.store.get(refOf(ns, 'made')))!.spec!['valueFrom'] as {
      generation?: number
    }
    clock.leap(90 * day)
    await reaches(async () => (await statusOf(ns, 'made')).version, 2)
    await restart()
    await reaches(async () => (await t.store.revisionsOf(projectUid)).closed, 2)
    const after = await digests()
    expect([after[0] === before[0], after[1] === before[1]]).toEqual([false, true])
    expect(await statusOf(ns, 'made')).toMatchObject({ version: 2, renewals: 1 })
    const stored = await t.store.get(refOf(ns, 'made'))
    expect(stored?.spec).toMatchObject({ valueFrom: { generate }, expiry })
    expect(generation).toBeUndefined()
    await reaches(() => reasonsOf(ns, 'made'), ['Renewed'])
    const actions = await t.sql.query<{ action: string }>(
      `SELECT action FROM audit WHERE name = 'made' AND namespace = $1 ORDER BY seq`,
      [ns],
    )
    expect(actions.map(({ action }) => action)).toEqual(['create', 'renew'])
    await t.store.write(api, {}, (tx) => tx.remove(refOf(ns, 'made')))
    const uid = stored?.metadata.uid ?? ''
    const shop = { kind: 'Project', namespace: ns, name: 'shop' }
    const back = await t.store.write(api, {}, (tx) => tx.restoreSecret(shop, uid))
    expect(back.status).toMatchObject({ version: 3, renewals: 1 })
  })

  it('says that a value has ended while none can be made, and makes it once that is possible', async () => {
    const { ns } = await createShop(t.store)
    const expiry = { after: '1h', warn: [], onExpiry: 'Rotate' }
    await create(ns, 'made', { valueFrom: { generate: {} }, expiry })
    isKeyAway = true
    try {
      clock.leap(day)
      await becomes(ns, 'made', 'Expired', 'True/Ended')
      expect((await statusOf(ns, 'made')).version).toBe(1)
    } finally {
      isKeyAway = false
    }
    await reaches(async () => (await statusOf(ns, 'made')).version, 2)
    await becomes(ns, 'made', 'Expired', 'False/NotEnded')
  })

  it('keeps the age of a value that only moves, or that comes back', async () => {
    const { ns } = await createShop(t.store)
    const first = await create(ns, 'key', { value: 'abcdefgh' })
    const since = first.status!['valueSince']
    clock.leap(day)
    expect((await update(ns, 'key', { scope: 'web' })).status).toMatchObject({
      version: 2,
      valueSince: since,
    })
    const next = await update(ns, 'key', { scope: 'web', value: 'ijklmnop' })
    expect(next.status!['valueSince']).not.toBe(since)
    const copy = await create(ns, 'copy', { valueFrom: { secretRef: { name: 'key' } } })
    expect(copy.status!['valueSince']).toBe(next.status!['valueSince'])
    clock.leap(day)
    const back = await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOf(ns, 'key'), 1))
    expect(back.status).toMatchObject({ version: 4, valueSince: since })
    expect((await statusOf(ns, 'copy')).valueSince).toBe(since)
    await update(ns, 'key', { scope: 'web', value: 'qrstuvwx' })
    const again = await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOf(ns, 'key'), 4))
    expect(again.status).toMatchObject({ version: 6, valueSince: since })
  })

  it('tells what is older than the policy of the project allows, but not of exempt keys', async () => {
    const { ns } = await createShop(t.store)
    const project = { kind: 'Project', namespace: ns, name: 'shop' }
    const setPolicy = (secretPolicy: object): Promise<KubeObject> =>
      t.store.write(api, {}, async (tx) => {
        const current = (await tx.get(project))!
        return tx.update({ ...current, spec: { ...current.spec, secretPolicy } })
      })
    await create(ns, 'old', { value: 'abcdefgh' })
    await create(ns, 'free', { value: 'abcdefgh' })
    await setPolicy({ maxAge: '90d', exempt: ['FREE'] })
    await becomes(ns, 'old', 'RotationDue', 'False/NotDue')
    clock.leap(91 * day)
    await becomes(ns, 'old', 'RotationDue', 'True/Age')
    await restart()
    await setPolicy({ maxAge: '120d', exempt: ['FREE'] })
    await becomes(ns, 'old', 'RotationDue', 'False/NotDue')
    await setPolicy({ maxAge: '30d' })
    await becomes(ns, 'free', 'RotationDue', 'True/PolicyChanged')
    await restart()
    await reaches(() => reasonsOf(ns, 'free'), ['RotationDue'])
    await becomes(ns, 'free', 'RotationDue', 'True/PolicyChanged')
    const renewed = await update(ns, 'old', { value: 'ijklmnop' })
    expect(verdict(renewed.status ?? {}, 'RotationDue')).toBe('False/NotDue')
  })

  it('are due where somebody has read them who may not any more, until they change or the right comes back', async () => {
    const { ns } = await createShop(t.store)
    const loop = startOffBoarding({ ...t, clock, log: silentLogger })
    try {
      const personOf = async (name: string): Promise<Actor> => {
        const { id } = await t.users.create(api, { name: `${name}-${ns}` })
        return { name: `${name}-${ns}`, id, source: 'api', authority: 'whole' }
      }
      const [bob, ann] = [await personOf('bob'), await personOf('ann')]
      const give = (who: Actor, role: TeamRole) => t.members.put(api, ns, who.name, { role })
      const read = (who: Actor, name: string) => t.store.revealSecret(who, refOf(ns, name))
      const due = (name: string, wanted: string) => becomes(ns, name, 'RotationDue', wanted)
      for (const name of ['known', 'other', 'machines'])
        await create(ns, name, { value: `the value of ${name}` })
      await give(bob, 'maintainer')
      await give(ann, 'owner')
      for (const name of ['known', 'other']) await read(ann, name)
      await read(bob, 'known')
      await read(
        { name: `machine:${ns}/ci`, id: randomUUID(), source: 'api', authority: 'whole' },
        'machines',
      )
      await give(bob, 'developer')
      await due('known', 'True/Revealed')
      const { knownOutside } = await statusOf(ns, 'known')
      expect(knownOutside).toMatchObject({ people: 1 })
      expect(dueOf(await statusOf(ns, 'known'))).toEqual({
        at: knownOutside!.since,
        why: 'revealed',
      })
      await give(bob, 'maintainer')
      await due('known', 'absent')
      await t.members.remove(api, ns, bob.name)
      await t.users.update(api, ann.name, { disabled: true })
      await due('other', 'True/Revealed')
      await reaches(async () => (await statusOf(ns, 'known')).knownOutside?.people, 2)
      await restart()
      await reaches(() => reasonsOf(ns, 'known'), ['RotationDue', 'RotationDue'])
      // Neither a pseudonym nor a log that was pruned makes the value unknown.
      await t.audit.erase(ann.name, api, false)
      await t.users.remove(api, bob.name)
      clock.leap(day)
      expect(await t.audit.prune(clock.now() - 1_000)).toBeGreaterThan(0)
      await give(await personOf('eve'), 'maintainer')
      await realClock.sleep(500)
      expect((await statusOf(ns, 'other')).knownOutside?.people).toBe(1)
      const renewed = await update(ns, 'known', { value: 'another value' })
      expect(verdict(renewed.status ?? {}, 'RotationDue')).toBe('absent')
      expect(renewed.status).not.toHaveProperty('knownOutside')
      expect(await statusOf(ns, 'machines')).not.toHaveProperty('knownOutside')
    } finally {
      await loop.stop()
    }
  })

  it('are due again where a value comes back that somebody outside has read, and where an emergency is over', async () => {
    const { ns } = await createShop(t.store)
    const loop = startOffBoarding({ ...t, clock, log: silentLogger })
    try {
      await create(ns, 'key', { value: 'first value' })
      await t.tokens.breakGlass({ reason: 'INC-1', ttlMs: day })
      const { id, name } = await t.users.get('break-glass')
      await t.store.revealSecret({ name, id, source: 'api', authority: 'whole' }, refOf(ns, 'key'))
      clock.leap(3_600_000)
      await realClock.sleep(300)
      expect(await statusOf(ns, 'key')).not.toHaveProperty('knownOutside')
      const isDue = async (): Promise<string> => verdict(await statusOf(ns, 'key'), 'RotationDue')
      await clock.leapUntil(day, isDue, 'True/Revealed')
      await update(ns, 'key', { value: 'second value' })
      await becomes(ns, 'key', 'RotationDue', 'absent')
      await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOf(ns, 'key'), 1))
      await clock.leapUntil(3_600_000, isDue, 'True/Revealed')
    } finally {
      await loop.stop()
    }
  })

  it('refuses other new values while some are too old, and nothing else', async () => {
    const { ns } = await createShop(t.store)
    const project = { kind: 'Project', namespace: ns, name: 'shop' }
    const setPolicy = (secretPolicy: object): Promise<KubeObject> =>
      t.store.write(api, {}, async (tx) => {
        const current = (await tx.get(project))!
        return tx.update({ ...current, spec: { ...current.spec, secretPolicy } })
      })
    await setPolicy({ maxAge: '90d', enforce: 'Refuse' })
    await create(ns, 'old', { value: 'abcdefgh' })
    await create(ns, 'gone', { value: 'abcdefgh' })
    clock.leap(91 * day)
    const overdue = { reason: 'PolicyOverdue' }
    const message = /"gone", "old" have values that are older than 90d .*secretPolicy.exempt/
    await expect(create(ns, 'new', { value: 'abcdefgh' })).rejects.toMatchObject(overdue)
    await expect(create(ns, 'new', { value: 'abcdefgh' })).rejects.toThrow(message)
    await create(ns, 'new', {})
    await update(ns, 'old', { scope: 'web' })
    await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOf(ns, 'old'), 1))
    await t.store.write(api, {}, (tx) => tx.remove(refOf(ns, 'gone')))
    await expect(update(ns, 'new', { value: 'abcdefgh' })).rejects.toMatchObject(overdue)
    // In one write with the renewal, in any order.
    await t.store.write(api, {}, async (tx) => {
      await tx.update(secretOf(ns, 'new', { value: 'abcdefgh' }))
      await tx.update(secretOf(ns, 'old', { value: 'ijklmnop' }))
    })
    clock.leap(91 * day)
    await setPolicy({ maxAge: '90d', enforce: 'Refuse', exempt: ['OLD', 'NEW'] })
    await create(ns, 'more', { value: 'abcdefgh' })
  })

  it('deletes a stagelet at the end of its ttl, warned a day and an hour before; an extension puts that off', async () => {
    const { ns } = await createShop(t.store)
    const ref = { kind: 'Stagelet', namespace: ns, name: 'pr-42' } as const
    const made = stageletOf(ns, 'pr-42')
    await createAs(t.store, api, { ...made, spec: { ...made.spec, ttl: '72h' } })
    await createAs(t.store, folder, {
      ...stageletOf(ns, 'declared'),
      spec: { ...stageletOf(ns, 'declared').spec, ttl: '72h' },
    })
    const endOf = async (): Promise<number> =>
      Math.round((Date.parse((await t.store.get(ref))?.status?.endsAt ?? '') - clock.now()) / 1e6)
    const hours = (count: number): number => Math.round((count * 3_600_000) / 1e6)
    const extend = (text: string): Promise<KubeObject> =>
      t.store.write(api, {}, async (tx) => {
        const current = (await tx.get(ref))!
        const { metadata } = current
        const notes = { ...metadata.annotations, 'stagely.dev/extend': text }
        return tx.update({ ...current, metadata: { ...metadata, annotations: notes } })
      })
    const ending = async (name: string, wanted: string): Promise<void> =>
      reaches(async () => {
        const stagelet = await t.store.get({ ...ref, name })
        const found = findCondition(stagelet?.status?.conditions, 'Ending')
        return found === undefined ? 'absent' : `${found.status}/${found.reason}`
      }, wanted)
    await ending('pr-42', 'False/NotDue')
    expect(await endOf()).toBe(hours(72))
    clock.leap(49 * 3_600_000)
    await ending('pr-42', 'True/EndsIn24h')
    await restart()
    clock.leap(22.5 * 3_600_000)
    await ending('pr-42', 'True/EndsIn1h')
    await extend('first')
    await ending('pr-42', 'False/NotDue')
    expect(await endOf()).toBe(hours(72))
    await extend('second\n10m')
    expect(await endOf()).toBe(hours(72))
    await extend('third\n7d')
    expect(await endOf()).toBe(hours(168))
    // No controller runs as it should be warned of.
    await reconcilers.stop()
    clock.leap(8 * day)
    reconcilers = start()
    await ending('pr-42', 'True/EndsNow')
    await clock.leapUntil(660_000, async () => t.store.get(ref), undefined)
    await ending('declared', 'True/Declared')
    await reaches(
      () =>
        told.filter((text) => text.startsWith(`${ns}/pr-42 End`)).map((text) => text.split(' ')[1]),
      ['EndNear:', 'EndNear:', 'EndNear:', 'Ended:'],
    )
  })

  it('ends an ephemeral agent that is away for too long, once, and nothing of another, nor a fleet that vanished together', async () => {
    const { ns } = await createShop(t.store)
    const { ns: fleet } = await createShop(t.store)
    const away = async (name: string, namespace = ns): Promise<void> => {
      const lastTransitionTime = toFineTimestamp(clock.now())
      const ready = { type: 'Ready', status: 'Unknown', reason: 'Disconnected', message: '' }
      await t.store.write(
        { name: 'agents', source: 'system', authority: 'whole' },
        {},
        async (tx) => {
          const agent = (await tx.get({ kind: 'Agent', namespace, name }))!
          const conditions = [{ ...ready, lastTransitionTime }]
          await tx.setStatus({ ...agent, status: { lastLost: lastTransitionTime, conditions } })
        },
      )
    }
    const isThere = async (kind: string, name: string): Promise<boolean> =>
      (await t.store.get({ kind, namespace: ns, name })) !== undefined
    const left = async (): Promise<string[]> => {
      const names = ['Agent box', 'Agent web', 'Agent late', 'Stagelet pr', 'Stagelet prod']
      const secrets = ['own', 'theirs', 'shared', 'elsewhere']
      const all = [...names, ...secrets.map((name) => `StagelySecret ${name}`)]
      const there = await Promise.all(
        all.map((text) => isThere(...(text.split(' ') as [string, string]))),
      )
      return all.filter((_, i) => there[i])
    }
    const ephemeral = { goneAfter: '10m' }
    await createAs(t.store, api, objectOf('Agent', ns, 'box', { ephemeral }))
    await createAs(t.store, api, objectOf('Agent', ns, 'late', { ephemeral }))
    await createAs(t.store, api, objectOf('Agent', ns, 'web'))
    await createAs(
      t.store,
      api,
      objectOf('Notifier', ns, 'ops', {
        reasons: ['AgentGone'],
        projects: ['shop'],
        webhook: { url: 'https://hooks.example.com/s' },
      }),
    )
    await createAs(t.store, api, stageletOf(ns, 'pr'))
    const prod = stageletOf(ns, 'prod')
    await createAs(t.store, api, { ...prod, spec: { ...prod.spec, agentRef: { name: 'web' } } })
    await create(ns, 'own', { value: 'abcdefgh', stageletRef: { name: 'pr' } })
    await create(ns, 'theirs', { value: 'abcdefgh', stageletRef: { name: 'prod' } })
    await create(ns, 'shared', { value: 'abcdefgh' })
    // Another project has a stagelet on the machine too, and a secret that waits for one of the same name.
    const projectRef = { name: 'side' }
    await createAs(t.store, api, objectOf('Project', ns, 'side', {}))
    const side = stageletOf(ns, 'side-pr')
    await createAs(t.store, api, { ...side, spec: { ...side.spec, projectRef } })
    await create(ns, 'elsewhere', { projectRef, value: 'abcdefgh', stageletRef: { name: 'pr' } })
    const everything = await left()
    for (const name of ['ci-1', 'ci-2', 'ci-3', 'ci-4']) {
      await createAs(t.store, api, objectOf('Agent', fleet, name, { ephemeral }))
      await away(name, fleet)
    }
    for (const name of ['box', 'web']) await away(name)
    clock.leap(9 * 60_000)
    await away('late')
    // While nobody listened, nobody knows that it was away.
    await restart()
    clock.leap(9 * 60_000)
    expect(await left()).toEqual(everything)
    const gone = ['Agent box', 'Stagelet pr', 'StagelySecret own', 'Agent late']
    const rest = everything.filter((text) => !gone.includes(text))
    await clock.leapUntil(660_000, left, rest)
    await reaches(
      () =>
        told.filter((text) => text.startsWith(`${ns}/box AgentGone: the machine is ended`)).length,
      1,
    )
    expect(told.find((text) => text.startsWith(`${ns}/box AgentGone`))).toContain('pr: ')
    const [row] = await t.sql.query<{ n: number }>(
      'SELECT count(*) AS n FROM outbox o JOIN objects n ON n.uid = o.notifier WHERE n.namespace = $1',
      [ns],
    )
    expect(Number(row?.n)).toBe(1)
    expect((await t.store.list('Agent', { namespace: fleet })).items).toHaveLength(4)
  })

  it('refuses to extend a stagelet without an end, and a ttl below ten minutes', async () => {
    const { ns } = await createShop(t.store)
    const made = stageletOf(ns, 'web')
    const invalid = (field: string) => ({ reason: 'Invalid', details: { faults: [{ field }] } })
    const short = { ...made, spec: { ...made.spec, ttl: '9m' } }
    await expect(createAs(t.store, api, short)).rejects.toMatchObject(invalid('spec.ttl'))
    const stored = await createAs(t.store, api, made)
    const annotations = { ...stored.metadata.annotations, 'stagely.dev/extend': 'now' }
    await expect(
      updateAs(t.store, api, { ...stored, metadata: { ...stored.metadata, annotations } }),
    ).rejects.toMatchObject(invalid('metadata.annotations[stagely.dev/extend]'))
  })

  it('refuses an end that is over, and takes the same manifest again after its end', async () => {
    const { ns } = await createShop(t.store)
    const at = toFineTimestamp(clock.now() + day)
    const spec = { value: 'abcdefgh', expiry: { at } }
    const made = await create(ns, 'key', spec)
    clock.leap(2 * day)
    await becomes(ns, 'key', 'Expired', 'True/Ended')
    const again = await update(ns, 'key', spec)
    expect(again.metadata.generation).toBe(made.metadata.generation)
    await expect(create(ns, 'late', spec)).rejects.toMatchObject({
      reason: 'Invalid',
      details: { faults: [{ field: 'spec.expiry.at' }] },
    })
  })
})
