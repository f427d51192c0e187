// What the store promises of plain values: what they show, and that nobody learns a masked value by them. On any database.
import { wholeRights } from '../../../src/store/core/actor.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import { statusOf } from '../../../src/kinds/typed.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  createSteppedClock,
  folder,
  secretOf,
  stageletOf,
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import { sealForTest } from './store-values.contract.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'masked-canary-that-nobody-reads'
/** Writes secrets and reads no value. */
const writer = { ...api, name: 'will', authority: { ...wholeRights, mayReadValues: () => false } }
const cluster = { name: 'kubernetes', source: 'kubernetes', authority: 'whole' as const }

export const plainContract = (name: string, open: OpenStore): void => {
  describe(`plain values on ${name}`, () => {
    let t: TestStore
    const clock = createSteppedClock()
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy({ wasTampered: true }))

    const refOfSecret = (namespace: string, secret: string): ObjectRef => ({
      kind: 'StagelySecret',
      namespace,
      name: secret,
    })
    const projectRef = (namespace: string): ObjectRef => ({
      kind: 'Project',
      namespace,
      name: 'shop',
    })
    const plain = (spec: object = {}): object => ({ ...spec, visibility: 'Plain' })
    const create = (ns: string, secret: string, spec: object, by = api): Promise<KubeObject> =>
      createAs(t.store, by, secretOf(ns, secret, { ...spec }))
    const update = (ns: string, secret: string, spec: object, by = api): Promise<KubeObject> =>
      updateAs(t.store, by, secretOf(ns, secret, { ...spec }))
    const as = (
      by: typeof api,
      write: (tx: Transaction) => Promise<KubeObject>,
    ): Promise<KubeObject> => t.store.write(by, {}, write)
    const remove = (ns: string, secret: string): Promise<unknown> =>
      t.store.write(api, {}, (tx) => tx.remove(refOfSecret(ns, secret)))
    const shown = ({ status }: KubeObject): unknown => status?.['value']
    const closed = async (projectUid: string): Promise<number> => {
      clock.step(60_000)
      await t.store.closeDueRevisions(clock.now())
      return (await t.store.revisionsOf(projectUid)).closed
    }
    const delivered = async (
      projectUid: string,
      stagelet = 'prod',
    ): Promise<Record<string, boolean>> => {
      const revision = await closed(projectUid)
      const opened = await t.store.openSet(projectUid, revision, { stagelet, agent: 'box' })
      return Object.fromEntries(opened.map((e) => [e.key, e.plain === true]))
    }
    /** Why it was refused. Neither the answer nor any object shows the masked value. */
    const refusal = async (ns: string, write: Promise<unknown>): Promise<string> => {
      const error = (await write.then(
        (done) => {
          throw new Error(`it was not refused: ${JSON.stringify(done)}`)
        },
        (e: unknown) => e,
      )) as Error
      expect(error).toMatchObject({
        reason: expect.stringMatching(/Invalid|Conflict|Forbidden/) as string,
      })
      expect(JSON.stringify(error) + error.message).not.toContain(canary)
      expect(await allObjects(ns)).not.toContain(canary)
      return error.message
    }
    const allObjects = async (ns: string): Promise<string> =>
      JSON.stringify((await t.store.list('StagelySecret', { namespace: ns })).items)
    const needsReveal = 'a masked secret becomes plain only by somebody who may read its value'

    it('shows a plain value in its status, and never in its spec; a masked one nowhere', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const level = await create(ns, 'level', plain({ value: 'debug' }), writer)
      expect(shown(level)).toBe('debug')
      expect(JSON.stringify(level.spec)).not.toContain('debug')
      const masked = await create(ns, 'key', { value: canary }, writer)
      expect(masked.status).not.toHaveProperty('value')
      const file = { type: 'file', file: { target: '/etc/app.conf' } }
      expect(shown(await create(ns, 'conf', plain({ ...file, value: 'a=1\nb=2\n' })))).toBe(
        'a=1\nb=2\n',
      )
      const long = await create(
        ns,
        'long',
        plain({ ...file, file: { target: '/x' }, value: 'x'.repeat(65_537) }),
      )
      expect(long.status).not.toHaveProperty('value')
      const bytes = {
        ...file,
        file: { target: '/y' },
        valueBase64: Buffer.of(255, 0).toString('base64'),
      }
      expect((await create(ns, 'bytes', plain(bytes))).status).not.toHaveProperty('value')
      expect(await delivered(projectUid)).toMatchObject({ LEVEL: true, CONF: true, KEY: false })
      expect(await allObjects(ns)).not.toContain(canary)
    })

    it('moves no digest, and makes no version of another secret, when the visibility changes', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, stageletOf(ns, 'prod'))
      await create(ns, 'level', { value: 'debug' })
      await create(ns, 'key', { value: canary })
      const digest = async (): Promise<string | undefined> => {
        const entries = environmentSet(await t.store.readSet(projectUid, 'head'), 'prod')
        return serviceDigest(visibleTo('web', 'prod', entries))
      }
      const before = await digest()
      const made = await update(ns, 'level', plain())
      expect(shown(made)).toBe('debug')
      expect(await digest()).toBe(before)
      const masked = await update(ns, 'level', {})
      expect(masked.status).not.toHaveProperty('value')
      expect(await digest()).toBe(before)
      expect((await t.store.get(refOfSecret(ns, 'key')))?.status).toMatchObject({ version: 1 })
      expect(await delivered(projectUid)).toEqual({ LEVEL: false, KEY: false })
    })

    it('is due as revealed once it is masked, until it has another value', async () => {
      const { ns } = await createShop(t.store)
      await create(ns, 'level', plain({ value: 'debug' }))
      const masked = await update(ns, 'level', {}, writer)
      expect(statusOf('StagelySecret', masked).plainUntil).toBeDefined()
      const again = await update(ns, 'level', { value: 'debug' }, writer)
      expect(statusOf('StagelySecret', again).plainUntil).toBeDefined()
      const other = await update(ns, 'level', { value: canary }, writer)
      expect(statusOf('StagelySecret', other).plainUntil).toBeUndefined()
      const back = await as(writer, (tx) => tx.rollbackSecret(refOfSecret(ns, 'level'), 1))
      expect(back.status).not.toHaveProperty('value')
      expect(statusOf('StagelySecret', back).plainUntil).toBeDefined()
      expect(findCondition(statusOf('StagelySecret', back).conditions, 'Accepted')?.status).toBe(
        'True',
      )
    })

    it('lets only somebody who may read a masked value make it plain', async () => {
      const { ns } = await createShop(t.store)
      await create(ns, 'key', { value: canary })
      expect(await refusal(ns, update(ns, 'key', plain(), writer))).toContain(needsReveal)
      expect(await refusal(ns, update(ns, 'key', plain({ value: 'new' }), writer))).toContain(
        needsReveal,
      )
      await create(ns, 'empty', {})
      expect(await refusal(ns, update(ns, 'empty', plain(), writer))).toContain(needsReveal)
      expect(
        shown(await update(ns, 'key', plain(), { ...writer, authority: 'whole' as const })),
      ).toBe(canary)
      // From now on a new value of it is plain, by anybody who may write it.
      expect(shown(await update(ns, 'key', plain({ value: 'fresh' }), writer))).toBe('fresh')
      expect(
        shown(await update(ns, 'key', plain({ format: 'regex', pattern: '.*' }), writer)),
      ).toBe('fresh')
    })

    it('lets a folder or a cluster make a value plain only where it gives the value', async () => {
      for (const by of [folder, cluster]) {
        const { ns } = await createShop(t.store)
        await create(ns, 'key', {}, by)
        await update(ns, 'key', { value: canary }, by)
        await update(ns, 'key', {}, by)
        expect(await refusal(ns, update(ns, 'key', plain(), by))).toContain(needsReveal)
        expect(shown(await update(ns, 'key', plain({ value: 'given' }), by))).toBe('given')
      }
    })

    it('judges a template by what its own environment sees, and tells nothing of another one', async () => {
      const { ns } = await createShop(t.store)
      const environments = [{ name: 'production' }, { name: 'preview' }]
      await updateAs(t.store, api, objectOf('Project', ns, 'shop', { environments }))
      const inPreview = (spec: object): object => ({ ...spec, environments: ['preview'] })
      const host = { key: 'HOST', scope: 'global' }
      await create(ns, 'host-live', { ...host, value: canary, environments: ['production'] })
      await create(ns, 'host-pr', inPreview(plain({ ...host, value: 'pr.example.com' })))
      const template = { key: 'URL', scope: 'global', value: 'http://${HOST}', references: true }
      await create(ns, 'url-pr', inPreview(plain(template)))
      const wide = create(ns, 'url', plain(template))
      expect(await refusal(ns, wide)).toContain('refers to ${HOST}, which is masked')
    })

    it('refuses a sealed value, one from elsewhere, and one for the controller', async () => {
      const { ns } = await createShop(t.store)
      const place = {
        namespace: ns,
        project: 'shop',
        key: 'KEY',
        scope: 'global',
        stagelet: undefined,
      }
      const sealedValue = sealForTest(place, canary)
      const ways: Record<string, unknown>[] = [
        { sealedValue },
        { valueFrom: { generate: {} } },
        { valueFrom: { secretRef: { name: 'other' } } },
        { valueFrom: { rotation: { name: 'r', output: 'password' } } },
        { valueFrom: { external: { store: 'vault', key: 'k' } } },
        { valueFrom: { kubernetesSecret: { name: 's', key: 'k' } } },
        { audience: 'Controller', value: 'x' },
      ]
      await create(ns, 'other', { value: canary })
      for (const way of ways)
        expect(await refusal(ns, create(ns, 'key', plain(way)))).toContain(
          'a plain value is given as value or valueBase64',
        )
      // Sealed as masked first, it stays what it was: stored.
      await create(ns, 'key', { sealedValue }, writer)
      expect(await refusal(ns, update(ns, 'key', plain(), writer))).toContain(needsReveal)
    })

    it('never shows what a generator or another secret gave, whoever asks and whatever the spec says by then', async () => {
      const { ns } = await createShop(t.store)
      await create(ns, 'source', { value: canary })
      await create(ns, 'follower', { valueFrom: { secretRef: { name: 'source' } } })
      await create(ns, 'made', { valueFrom: { generate: { length: 24 } } })
      const stays = 'which so stays masked'
      for (const secret of ['follower', 'made']) {
        expect(await refusal(ns, update(ns, secret, plain()))).toContain(stays)
        await update(ns, secret, {})
        expect(await refusal(ns, update(ns, secret, plain()))).toContain(stays)
      }
      const value = (await t.store.revealSecret(api, refOfSecret(ns, 'made'))).value.toString()
      expect(await refusal(ns, update(ns, 'made', plain({ value })))).toContain(stays)
      await remove(ns, 'follower')
      const uid = (
        await t.store.deletedSecrets((await t.store.get(projectRef(ns)))!.metadata.uid!)
      )[0]!.secretId
      await as(api, (tx) => tx.restoreSecret(projectRef(ns), uid))
      expect(await refusal(ns, update(ns, 'follower', plain()))).toContain(stays)
      expect(shown(await update(ns, 'made', plain({ value: 'chosen' })))).toBe('chosen')
    })

    it('brings a masked version back masked, and a plain one back plain only into a plain secret', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const { metadata } = await create(ns, 'key', { value: canary })
      await closed(projectUid)
      await update(ns, 'key', plain({ value: 'shown' }))
      await closed(projectUid)
      const masked = await as(writer, (tx) => tx.rollbackSecret(refOfSecret(ns, 'key'), 1))
      expect(masked.spec).not.toHaveProperty('visibility')
      expect(masked.status).not.toHaveProperty('value')
      expect(statusOf('StagelySecret', masked).plainUntil).toBeUndefined()
      const was = await as(writer, (tx) => tx.rollbackSecret(refOfSecret(ns, 'key'), 2))
      expect(was.status).not.toHaveProperty('value')
      await update(ns, 'key', plain({ value: 'shown' }))
      await update(ns, 'key', plain({ value: 'again' }))
      const there = (await t.store.get(refOfSecret(ns, 'key')))?.status?.['version'] as number
      expect(
        shown(await as(writer, (tx) => tx.rollbackSecret(refOfSecret(ns, 'key'), there - 1))),
      ).toBe('shown')
      await t.store.write(writer, {}, (tx) => tx.rollbackProject(projectRef(ns), { revision: 1 }))
      expect(await allObjects(ns)).not.toContain(canary)
      await remove(ns, 'key')
      const back = await as(writer, (tx) => tx.restoreSecret(projectRef(ns), metadata.uid!))
      expect(back.status).not.toHaveProperty('value')
      expect(await allObjects(ns)).not.toContain(canary)
    })

    it('tells values of plain versions, old ones too, and none of a secret that was masked since', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const { metadata } = await create(ns, 'level', plain({ value: 'debug' }), writer)
      await update(ns, 'level', plain({ value: 'info' }), writer)
      const key = await create(ns, 'key', { value: canary })
      const all = [1, 2, 3, 4, 5, 6].flatMap((version) =>
        [metadata.uid!, key.metadata.uid!].map((secretId) => ({ secretId, version })),
      )
      const values = async (project = projectUid): Promise<string[]> =>
        [...(await t.store.plainValues(project, all)).values()].sort()
      expect(await values()).toEqual(['debug', 'info'])
      expect(await values((await createShop(t.store)).projectUid)).toEqual([])
      expect(await t.store.plainValues(projectUid, [])).toEqual(new Map())
      await remove(ns, 'level')
      expect(await values()).toEqual(['debug', 'info'])
      await as(api, (tx) => tx.restoreSecret(projectRef(ns), metadata.uid!))
      await update(ns, 'level', {}, writer)
      expect(await values()).toEqual([])
      await update(ns, 'level', plain({ value: 'warn' }))
      expect(await values()).toEqual(['warn'])
      await t.sql.query('UPDATE secret_versions SET plain = true WHERE secret_uid = $1', [
        key.metadata.uid!,
      ])
      await expect(values()).rejects.toMatchObject({ reason: 'InternalError' })
    })

    it('restores a deleted plain secret as it was', async () => {
      const { ns } = await createShop(t.store)
      const { metadata } = await create(ns, 'level', plain({ value: 'debug' }))
      await remove(ns, 'level')
      expect(shown(await as(writer, (tx) => tx.restoreSecret(projectRef(ns), metadata.uid!)))).toBe(
        'debug',
      )
    })

    it('refers only to plain values, also in the write that makes both', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const template = plain({ value: 'http://${HOST}', references: true })
      await create(ns, 'key', { value: canary })
      const leak = plain({ value: 'x${KEY}', references: true })
      expect(await refusal(ns, create(ns, 'url', leak))).toContain('refers only to plain ones')
      const both = t.store.write(api, {}, async (tx) => {
        await tx.create(secretOf(ns, 'late', { value: canary }))
        await tx.create(secretOf(ns, 'url', plain({ value: '${LATE}', references: true }) as never))
      })
      expect(await refusal(ns, both)).toContain('refers only to plain ones')
      await create(ns, 'waits', { valueFrom: { rotation: { name: 'r', output: 'password' } } })
      const waiting = plain({ value: '${WAITS}', references: true })
      expect(await refusal(ns, create(ns, 'url', waiting))).toContain('refers only to plain ones')
      await create(ns, 'host', plain({ value: 'localhost' }))
      expect(shown(await create(ns, 'url', template))).toBe('http://${HOST}')
      expect(await delivered(projectUid)).toMatchObject({ URL: true, HOST: true, KEY: false })
      // What it refers to becomes masked at once. The finished value is masked from then on.
      await update(ns, 'host', {}, writer)
      expect(await delivered(projectUid)).toMatchObject({ URL: false, HOST: false })
    })

    it('keeps a waiting template masked, whatever the secret was before it', async () => {
      const { ns } = await createShop(t.store)
      const rotated = { valueFrom: { rotation: { name: 'r', output: 'password' } } }
      await create(ns, 'waits', rotated)
      await create(ns, 'url', plain({ value: 'was-shown' }))
      const waiting = await update(ns, 'url', { value: '${WAITS}', references: true })
      expect(statusOf('StagelySecret', waiting).awaits).toEqual(['WAITS'])
      expect(await refusal(ns, update(ns, 'url', plain({ references: true })))).toContain(
        'its value waits for masked ones (status.awaits); give another value',
      )
      expect(shown(await update(ns, 'url', plain({ value: 'given' })))).toBe('given')
    })

    it('shows nothing in a dry run that the write would not show', async () => {
      const { ns } = await createShop(t.store)
      await create(ns, 'key', { value: canary })
      const dry = t.store.write(writer, { dryRun: true }, (tx) =>
        tx.update(secretOf(ns, 'key', plain() as never)),
      )
      expect(await refusal(ns, dry)).toContain(needsReveal)
    })

    it('notices visibility that was changed by SQL', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await create(ns, 'key', { value: canary })
      await create(ns, 'level', plain({ value: 'debug' }))
      const revision = await closed(projectUid)
      for (const secret of ['key', 'level']) {
        const set = (plainness: string): Promise<unknown> =>
          t.sql.query(
            `UPDATE secret_versions SET plain = ${plainness} WHERE project_uid = $1 AND name = $2`,
            [projectUid, secret],
          )
        await set(secret === 'key' ? 'true' : 'NULL')
        await expect(
          t.store.openSet(projectUid, revision, { stagelet: 'prod', agent: 'box' }),
        ).rejects.toMatchObject({ reason: 'InternalError' })
        await set(secret === 'key' ? 'NULL' : 'true')
      }
      // An old version is in no checked set: what it is sealed for says that it was masked.
      await update(ns, 'key', plain({ value: 'shown' }))
      await closed(projectUid)
      await t.sql.query(
        `UPDATE secret_versions SET plain = true WHERE project_uid = $1 AND name = 'key' AND version = 1`,
        [projectUid],
      )
      await expect(
        as(system, (tx) => tx.rollbackSecret(refOfSecret(ns, 'key'), 1)),
      ).rejects.toMatchObject({ reason: 'InternalError' })
      expect(await allObjects(ns)).not.toContain(canary)
    })
  })
}
