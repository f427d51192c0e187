// Whose an object is: what another source writes changes nothing of it, whichever way it comes. On any database.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { annotations, refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import type { Actor, Transaction } from '../../../src/store/store.ts'
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
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const cluster: Actor = { name: 'kubernetes', source: 'kubernetes', authority: 'whole' }
const otherFolder: Actor = { name: 'folder', source: 'folder:/srv/others', authority: 'whole' }
const sources = [api, folder, cluster]
const pairs = sources.flatMap((owner) =>
  sources.filter((actor) => actor !== owner).map((actor) => ({ owner, actor })),
)
const whole = { changeSet: { id: 'whole', last: true } }
const kinds = ['Project', 'Agent', 'StagelySecret', 'Stagelet'] as const

export const ownerContract = (name: string, open: OpenStore): void => {
  describe(`owners on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    /** What there is of a team, as it is stored. */
    const world = async (ns: string): Promise<KubeObject[]> =>
      (await Promise.all(kinds.map((kind) => t.store.list(kind, { namespace: ns })))).flatMap(
        ({ items }) => items,
      )
    const write = <T>(actor: Actor, fn: (tx: Transaction) => Promise<T>): Promise<T> => {
      clock.step(60_000)
      return t.store.write(actor, whole, fn)
    }

    /** A team with one object of each kind, whose secret has two versions, one in each of two revisions. */
    const declare = async (owner: Actor): Promise<{ ns: string; declared: KubeObject[] }> => {
      const { ns } = await createShop(t.store)
      await write(owner, async (tx) => {
        const { metadata, ...project } = objectOf('Project', ns, 'theirs', { description: 'x' })
        const labels = { tier: 'gold' }
        await tx.create({ ...project, metadata: { ...metadata, labels } })
        await tx.create(objectOf('Agent', ns, 'box'))
        await tx.create(stageletOf(ns, 'prod'))
        await tx.create(secretOf(ns, 'db', { projectRef: { name: 'theirs' }, value: 'one' }))
      })
      await write(owner, (tx) =>
        tx.update(secretOf(ns, 'db', { projectRef: { name: 'theirs' }, value: 'two' })),
      )
      const declared = (await world(ns)).filter(({ metadata }) => metadata.name !== 'shop')
      return { ns, declared }
    }

    const changed = (object: KubeObject): KubeObject => {
      const specs: Record<(typeof kinds)[number], object> = {
        Project: { description: 'mine' },
        Agent: { paused: true },
        StagelySecret: { value: 'mine' },
        Stagelet: { paused: true },
      }
      const spec = { ...object.spec, ...specs[object.kind as (typeof kinds)[number]] }
      return { ...object, spec }
    }
    const noted = (object: KubeObject, field: 'labels' | 'annotations'): KubeObject => ({
      ...object,
      metadata: {
        ...object.metadata,
        [field]: { ...object.metadata[field], 'example.com/mine': 'yes' },
      },
    })
    const bare = ({ metadata, ...object }: KubeObject): KubeObject => ({
      ...object,
      metadata: { name: metadata.name, namespace: metadata.namespace ?? '' },
    })

    const project = (ns: string): ObjectRef => ({ kind: 'Project', namespace: ns, name: 'theirs' })

    /** Each way of writing an object, by a name. */
    const waysTo = (object: KubeObject): [string, (tx: Transaction) => Promise<unknown>][] => [
      ['spec', (tx) => tx.update(changed(object))],
      ['labels', (tx) => tx.update(noted(object, 'labels'))],
      ['annotations', (tx) => tx.update(noted(object, 'annotations'))],
      ['nothing said', (tx) => tx.update(changed(bare(object)))],
      ['create', (tx) => tx.create(bare(object))],
      ['remove', (tx) => tx.remove(refOf(object))],
    ]

    const waysToSecret = (
      ns: string,
      secret: KubeObject,
      between: number,
    ): [string, (tx: Transaction) => Promise<unknown>][] => [
      ['rollback', (tx) => tx.rollbackSecret(refOf(secret), 1)],
      ['rollback to a revision', (tx) => tx.rollbackProject(project(ns), { revision: 1 })],
      ['rollback to a time', (tx) => tx.rollbackProject(project(ns), { at: between })],
      ['purge', (tx) => tx.purgeSecret(project(ns), secret.metadata.uid!)],
    ]

    it.each([...pairs, { owner: otherFolder, actor: folder }])(
      'what $owner.source owns, $actor.source changes in no way',
      async ({ owner, actor }) => {
        const { ns, declared } = await declare(owner)
        const secret = declared.find(({ kind }) => kind === 'StagelySecret')!
        const before = await world(ns)
        const ways = [
          ...declared.flatMap((object) =>
            waysTo(object).map(([way, fn]) => [`${object.kind}: ${way}`, fn] as const),
          ),
          ...waysToSecret(ns, secret, clock.now() - 30_000),
        ]
        for (const [way, fn] of ways) {
          const attempt = write(actor, fn)
          await expect(attempt, way).rejects.toMatchObject({ reason: 'Conflict' })
          await expect(attempt, way).rejects.toThrow(`owned by ${owner.source}`)
          // Nor does what is written with it stay.
          const batch = write(actor, async (tx) => {
            await tx.create(objectOf('Project', ns, 'own'))
            await fn(tx)
          })
          await expect(batch, way).rejects.toMatchObject({ reason: 'Conflict' })
        }
        expect(await world(ns)).toEqual(before)
      },
    )

    it('a secret is not restored over one that another source has declared since', async () => {
      const { ns, declared } = await declare(cluster)
      const secret = declared.find(({ kind }) => kind === 'StagelySecret')!
      await write(cluster, (tx) => tx.remove(refOf(secret)))
      const spec = { projectRef: { name: 'theirs' }, key: 'OTHER', value: 'three' }
      await createAs(t.store, folder, secretOf(ns, 'db', spec))
      const before = await world(ns)
      const restore = write(api, (tx) => tx.restoreSecret(project(ns), secret.metadata.uid!))
      await expect(restore).rejects.toThrow(`owned by ${folder.source}`)
      expect(await world(ns)).toEqual(before)
    })

    it('a team is not removed with what another source declares in it, and a project leaves it there', async () => {
      for (const owner of [folder, cluster]) {
        const { ns } = await createShop(t.store)
        const held = await createAs(t.store, owner, secretOf(ns, 'db', { value: 'one' }))
        const before = await world(ns)
        const shop = { kind: 'Project', namespace: ns, name: 'shop' }
        const team = { kind: 'Namespace', namespace: '', name: ns }
        const removal = write(api, (tx) => tx.remove(team))
        await expect(removal).rejects.toThrow(`"db" in it is owned by ${owner.source}`)
        const whole = write(api, (tx) => tx.removeProject(shop, { erase: false }))
        await expect(whole).rejects.toThrow(`"db" in it is owned by ${owner.source}`)
        expect(await world(ns)).toEqual(before)
        await write(api, (tx) => tx.remove(shop))
        expect(await t.store.get(refOf(held))).toEqual(held)
        await write(owner, (tx) => tx.remove(refOf(held)))
      }
    })

    it('new keys change nothing of the objects', async () => {
      const { ns } = await declare(cluster)
      const before = await world(ns)
      await t.keys.rotateDataKeys(api)
      expect(await world(ns)).toEqual(before)
    })

    const source = (ns: string, kind: string, name: string): Promise<string | undefined> =>
      t.store
        .get({ kind, namespace: ns, name })
        .then((object) => object?.metadata.annotations?.[annotations.source])
    /** As `stagely admin adopt`, with and without --release. */
    const hand = async (object: KubeObject, to: string, by = api): Promise<KubeObject> => {
      const { metadata, ...rest } = (await t.store.get(refOf(object)))!
      const notes = { ...metadata.annotations, [annotations.source]: to }
      return updateAs(t.store, by, { ...rest, metadata: { ...metadata, annotations: notes } })
    }

    const ways = pairs.map(({ owner: from, actor: to }) => ({ from, to }))
    it.each(ways)('is handed over from $from.source to $to.source whole', async ({ from, to }) => {
      const { ns, declared } = await declare(from)
      for (const object of declared) {
        const { kind, metadata, spec = {} } = object
        await hand(object, to === api ? 'api' : 'system')
        const given = kind === 'StagelySecret' ? { ...spec, value: 'two' } : spec
        await updateAs(t.store, to, { ...bare(object), spec: given })
        expect(await source(ns, kind, metadata.name)).toBe(to.source)
        const refused = updateAs(t.store, from, changed(bare(object)))
        await expect(refused).rejects.toThrow(`owned by ${to.source}`)
        const now = (await t.store.get(refOf(object)))!
        expect(now.metadata.uid).toBe(metadata.uid)
        expect(now.status?.['version']).toBe(object.status?.['version'])
        expect(now.metadata.annotations?.[annotations.valueSource]).toBe(
          kind === 'StagelySecret' && to !== api ? to.source : undefined,
        )
      }
    })

    it('what nobody declares any more is still for the API to change', async () => {
      const { ns, declared } = await declare(folder)
      for (const object of declared) await hand(object, 'system')
      for (const object of await world(ns)) await updateAs(t.store, api, changed(object))
      expect(await source(ns, 'Project', 'theirs')).toBe('system')
      const [row] = await t.sql.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM audit WHERE namespace = $1 AND action = 'release'",
        [ns],
      )
      expect(row?.n).toBe(declared.length)
    })

    it('nobody but a user of the API hands anything over', async () => {
      const { declared } = await declare(api)
      for (const to of ['system', folder.source, cluster.source])
        for (const by of [folder, cluster])
          for (const object of declared) {
            await hand(object, to, by)
            expect(await source(refOf(object).namespace, object.kind, object.metadata.name)).toBe(
              'api',
            )
          }
      for (const object of declared) {
        await hand(object, folder.source)
        expect(await source(refOf(object).namespace, object.kind, object.metadata.name)).toBe('api')
      }
    })
  })
}
