// What the store promises of the past: versions, rollback, restore, erasure. On any database.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isTrue, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import { defaultRetention } from '../../../src/store/compaction.ts'
import type { Actor, Transaction } from '../../../src/store/store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  folder,
  secretOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const whole = { changeSet: { id: 'whole', last: true } }
const canary = 'h1story-canary-in-no-table'
const refOfSecret = (namespace: string, name: string): ObjectRef => ({
  kind: 'StagelySecret',
  namespace,
  name,
})
const projectRef = (namespace: string): ObjectRef => ({ kind: 'Project', namespace, name: 'shop' })

export const historyContract = (name: string, open: OpenStore): void => {
  describe(`history on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    /** One change set, one revision, a minute after the one before. */
    const change = async <T>(fn: (tx: Transaction) => Promise<T>): Promise<T> => {
      clock.step(60_000)
      return t.store.write(api, whole, fn)
    }
    const setValue = (ns: string, secret: string, value: string): Promise<KubeObject> =>
      change((tx) => tx.update(secretOf(ns, secret, { value })))
    const remove = (ns: string, secret: string): Promise<unknown> =>
      change((tx) => tx.remove(refOfSecret(ns, secret)))
    const values = async (ns: string): Promise<Record<string, string>> => {
      const all = await t.store.revealSet(api, projectRef(ns), {
        way: 'export',
        choose: (set) => set.entries,
      })
      return Object.fromEntries(all.map((e) => [`${e.key}.${e.scope}`, e.value.toString()]))
    }
    const audited = (ns: string, action: string): Promise<Record<string, unknown>[]> =>
      t.sql.query(
        `SELECT actor, name, detail::text AS detail FROM audit WHERE namespace = $1 AND action = $2 ORDER BY id`,
        [ns, action],
      )

    it('lets a write go on without a set that is not kept', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const reason = await t.store.write(api, whole, async (tx) => {
        const told = await tx.readSet(projectUid, 9).catch((error: unknown) => error)
        await tx.create(secretOf(ns, 'late'))
        return (told as { reason?: string }).reason
      })
      expect(reason).toBe('NotFound')
      expect(await t.store.get(refOfSecret(ns, 'late'))).toBeDefined()
    })

    it('lists versions with who and when, and says which values are equal', async () => {
      const { ns } = await createShop(t.store)
      const { metadata } = await createAs(t.store, api, secretOf(ns, 'db', { value: canary }))
      await setValue(ns, 'db', 'two')
      await setValue(ns, 'db', 'two')
      await setValue(ns, 'db', canary)
      const versions = await t.store.versionsOf(metadata.uid!)
      expect(versions).toMatchObject([
        { version: 3, current: true, sameAs: 1, bytes: canary.length, createdBy: 'alice' },
        { version: 2, current: false, bytes: 3 },
        { version: 1, current: false },
      ])
      expect(versions[1]!.createdAt).toMatch(/^20\d\d-.*Z$/)
      expect(JSON.stringify(versions)).not.toContain(canary)
    })

    it('puts an old value back as a new version, with its old digest', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const { metadata } = await createAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      const [first] = (await t.store.readSet(projectUid, 'head')).entries
      await setValue(ns, 'db', 'two')
      const after = await change((tx) => tx.rollbackSecret(refOfSecret(ns, 'db'), 1))
      expect(after.status).toMatchObject({ version: 3, bytes: 3 })
      const [third] = (await t.store.readSet(projectUid, 'head')).entries
      expect(third).toMatchObject({ version: 3, valueDigest: first!.valueDigest })
      expect(await values(ns)).toEqual({ 'DB.global': 'one' })
      expect(await audited(ns, 'rollback')).toMatchObject([{ actor: 'alice', name: 'db' }])
      await change((tx) => tx.rollbackSecret(refOfSecret(ns, 'db'), 1))
      expect(await t.store.versionsOf(metadata.uid!)).toHaveLength(3)
      const missing = change((tx) => tx.rollbackSecret(refOfSecret(ns, 'db'), 9))
      await expect(missing).rejects.toThrow(
        'version 9 of this secret is not kept; kept are 1, 2, 3',
      )
    })

    it('turns InSync and SecretsInSync to False in the transaction of a rollback', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, stageletOf(ns, 'prod'))
      await change((tx) => tx.create(secretOf(ns, 'db', { value: 'one' })))
      await setValue(ns, 'db', 'two')
      const inSync = (type: string): object => ({ type, status: 'True', reason: 'X', message: '' })
      const stagelet = { kind: 'Stagelet', namespace: ns, name: 'prod' }
      const condition = async (ref: ObjectRef, type: string): Promise<boolean> =>
        isTrue(((await t.store.get(ref))?.status?.conditions ?? []) as Condition[], type)
      const settle = (): Promise<void> =>
        t.store.write(system, {}, async (tx) => {
          await tx.setConditions(stagelet, [inSync('SecretsInSync') as never])
          await tx.setConditions(refOfSecret(ns, 'db'), [inSync('InSync') as never])
        })
      for (const back of [
        (tx: Transaction) => tx.rollbackSecret(refOfSecret(ns, 'db'), 1),
        (tx: Transaction) => tx.rollbackProject(projectRef(ns), { revision: 2 }),
      ]) {
        await settle()
        expect(await condition(stagelet, 'SecretsInSync')).toBe(true)
        await change<unknown>(back)
        expect(await condition(stagelet, 'SecretsInSync')).toBe(false)
        expect(await condition(refOfSecret(ns, 'db'), 'InSync')).toBe(false)
      }
      await settle()
      await change((tx) => tx.rollbackProject(projectRef(ns), { revision: 2 }))
      expect(await condition(stagelet, 'SecretsInSync')).toBe(true)
    })

    it('does not say of a secret that follows another one that it goes back, where that one stays', async () => {
      const { ns } = await createShop(t.store)
      await change(async (tx) => {
        await tx.create(secretOf(ns, 'source', { value: 'now' }))
        await tx.create(secretOf(ns, 'follower', { value: 'own' }))
      })
      const valueFrom = { secretRef: { name: 'source' } }
      await change((tx) => tx.update(secretOf(ns, 'follower', { valueFrom })))
      const rolled = await change((tx) => tx.rollbackProject(projectRef(ns), { revision: 1 }))
      expect(rolled.diff).toMatchObject({ added: [], removed: [], changed: [] })
      // With its source it changes, and both are named.
      await setValue(ns, 'source', 'next')
      const both = await change((tx) => tx.rollbackProject(projectRef(ns), { revision: 1 }))
      expect(both.diff.changed.map((one) => one.name).sort()).toEqual(['follower', 'source'])
      expect(Object.values(await values(ns))).toEqual(['now', 'now'])
    })

    it('brings a whole project back to a revision as one change set', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const made = await change(async (tx) => {
        await tx.create(secretOf(ns, 'kept', { value: 'k' }))
        await tx.create(secretOf(ns, 'moved', { value: 'm', scope: 'web' }))
        await tx.create(secretOf(ns, 'changed', { value: 'c1' }))
        const labels = { tier: 'gold' }
        const gone = secretOf(ns, 'gone', { value: 'g' })
        return tx.create({ ...gone, metadata: { ...gone.metadata, labels } })
      })
      const then = (await t.store.readSet(projectUid, 1)).entries
      const wasAt = clock.now()
      await change(async (tx) => {
        await tx.update(secretOf(ns, 'moved', { scope: 'api' }))
        await tx.update(secretOf(ns, 'changed', { value: 'c2' }))
        await tx.remove(refOfSecret(ns, 'gone'))
        await tx.create(secretOf(ns, 'added', { value: 'a' }))
      })
      const { revision, diff } = await change((tx) =>
        tx.rollbackProject(projectRef(ns), { at: wasAt + 1 }),
      )
      expect(revision).toBe(1)
      expect(diff).toMatchObject({
        added: [{ name: 'gone' }],
        removed: [{ name: 'added' }],
        changed: [
          { name: 'changed', what: ['value'] },
          { name: 'moved', what: ['scope'] },
        ],
      })
      expect((await t.store.revisionsOf(projectUid)).closed).toBe(3)
      const now = (await t.store.readSet(projectUid, 3)).entries
      for (const service of ['web', 'api']) {
        const digest = (entries: typeof now): string | undefined =>
          serviceDigest(visibleTo(service, 'prod', environmentSet({ entries }, 'prod')))
        expect(digest(now)).toBe(digest(then))
      }
      const back = await t.store.get(refOfSecret(ns, 'gone'))
      expect(back?.metadata).toMatchObject({ uid: made.metadata.uid, labels: { tier: 'gold' } })
      expect(back?.status).toMatchObject({ version: 2 })
      expect(await t.store.get(refOfSecret(ns, 'added'))).toBeUndefined()
      expect(now.find((e) => e.name === 'kept')?.version).toBe(1)
      expect(await t.store.listRevisions(projectUid)).toMatchObject([
        {
          revision: 3,
          written: 3,
          deleted: 1,
          keys: ['ADDED', 'CHANGED', 'GONE', 'MOVED'],
          by: ['alice'],
        },
        { revision: 2, written: 3, deleted: 1 },
        { revision: 1, written: 4, deleted: 0 },
      ])
      const early = change((tx) => tx.rollbackProject(projectRef(ns), { at: 5 }))
      await expect(early).rejects.toThrow(/the oldest that is kept is from 20/)
    })

    it('names in each revision who wrote and who deleted', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const bob: Actor = { ...api, name: 'bob' }
      await t.store.write(api, whole, (tx) => tx.create(secretOf(ns, 'brief', { value: 'one' })))
      await t.store.write(bob, whole, (tx) => tx.remove(refOfSecret(ns, 'brief')))
      expect(await t.store.listRevisions(projectUid)).toMatchObject([
        { revision: 2, written: 0, deleted: 1, by: ['bob'] },
        { revision: 1, written: 1, deleted: 0, by: ['alice'] },
      ])
    })

    it('counts a secret once that is written several times before its revision closes', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const open = { changeSet: { id: 'whole', last: false } }
      await t.store.write(api, open, (tx) => tx.create(secretOf(ns, 'busy', { value: 'one' })))
      await t.store.write(api, whole, (tx) => tx.update(secretOf(ns, 'busy', { value: 'two' })))
      expect(await t.store.listRevisions(projectUid)).toMatchObject([
        { revision: 1, written: 1, deleted: 0 },
      ])
    })

    it('rolls nothing back where a folder owns one of the secrets, and names it', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await t.store.write(folder, whole, (tx) => tx.create(secretOf(ns, 'theirs', { value: '1' })))
      await change((tx) => tx.create(secretOf(ns, 'ours', { value: '1' })))
      await t.store.write(folder, whole, (tx) => tx.update(secretOf(ns, 'theirs', { value: '2' })))
      await setValue(ns, 'ours', '2')
      for (const back of [
        (tx: Transaction) => tx.rollbackSecret(refOfSecret(ns, 'theirs'), 1),
        (tx: Transaction) => tx.rollbackProject(projectRef(ns), { revision: 2 }),
      ]) {
        await expect(change<unknown>(back)).rejects.toMatchObject({
          reason: 'Conflict',
          message: expect.stringMatching(/theirs".*folder:\/srv\/manifests/) as string,
        })
      }
      expect(await values(ns)).toEqual({ 'OURS.global': '2', 'THEIRS.global': '2' })
      expect((await t.store.revisionsOf(projectUid)).closed).toBe(4)
    })

    it('brings back a value that a folder leaves open, and no place that it says', async () => {
      const { ns } = await createShop(t.store)
      const theirs = (actor: Actor, spec: object): Promise<KubeObject> =>
        t.store.write(actor, whole, (tx) =>
          tx.update(secretOf(ns, 'open', { references: false, ...spec })),
        )
      await t.store.write(folder, whole, async (tx) => {
        // What is the default, said all the same, is no other place.
        await tx.create(secretOf(ns, 'open', { references: false }))
        await tx.create(secretOf(ns, 'follower', { valueFrom: { secretRef: { name: 'open' } } }))
      })
      for (const value of ['one', 'two']) await theirs(api, { value })
      await change((tx) => tx.rollbackSecret(refOfSecret(ns, 'open'), 1))
      const one = { 'OPEN.global': 'one', 'FOLLOWER.global': 'one' }
      expect(await values(ns)).toEqual(one)
      await theirs(api, { value: 'three' })
      await change((tx) => tx.rollbackProject(projectRef(ns), { revision: 3 }))
      expect(await values(ns)).toEqual(one)
      const { metadata } = (await t.store.get(refOfSecret(ns, 'open')))!
      expect(metadata.annotations).toMatchObject({ 'stagely.dev/source': folder.source })

      await theirs(folder, { scope: 'web' })
      const back = change((tx) => tx.rollbackProject(projectRef(ns), { revision: 3 }))
      await expect(back).rejects.toThrow(/"open" \(owned by folder:/)
    })

    it('restores a deleted secret in its grace time, and not into another’s place', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const { metadata } = await change((tx) => tx.create(secretOf(ns, 'db', { value: 'one' })))
      const uid = metadata.uid!
      await remove(ns, 'db')
      expect(await t.store.deletedSecrets(projectUid)).toMatchObject([
        { secretId: uid, name: 'db', key: 'DB', scope: 'global', deletedBy: 'alice' },
      ])
      await change((tx) => tx.create(secretOf(ns, 'rival', { key: 'DB', value: 'r' })))
      await expect(change((tx) => tx.restoreSecret(projectRef(ns), uid))).rejects.toMatchObject({
        reason: 'Invalid',
        message: expect.stringContaining('secret "rival"') as string,
      })
      await remove(ns, 'rival')
      const back = await change((tx) => tx.restoreSecret(projectRef(ns), uid))
      expect(back).toMatchObject({ metadata: { uid, name: 'db' }, status: { version: 2 } })
      expect(await values(ns)).toEqual({ 'DB.global': 'one' })
      expect(await t.store.versionsOf(uid)).toMatchObject([{ version: 2, sameAs: 1 }, {}])
      await remove(ns, 'db')
      await t.store.compact(clock.now() + defaultRetention.deletedMs - 1)
      expect(await t.store.deletedSecrets(projectUid)).toMatchObject([{ name: 'db' }])
      await t.store.compact(clock.now() + defaultRetention.deletedMs)
      await expect(change((tx) => tx.restoreSecret(projectRef(ns), uid))).rejects.toMatchObject({
        reason: 'NotFound',
      })
    })

    it('reveals values one by one to who is named in the audit, old versions too', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      await createAs(t.store, api, secretOf(ns, 'key', { value: 'k', scope: 'web' }))
      await setValue(ns, 'db', 'two')
      const ref = refOfSecret(ns, 'db')
      expect((await t.store.revealSecret(api, ref)).value.toString()).toBe('two')
      expect((await t.store.revealSecret(api, ref, { version: 1 })).value.toString()).toBe('one')
      expect(await values(ns)).toEqual({ 'DB.global': 'two', 'KEY.web': 'k' })
      const rows = await audited(ns, 'reveal')
      expect(
        rows.map((r) => [r.actor, r.name, JSON.parse(r.detail as string) as unknown]),
      ).toMatchObject([
        ['alice', 'db', { way: 'reveal', version: 2 }],
        ['alice', 'db', { way: 'reveal', version: 1 }],
        ['alice', 'db', { way: 'export', version: 2 }],
        ['alice', 'key', { way: 'export', version: 1 }],
      ])
      await t.sql.query(
        `UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE version = 2 AND name = 'db'
           AND secret_uid = v.secret_uid) FROM secret_versions v WHERE v.name = 'db' AND v.version = 1
           AND secret_versions.secret_uid = v.secret_uid AND secret_versions.version = 1`,
      )
      await expect(t.store.revealSecret(api, ref, { version: 1 })).rejects.toThrow(/does not open/)
    })

    it('writes only where the expected version is still there', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      const write = (expected: number, value: string): Promise<unknown> =>
        change(async (tx) => {
          await tx.expectVersion(refOfSecret(ns, 'db'), expected)
          await tx.update(secretOf(ns, 'db', { value }))
        })
      const results = await Promise.allSettled([write(1, 'two'), write(1, 'three')])
      expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected'])
      expect(await values(ns)).toEqual({ 'DB.global': 'two' })
    })

    it('erases a secret from every table and every revision, and keeps the fact', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const { metadata } = await change((tx) =>
        tx.create(secretOf(ns, 'person', { value: canary })),
      )
      await change((tx) => tx.create(secretOf(ns, 'other', { value: 'o' })))
      await setValue(ns, 'person', `${canary}-2`)
      const uid = metadata.uid!
      const sealed = await t.sql.query<{ sealed: string }>(
        'SELECT sealed FROM secret_versions WHERE secret_uid = $1',
        [uid],
      )
      expect(sealed).toHaveLength(2)
      const erased = await change((tx) => tx.purgeSecret(projectRef(ns), uid))
      expect(erased).toEqual({ name: 'person', versions: 2 })
      await dumpLacks(
        t,
        sealed.map((row) => row.sealed),
      )
      expect(await t.store.versionsOf(uid)).toEqual([])
      expect(await t.store.deletedSecrets(projectUid)).toEqual([])
      for (const revision of [1, 2, 3, 4, 'head'] as const) {
        const set = await t.store.readSet(projectUid, revision)
        expect(set.entries.map((e) => e.name)).toEqual(revision === 1 ? [] : ['other'])
      }
      await change((tx) => tx.rollbackProject(projectRef(ns), { revision: 2 }))
      expect(await values(ns)).toEqual({ 'OTHER.global': 'o' })
      expect(await audited(ns, 'purge')).toMatchObject([{ actor: 'alice', name: 'person' }])
    })

    it('erases a deleted secret from its grave, and nothing of another project', async () => {
      const one = await createShop(t.store)
      const two = await createShop(t.store)
      const { metadata } = await change((tx) =>
        tx.create(secretOf(one.ns, 'db', { value: canary })),
      )
      const uid = metadata.uid!
      await remove(one.ns, 'db')
      const foreign = change((tx) => tx.purgeSecret(projectRef(two.ns), uid))
      await expect(foreign).rejects.toMatchObject({ reason: 'NotFound' })
      await change((tx) => tx.purgeSecret(projectRef(one.ns), uid))
      expect(await t.store.versionsOf(uid)).toEqual([])
      await expect(change((tx) => tx.restoreSecret(projectRef(one.ns), uid))).rejects.toMatchObject(
        { reason: 'NotFound' },
      )
    })
  })
}

/** No row of no table holds one of the texts. */
const dumpLacks = async ({ sql }: TestStore, texts: readonly string[]): Promise<void> => {
  const tables = await sql.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
  )
  expect(tables.length).toBeGreaterThan(10)
  for (const { name } of tables) {
    const rows = await sql.query<{ row: string }>(`SELECT r::text AS row FROM ${name} r`)
    const dump = rows.map(({ row }) => row).join('\n')
    for (const text of texts) expect(dump.includes(text), name).toBe(false)
  }
}
