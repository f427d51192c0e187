// What the store promises of objects, whatever database is below.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { annotations, agentFinalizer, type KubeObject } from '../../../src/resources/meta.ts'
import type { Reader } from '../../../src/store/store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  folder,
  objectOf,
  secretOf,
  stageletOf,
  system,
  updateAs,
  type SteppedClock,
} from '../../support/databases/store-fixtures.ts'
import type { Actor } from '../../../src/store/store.ts'

export type OpenStore = (options: { clock: SteppedClock }) => Promise<TestStore>

export const storeContract = (name: string, open: OpenStore): void => {
  describe(`objects on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    const auditOf = async (ns: string): Promise<string[]> =>
      (
        await t.sql.query<{ line: string }>(
          `SELECT actor || ' ' || action || ' ' || kind || '/' || name AS line FROM audit WHERE namespace = $1 ORDER BY id`,
          [ns],
        )
      ).map((row) => row.line)

    it('sets what only the server may set, and applies defaults', async () => {
      const { ns } = await createShop(t.store)
      const object = stageletOf(ns, 'prod')
      object.metadata = { ...object.metadata, uid: 'mine', generation: 9, resourceVersion: '' }
      object.status = { runningRevision: 9 }
      const created = await createAs(t.store, api, object)
      expect(created.metadata).toMatchObject({
        name: 'prod',
        namespace: ns,
        generation: 1,
        creationTimestamp: '2027-01-15T08:00:00Z',
        finalizers: [agentFinalizer],
        annotations: { [annotations.source]: 'api' },
      })
      expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
      expect(created.spec).toMatchObject({
        deletionPolicy: 'Retain',
        compose: { onChange: 'Hold' },
      })
      expect(created.status).toBeUndefined()
      expect(await t.store.get({ kind: 'Stagelet', namespace: ns, name: 'prod' })).toEqual(created)
      const list = await t.store.list('Stagelet', { namespace: ns })
      expect(list.items).toEqual([created])
      expect(String(list.resourceVersion)).toBe(created.metadata.resourceVersion)
    })

    it('has the namespace default, and refuses absent ones', async () => {
      await createAs(t.store, api, objectOf('Project', 'default', 'in-default'))
      await expect(
        createAs(t.store, api, objectOf('Project', 'nowhere', 'p')),
      ).rejects.toMatchObject({
        reason: 'NotFound',
        message: 'namespaces "nowhere" not found',
      })
    })

    it('refuses a second object of one name, and makes names', async () => {
      const { ns } = await createShop(t.store)
      await expect(createAs(t.store, api, objectOf('Project', ns, 'shop'))).rejects.toMatchObject({
        reason: 'AlreadyExists',
        message: 'projects.stagely.dev "shop" already exists',
      })
      const unnamed = objectOf('Project', ns, '')
      unnamed.metadata.generateName = 'review-'
      const made = await createAs(t.store, api, unnamed)
      expect(made.metadata.name).toMatch(/^review-[a-z0-9]{5}$/)
      expect(made.metadata.generateName).toBe('review-')
    })

    it('reports all faults at once', async () => {
      const { ns } = await createShop(t.store)
      const bad = stageletOf(ns, 'Bad', { directory: 'relative', files: [] })
      const error = await createAs(t.store, api, bad).catch((e: unknown) => e)
      expect(error).toMatchObject({ reason: 'Invalid', details: { kind: 'Stagelet' } })
      expect((error as { details: { faults: unknown[] } }).details.faults).toHaveLength(3)
    })

    it('keeps the resourceVersion of a write that changes nothing', async () => {
      const { ns } = await createShop(t.store)
      const created = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const before = await t.store.currentVersion()
      const audit = await auditOf(ns)
      const again = await updateAs(t.store, api, {
        ...created,
        metadata: { ...created.metadata, creationTimestamp: '2001-01-01T00:00:00.123Z' },
      })
      expect(again).toEqual(created)
      expect(await t.store.currentVersion()).toBe(before)
      expect(await auditOf(ns)).toEqual(audit)
    })

    it('raises the generation for a new spec only', async () => {
      const { ns } = await createShop(t.store)
      const created = await createAs(t.store, api, objectOf('Project', ns, 'p'))
      const labelled = await updateAs(t.store, api, {
        ...created,
        metadata: { ...created.metadata, labels: { a: 'b' } },
      })
      expect(labelled.metadata.generation).toBe(1)
      expect(labelled.metadata.labels).toEqual({ a: 'b' })
      const changed = await updateAs(t.store, api, { ...labelled, spec: { description: 'new' } })
      expect(changed.metadata.generation).toBe(2)
      expect(await auditOf(ns)).toEqual([
        'alice create Project/shop',
        'alice create Project/p',
        'alice update Project/p',
        'alice update Project/p',
      ])
    })

    it('refuses a stale resourceVersion and a foreign uid', async () => {
      const { ns } = await createShop(t.store)
      const created = await createAs(t.store, api, objectOf('Project', ns, 'p'))
      await updateAs(t.store, api, { ...created, spec: { description: 'one' } })
      const stale = updateAs(t.store, api, { ...created, spec: { description: 'two' } })
      await expect(stale).rejects.toMatchObject({
        reason: 'Conflict',
        details: { kind: 'projects' },
      })
      await expect(stale).rejects.toThrow(/the object has been modified; please apply your changes/)
      const ref = { kind: 'Project', namespace: ns, name: 'p' }
      await expect(
        t.store.write(api, {}, (tx) => tx.remove(ref, { uid: 'other' })),
      ).rejects.toMatchObject({ reason: 'Conflict' })
      await expect(updateAs(t.store, api, objectOf('Project', ns, 'no'))).rejects.toMatchObject({
        reason: 'NotFound',
      })
    })

    it('lets one of two racing writers win', async () => {
      const { ns } = await createShop(t.store)
      const created = await createAs(t.store, api, objectOf('Project', ns, 'p'))
      const results = await Promise.allSettled(
        ['a', 'b', 'c'].map((d) =>
          updateAs(t.store, api, { ...created, spec: { description: d } }),
        ),
      )
      expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    })

    it('keeps what others wrote when one write of a group fails', async () => {
      const { ns } = await createShop(t.store)
      const names = ['a', 'b', 'Bad', 'c', 'shop', 'd']
      const results = await Promise.allSettled(
        names.map((n) => createAs(t.store, api, objectOf('Project', ns, n))),
      )
      expect(results.map((r) => r.status === 'fulfilled')).toEqual([
        true,
        true,
        false,
        true,
        false,
        true,
      ])
      const { items } = await t.store.list('Project', { namespace: ns })
      expect(items.map((i) => i.metadata.name)).toEqual(['a', 'b', 'c', 'd', 'shop'])
      const versions = items.map((i) => i.metadata.resourceVersion)
      expect(new Set(versions).size).toBe(5)
    })

    it('runs a review once more where what it read was changed meanwhile', async () => {
      const { ns } = await createShop(t.store)
      const ref = { kind: 'Project', namespace: ns, name: 'shop' }
      const review = { signal: new AbortController().signal }
      let runs = 0
      const reviewed = await t.store.write(api, { dryRun: true, review }, async (tx) => {
        const before = (await tx.get(ref))!
        runs += 1
        if (runs === 1)
          await t.store.write(api, {}, async (other) => {
            const now = (await other.get(ref))!
            await other.setStatus({ ...now, status: { ...now.status, revision: 7 } })
          })
        return tx.update({ ...before, spec: { ...before.spec, displayName: 'Shop' } })
      })
      expect(runs).toBe(2)
      expect(reviewed.status?.['revision']).toBe(7)
    })

    it('lists what names a project, also as a write leaves it', async () => {
      const { ns } = await createShop(t.store)
      await t.store.write(api, {}, async (tx) => {
        await tx.create(objectOf('Project', ns, 'other'))
        for (const name of ['b', 'a']) await tx.create(secretOf(ns, name, { value: name }))
        await tx.create(secretOf(ns, 'c', { value: 'c', projectRef: { name: 'other' } }))
        await tx.create(stageletOf(ns, 'prod'))
      })
      const names = async (reader: Reader, kind: string, project: string): Promise<string[]> => {
        const { items } = await reader.list(kind, { namespace: ns, project })
        return items.map(({ metadata }) => metadata.name)
      }
      expect(await names(t.store, 'StagelySecret', 'shop')).toEqual(['a', 'b'])
      expect(await names(t.store, 'StagelySecret', 'other')).toEqual(['c'])
      expect(await names(t.store, 'Stagelet', 'shop')).toEqual(['prod'])
      expect(await names(t.store, 'Stagelet', 'nowhere')).toEqual([])
      await t.store.write(api, { dryRun: true }, async (tx) => {
        await tx.create(secretOf(ns, 'aa', { value: 'aa' }))
        await tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'b' })
        expect(await names(tx, 'StagelySecret', 'shop')).toEqual(['a', 'aa'])
      })
    })

    it('takes back a whole write when its end fails', async () => {
      const { ns } = await createShop(t.store)
      const version = await t.store.currentVersion()
      const failing = t.store.write(api, {}, async (tx) => {
        await tx.create(objectOf('Project', ns, 'p'))
        await tx.create(objectOf('Project', ns, 'shop'))
      })
      await expect(failing).rejects.toMatchObject({ reason: 'AlreadyExists' })
      expect(await t.store.get({ kind: 'Project', namespace: ns, name: 'p' })).toBeUndefined()
      expect(await t.store.currentVersion()).toBe(version)
    })

    it('stores nothing in a dry run, and says what would be', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const version = await t.store.currentVersion()
      const [alone, , grouped] = await Promise.all([
        t.store.write(api, { dryRun: true }, (tx) => tx.create(secretOf(ns, 'db', { value: 'v' }))),
        t.store.write(api, { dryRun: true }, (tx) =>
          tx.remove({ kind: 'Project', namespace: ns, name: 'shop' }),
        ),
        t.store.write(api, { dryRun: true }, (tx) => tx.create(secretOf(ns, 'db', { value: 'v' }))),
      ])
      expect(alone.status).toMatchObject({ version: 1 })
      expect(grouped.status).toMatchObject({ version: 1 })
      await expect(
        t.store.write(api, { dryRun: true }, (tx) => tx.create(objectOf('Project', ns, 'shop'))),
      ).rejects.toMatchObject({ reason: 'AlreadyExists' })
      expect(await t.store.currentVersion()).toBe(version)
      expect((await t.store.readSet(projectUid, 'head')).entries).toEqual([])
    })

    it('lets a write whose statement fails fail alone, without a gap for its neighbours', async () => {
      const { ns } = await createShop(t.store)
      const version = await t.store.currentVersion()
      const create = (name: string): Promise<KubeObject> =>
        createAs(t.store, api, secretOf(ns, name, { key: name, value: name }))
      const broken = (): Promise<unknown> =>
        t.store.writeWithSession(api, async (session, tx) => {
          await tx.create(objectOf('Project', ns, 'never'))
          await session.tx.query('INSERT INTO counters (id) VALUES (2)')
        })
      // The first begins alone; the others share a transaction.
      const ended = await Promise.allSettled([create('a'), create('b'), broken(), create('c')])
      expect(ended.map(({ status }) => status)).toEqual([
        ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
      ])
      await expect(broken()).rejects.toMatchObject({ reason: 'InternalError' })
      expect(await t.store.currentVersion()).toBe(version + 3)
      expect(await auditOf(ns)).toEqual([
        'alice create Project/shop',
        ...['a', 'b', 'c'].map((name) => `alice create StagelySecret/${name}`),
      ])
      expect(await t.store.get({ kind: 'Project', namespace: ns, name: 'never' })).toBeUndefined()
      const watching = new AbortController()
      for await (const changes of t.store.watch(version, watching.signal)) {
        expect(changes.map(({ object }) => object.metadata.name)).toEqual(['a', 'b', 'c'])
        watching.abort()
      }
    })

    it('shows its own writes inside a transaction', async () => {
      const { ns } = await createShop(t.store)
      await t.store.write(api, {}, async (tx) => {
        const made = await tx.create(objectOf('Project', ns, 'p'))
        expect(await tx.get({ kind: 'Project', namespace: ns, name: 'p' })).toEqual(made)
        const list = await tx.list('Project', { namespace: ns })
        expect(list.items.map((i) => i.metadata.name)).toEqual(['p', 'shop'])
        expect(String(list.resourceVersion)).toBe(made.metadata.resourceVersion)
      })
    })

    it('deletes at once, or waits for finalizers', async () => {
      const { ns } = await createShop(t.store)
      const ref = { kind: 'Stagelet', namespace: ns, name: 'prod' }
      await createAs(t.store, api, stageletOf(ns, 'prod'))
      const first = await t.store.write(api, {}, (tx) => tx.remove(ref))
      expect(first).toMatchObject({
        gone: false,
        object: { metadata: { generation: 2, deletionGracePeriodSeconds: 0 } },
      })
      expect(first.object.metadata.deletionTimestamp).toBeDefined()
      const second = await t.store.write(api, {}, (tx) => tx.remove(ref))
      expect(second).toEqual(first)
      await expect(createAs(t.store, api, stageletOf(ns, 'prod'))).rejects.toThrow(
        /object is being deleted/,
      )
      await expect(
        updateAs(t.store, api, {
          ...first.object,
          metadata: { ...first.object.metadata, finalizers: [agentFinalizer, 'a.b/new'] },
        }),
      ).rejects.toThrow(/no new finalizers/)
      await t.store.write(system, {}, (tx) => tx.removeFinalizer(ref, agentFinalizer))
      expect(await t.store.get(ref)).toBeUndefined()
    })

    it('goes when a user takes the last finalizer away; a folder cannot by leaving it out', async () => {
      const { ns } = await createShop(t.store)
      const made = await createAs(t.store, folder, stageletOf(ns, 'prod'))
      const kept = await updateAs(t.store, folder, stageletOf(ns, 'prod'))
      expect(kept.metadata.finalizers).toEqual([agentFinalizer])
      const ref = { kind: 'Stagelet', namespace: ns, name: 'prod' }
      const { object } = await t.store.write(folder, {}, (tx) => tx.remove(ref))
      const { finalizers: _, ...metadata } = object.metadata
      await updateAs(t.store, api, { ...made, metadata })
      expect(await t.store.get(ref)).toBeUndefined()
    })

    it('gives machines the status and nothing else', async () => {
      const { ns } = await createShop(t.store)
      const made = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const withStatus: KubeObject = {
        ...made,
        spec: { nonsense: 1 },
        status: { runningRevision: 3 },
      }
      const set = await t.store.write(system, {}, (tx) => tx.setStatus(withStatus))
      expect(set.spec).toEqual(made.spec)
      expect(set.status).toEqual({ runningRevision: 3 })
      expect(set.metadata.generation).toBe(1)
      const same = await t.store.write(system, {}, (tx) => tx.setStatus(set))
      expect(same).toEqual(set)
      await expect(
        t.store.write(system, {}, (tx) =>
          tx.setStatus({ ...made, status: { runningRevision: 4 } }),
        ),
      ).rejects.toMatchObject({ reason: 'Conflict' })
      const updated = await updateAs(t.store, api, { ...set, status: { runningRevision: 9 } })
      expect(updated).toEqual(set)
    })

    it('moves lastTransitionTime only with the status of a condition', async () => {
      const { ns } = await createShop(t.store)
      const ref = { kind: 'Stagelet', namespace: ns, name: 'prod' }
      await createAs(t.store, api, stageletOf(ns, 'prod'))
      const set = async (status: 'True' | 'False', message: string): Promise<unknown> => {
        const next = { type: 'Ready', status, reason: 'R', message }
        await t.store.write(system, {}, (tx) => tx.setConditions(ref, [next]))
        return (await t.store.get(ref))?.status?.conditions
      }
      const first = (await set('True', 'a')) as { lastTransitionTime: string }[]
      const at = first[0]!.lastTransitionTime
      clock.step(5000)
      expect(await set('True', 'b')).toMatchObject([{ message: 'b', lastTransitionTime: at }])
      const version = await t.store.currentVersion()
      await set('True', 'b')
      expect(await t.store.currentVersion()).toBe(version)
      const moved = (await set('False', 'b')) as { lastTransitionTime: string }[]
      expect(moved[0]!.lastTransitionTime > at).toBe(true)
    })

    it('remembers the source of an object, and refuses another one by name', async () => {
      const { ns } = await createShop(t.store)
      const made = await createAs(
        t.store,
        folder,
        objectOf('Project', ns, 'p', { description: 'f' }),
      )
      expect(made.metadata.annotations).toEqual({ [annotations.source]: folder.source })
      const change = { ...made, spec: { description: 'api' } }
      for (const attempt of [
        updateAs(t.store, api, change),
        t.store.write(api, {}, (tx) => tx.remove({ kind: 'Project', namespace: ns, name: 'p' })),
        createAs(t.store, api, objectOf('Project', ns, 'p')),
      ]) {
        await expect(attempt).rejects.toMatchObject({ reason: 'Conflict' })
        await expect(attempt).rejects.toThrow(/owned by folder:\/srv\/manifests/)
      }
      const adopted = await updateAs(t.store, api, {
        ...made,
        spec: { description: 'api' },
        metadata: { ...made.metadata, annotations: { [annotations.source]: 'api' } },
      })
      expect(adopted.spec).toEqual({ description: 'api' })
      await expect(updateAs(t.store, folder, objectOf('Project', ns, 'p'))).rejects.toThrow(
        /owned by api/,
      )
      expect((await auditOf(ns)).at(-1)).toBe('alice adopt Project/p')
    })

    it('takes no owner from a user', async () => {
      const { ns } = await createShop(t.store)
      const object = objectOf('Project', ns, 'p')
      object.metadata.annotations = { [annotations.source]: 'folder:/evil' }
      const made = await createAs(t.store, api, object)
      expect(made.metadata.annotations).toEqual({ [annotations.source]: 'api' })
    })

    it('empties a namespace that is deleted, and then removes it', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'v' }))
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      await t.store.write(system, {}, async (tx) => {
        await tx.recordEvent({ regarding: stagelet, type: 'Normal', reason: 'R', message: 'm' })
      })
      const ref = { kind: 'Namespace', namespace: '', name: ns }
      const removed = await t.store.write(api, {}, (tx) => tx.remove(ref))
      expect(removed).toMatchObject({ gone: false, object: { status: { phase: 'Terminating' } } })
      expect((await t.store.list('StagelySecret', { namespace: ns })).items).toEqual([])
      const late = createAs(t.store, api, objectOf('Project', ns, 'late'))
      await expect(late).rejects.toMatchObject({ reason: 'Forbidden' })
      await expect(late).rejects.toThrow(/unable to create new content in namespace/)
      await t.store.write(system, {}, (tx) =>
        tx.removeFinalizer({ kind: 'Stagelet', namespace: ns, name: 'prod' }, agentFinalizer),
      )
      expect(await t.store.get(ref)).toBeUndefined()
      expect((await t.store.list('Event', { namespace: ns })).items).toEqual([])
      const empty = await createShop(t.store)
      const gone = await t.store.write(api, {}, (tx) =>
        tx.remove({ kind: 'Namespace', namespace: '', name: empty.ns }),
      )
      expect(gone.gone).toBe(true)
      await expect(
        t.store.write(api, {}, (tx) =>
          tx.remove({ kind: 'Namespace', namespace: '', name: 'default' }),
        ),
      ).rejects.toMatchObject({ reason: 'Forbidden' })
    })

    it('lets a team that a cluster brought along go once nothing of the cluster is in it', async () => {
      const cluster = { name: 'kubernetes', source: 'kubernetes', authority: 'whole' as const }
      const team = { kind: 'Namespace', namespace: '', name: 'of-a-cluster' }
      const project = { kind: 'Project', namespace: team.name, name: 'shop' }
      const metadata = { name: team.name }
      await createAs(t.store, cluster, { apiVersion: 'v1', kind: 'Namespace', metadata })
      await createAs(t.store, cluster, objectOf('Project', team.name, 'shop', {}))
      const remove = (actor: Actor, ref: typeof team): Promise<unknown> =>
        t.store.write(actor, {}, (tx) => tx.remove(ref))
      await expect(remove(api, team)).rejects.toThrow(/"shop" in it is owned by kubernetes/)
      await remove(cluster, project)
      await remove(api, team)
      expect(await t.store.get(team)).toBeUndefined()
    })

    it('counts equal events, and forgets them after an hour', async () => {
      const { ns } = await createShop(t.store)
      const regarding = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const record = (message: string): Promise<void> =>
        t.store.write(system, {}, (tx) =>
          tx.recordEvent({ regarding, type: 'Warning', reason: 'Failed', message }),
        )
      await record('one')
      clock.step(60_000)
      await record('one')
      await record('two')
      const { items } = await t.store.list('Event', { namespace: ns })
      expect(items.map((e) => e.spec?.count).sort()).toEqual([1, 2])
      expect(items[0]?.spec).toMatchObject({
        involvedObject: { uid: regarding.metadata.uid, kind: 'Stagelet' },
      })
      await t.store.compact(clock.now() + 3_590_000)
      expect((await t.store.list('Event', { namespace: ns })).items).toHaveLength(2)
      await t.store.compact(clock.now() + 3_602_000)
      expect((await t.store.list('Event', { namespace: ns })).items).toHaveLength(0)
    })

    it('lists the events about a project and what is in it, and no others', async () => {
      const { ns } = await createShop(t.store)
      const about = [
        (await t.store.get({ kind: 'Project', namespace: ns, name: 'shop' }))!,
        await createAs(t.store, api, secretOf(ns, 'db', { value: 'v' })),
        await createAs(t.store, api, stageletOf(ns, 'prod')),
      ]
      const others = [
        await createAs(t.store, api, objectOf('Project', ns, 'other')),
        await createAs(t.store, api, {
          ...stageletOf(ns, 'elsewhere'),
          spec: { ...stageletOf(ns, 'elsewhere').spec, projectRef: { name: 'other' } },
        }),
      ]
      await t.store.write(system, {}, (tx) =>
        tx.recordEvents(
          [...about, ...others].map((regarding) => ({
            regarding,
            type: 'Normal' as const,
            reason: 'Told',
            message: 'm',
          })),
        ),
      )
      // Written in another namespace, about an object of this one.
      const elsewhere = await createShop(t.store)
      const [event] = (await t.store.list('Event', { namespace: ns, project: 'shop' })).items
      const metadata = { name: 'claims', namespace: elsewhere.ns }
      await t.store.write(system, {}, (tx) => tx.putInternal({ ...event!, metadata }))
      const told = async (name: string): Promise<string[]> =>
        (await t.store.list('Event', { namespace: ns, project: name })).items
          .map(({ spec }) => `${spec.involvedObject.kind}/${spec.involvedObject.name}`)
          .sort()
      expect(await told('shop')).toEqual(['Project/shop', 'Stagelet/prod', 'StagelySecret/db'])
      expect(await told('other')).toEqual(['Project/other', 'Stagelet/elsewhere'])
      await t.store.compact(clock.now() + 3_602_000)
      expect(await told('shop')).toEqual([])
    })

    it('refuses two stagelets for one Compose project of one agent', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, stageletOf(ns, 'a', { directory: '/srv/x' }))
      await createAs(t.store, api, stageletOf(ns, 'b', { directory: '/srv/x', projectName: 'x' }))
      for (const compose of [{ directory: '/srv/x' }, { directory: '/srv/y', projectName: 'x' }]) {
        const second = createAs(t.store, api, stageletOf(ns, 'c', compose))
        await expect(second).rejects.toMatchObject({
          reason: 'Invalid',
          details: { faults: [{ reason: 'FieldValueDuplicate' }] },
        })
        await expect(second).rejects.toThrow(/stagelet "[ab]" has this Compose project/)
      }
    })

    it('keeps reports as internal objects until their stagelet goes', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const report = objectOf('Observation', ns, 'prod', {
        stageletUid: stagelet.metadata.uid,
        seq: 1,
      })
      await t.store.write(system, {}, (tx) => tx.putInternal(report))
      const version = await t.store.currentVersion()
      await t.store.write(system, {}, (tx) => tx.putInternal(report))
      expect(await t.store.currentVersion()).toBe(version)
      expect((await t.store.list('Observation', { namespace: ns })).items).toHaveLength(1)
      await t.store.write(system, {}, async (tx) => {
        const ref = { kind: 'Stagelet', namespace: ns, name: 'prod' }
        await tx.remove(ref)
        await tx.removeFinalizer(ref, agentFinalizer)
      })
      expect((await t.store.list('Observation', { namespace: ns })).items).toEqual([])
    })

    it('is healthy', async () => {
      expect(await t.store.health()).toMatchObject({ ok: true })
    })
  })
}
