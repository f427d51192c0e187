// What the store promises of writes that share a transaction: each finds what those before it left.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import type { Store } from '../../../src/store/store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  secretOf,
  stageletOf,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

type Write = (store: Store) => Promise<unknown>

/** As the API does, which says what a write is about. */
const create =
  (object: KubeObject): Write =>
  (store) =>
    store.write(api, {}, (tx) => tx.create(object))
const remove =
  (ref: ObjectRef): Write =>
  (store) =>
    store.write(api, {}, (tx) => tx.remove(ref))
const change =
  (ref: ObjectRef, next: (before: KubeObject) => KubeObject): Write =>
  (store) =>
    store.write(api, {}, async (tx) => tx.update(next((await tx.get(ref))!)))
const annotate = (ref: ObjectRef, name: string): Write =>
  change(ref, ({ metadata, ...others }) => ({
    ...others,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [name]: 'yes' } },
  }))
const giveValue = (ref: ObjectRef, value: string): Write =>
  change(ref, ({ spec, ...others }) => ({ ...others, spec: { ...spec, value } }))

export const groupContract = (name: string, open: OpenStore): void => {
  describe(`writes at the same time on ${name}`, () => {
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock: createSteppedClock() })
    })
    afterAll(() => t.destroy())

    /** All that comes while a write is open shares the next transaction, in its order. */
    const together = async (...writes: Write[]): Promise<string[]> => {
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => (release = resolve))
      const open = new Promise<void>((begun) => {
        void t.store.write(api, {}, () => {
          begun()
          return held
        })
      })
      await open
      const results = writes.map((write) =>
        write(t.store).then(
          () => 'done',
          (error: unknown) => String((error as { reason?: unknown }).reason),
        ),
      )
      release()
      return Promise.all(results)
    }
    const read = (ref: ObjectRef): Promise<KubeObject | undefined> => t.store.get(ref)
    const conditionOf = async (ref: ObjectRef, type: string): Promise<Condition | undefined> =>
      ((await read(ref))?.status?.['conditions'] as Condition[] | undefined)?.find(
        (condition) => condition.type === type,
      )

    it('refuse the second that takes a name or a key, and take those beside it', async () => {
      const { ns } = await createShop(t.store)
      const results = await together(
        create(secretOf(ns, 'a', { value: '1' })),
        create(secretOf(ns, 'a', { value: '2' })),
        create(secretOf(ns, 'b', { key: 'A', value: '3' })),
        create(secretOf(ns, 'c', { value: '4' })),
      )
      expect(results).toEqual(['done', 'AlreadyExists', 'Invalid', 'done'])
    })

    it('add to what the one before has added', async () => {
      const { ns } = await createShop(t.store)
      const a = refOf(await createAs(t.store, api, secretOf(ns, 'a', { value: '1' })))
      const b = refOf(await createAs(t.store, api, secretOf(ns, 'b', { value: '1' })))
      await together(annotate(a, 'one'), annotate(b, 'other'), annotate(a, 'two'))
      await together(giveValue(a, '2'), giveValue(b, '2'), giveValue(a, '3'))
      expect(await read(a)).toMatchObject({
        metadata: { annotations: { one: 'yes', two: 'yes' } },
        status: { version: 3 },
      })
    })

    it('take a key and a name that have just become free', async () => {
      const { ns } = await createShop(t.store)
      const a = refOf(await createAs(t.store, api, secretOf(ns, 'a', { value: '1' })))
      const b = secretOf(ns, 'b', { key: 'A', value: '2' })
      expect(await together(remove(a), create(b))).toEqual(['done', 'done'])
      expect(await together(remove(refOf(b)), create(secretOf(ns, 'b', { value: '3' })))).toEqual([
        'done',
        'done',
      ])
      expect(await together(remove(refOf(b)), remove(refOf(b)))).toEqual(['done', 'NotFound'])
    })

    it('take places that others leave in the same write', async () => {
      const { ns } = await createShop(t.store)
      const at = (place: number, name: number): KubeObject =>
        secretOf(ns, `s-${name}`, { key: 'A', scope: `web-${place}`, value: `${name}` })
      const all = [5, 4, 3, 2, 1, 0]
      for (const n of all) await createAs(t.store, api, at(n, n))
      await t.store.write(api, {}, async (tx) => {
        for (const n of all) await tx.update(at(n + 1, n))
      })
      const { items } = await t.store.list('StagelySecret', { namespace: ns })
      expect(items.map(({ spec }) => spec?.['scope'])).toEqual(all.map((_, i) => `web-${i + 1}`))
    })

    it('refuse one that knows an older version', async () => {
      const { ns } = await createShop(t.store)
      const before = await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      const stale = change(refOf(before), () => ({
        ...before,
        spec: { ...before.spec, value: '2' },
      }))
      expect(await together(annotate(refOf(before), 'one'), stale)).toEqual(['done', 'Conflict'])
    })

    it('bring a value to who has just begun to follow it', async () => {
      const { ns } = await createShop(t.store)
      const a = secretOf(ns, 'a', { value: '1' })
      const follower = secretOf(ns, 'b', { valueFrom: { secretRef: { name: 'a' } } })
      await together(create(follower), create(a))
      expect(await read(refOf(follower))).toMatchObject({ status: { version: 1 } })
      await together(remove(refOf(follower)), giveValue(refOf(a), '2'), remove(refOf(a)))
      expect(await read(refOf(a))).toBeUndefined()
    })

    it('refuse a file where the one before has put another', async () => {
      const { ns } = await createShop(t.store)
      const fileOf = (secret: string): KubeObject =>
        secretOf(ns, secret, { type: 'file', file: { path: '/run/x' }, value: secret })
      expect(await together(create(fileOf('a')), create(fileOf('b')))).toEqual(['done', 'Invalid'])
    })

    it('see a stagelet that has just come, and a project that has just gone', async () => {
      const { ns } = await createShop(t.store)
      const a = secretOf(ns, 'a', { value: '1' })
      await createAs(t.store, api, objectOf('Agent', ns, 'box'))
      await together(create(stageletOf(ns, 'prod')), create(a))
      expect(await conditionOf(refOf(a), 'InSync')).toMatchObject({ reason: 'NewVersion' })
      const shop = { kind: 'Project', namespace: ns, name: 'shop' }
      const late = create(secretOf(ns, 'b', { value: '2' }))
      const done = ['done', 'done', 'done']
      expect(await together(remove(shop), late, remove(refOf(a)))).toEqual(done)
      const b = { kind: 'StagelySecret', namespace: ns, name: 'b' }
      expect(await conditionOf(b, 'Accepted')).toMatchObject({ reason: 'ProjectMissing' })
    })

    it('leave no trace of one that fails, nor of a dry run', async () => {
      const { ns } = await createShop(t.store)
      const b = secretOf(ns, 'b', { key: 'A', value: '2' })
      const fails: Write = (store) => {
        const object = secretOf(ns, 'a', { value: '1' })
        return store.write(api, {}, async (tx) => {
          await tx.create(object)
          throw new Error('no')
        })
      }
      const dry: Write = (store) => store.write(api, { dryRun: true }, (tx) => tx.create(b))
      expect((await together(fails, dry, create(b))).slice(1)).toEqual(['done', 'done'])
      expect(await read(refOf(b))).toMatchObject({ status: { version: 1 } })
    })
  })
}
