// What the store promises of the ways in which a value comes in. On any database.
import { createPrivateKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
import { generateKeys } from '../../../src/protocol/keys.ts'
import { openSealedValue, sealValue } from '../../../src/protocol/sealed-value.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  refusalOf,
  secretOf,
  stageletOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const sealing = generateKeys('X25519')
/** Opens what was sealed for the test's key. */
export const testOpener = {
  open: (place: Parameters<typeof sealValue>[1], text: string): Buffer | undefined =>
    openSealedValue(sealing, place, text),
}
export const sealForTest = (place: Parameters<typeof sealValue>[1], value: string): string =>
  sealValue(sealing.publicKey, place, Buffer.from(value))
const canary = 's34led-canary'

export const valuesContract = (name: string, open: OpenStore): void => {
  describe(`values on ${name}`, () => {
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock: createSteppedClock() })
    })
    afterAll(() => t.destroy())

    const refOfSecret = (namespace: string, secret: string): ObjectRef => ({
      kind: 'StagelySecret',
      namespace,
      name: secret,
    })
    const valueOf = async (ns: string, secret: string): Promise<string> =>
      (await t.store.revealSecret(api, refOfSecret(ns, secret))).value.toString()
    const versionOf = (object: KubeObject): unknown => object.status?.['version']
    const refusal = (write: Promise<unknown>): Promise<string> => refusalOf(write, canary)

    it('opens a sealed value in its own place only, and keeps neither text nor value in the object', async () => {
      const { ns } = await createShop(t.store)
      const place = { namespace: ns, project: 'shop', key: 'DB', scope: 'web' }
      const sealedValue = sealValue(sealing.publicKey, place, Buffer.from(canary))
      const made = await createAs(t.store, api, secretOf(ns, 'db', { scope: 'web', sealedValue }))
      expect(JSON.stringify(made)).not.toContain(sealedValue)
      expect(await valueOf(ns, 'db')).toBe(canary)
      const again = await updateAs(t.store, api, secretOf(ns, 'db', { scope: 'web', sealedValue }))
      expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
      const anew = sealValue(sealing.publicKey, place, Buffer.from(canary))
      const other = secretOf(ns, 'db', { scope: 'web', sealedValue: anew })
      expect(versionOf(await updateAs(t.store, api, other))).toBe(1)
      for (const spec of [
        { key: 'OTHER', scope: 'web' },
        { key: 'DB', scope: 'api' },
        { key: 'DB', scope: 'web', stageletRef: { name: 'prod' } },
      ]) {
        const copied = createAs(t.store, api, secretOf(ns, 'copy', { ...spec, sealedValue }))
        expect(await refusal(copied)).toMatch(/spec.sealedValue: .*does not open here/)
      }
      const rows = await t.sql.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM changes WHERE body::text LIKE '%hpke1:%' OR previous::text LIKE '%hpke1:%'`,
      )
      expect(rows).toEqual([{ n: 0 }])
    })

    it('opens what was sealed for a namespace in that one alone, and not in one that is made anew under its name', async () => {
      const { ns } = await createShop(t.store)
      const home = { kind: 'Namespace', namespace: '', name: ns }
      const uidOf = async (): Promise<string> => (await t.store.get(home))!.metadata.uid!
      const sealedFor = (key: string, namespaceUid?: string): string => {
        const place = { namespace: ns, namespaceUid, project: 'shop', key, scope: 'global' }
        return sealValue(sealing.publicKey, place, Buffer.from(canary))
      }
      const old = { 'by-name': sealedFor('BY_NAME'), 'by-uid': sealedFor('BY_UID', await uidOf()) }
      for (const [name, sealedValue] of Object.entries(old)) {
        await createAs(t.store, api, secretOf(ns, name, { sealedValue }))
        expect(await valueOf(ns, name)).toBe(canary)
      }
      await t.store.write(api, {}, (tx) => tx.remove(home))
      await t.store.write(api, {}, (tx) =>
        tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } }),
      )
      await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      for (const [name, sealedValue] of Object.entries(old)) {
        const made = createAs(t.store, api, secretOf(ns, name, { sealedValue }))
        expect(await refusal(made)).toMatch(/spec.sealedValue: .*does not open here.*seal it anew/)
      }
      const sealedValue = sealedFor('BY_UID', await uidOf())
      await createAs(t.store, api, secretOf(ns, 'by-uid', { sealedValue }))
      expect(await valueOf(ns, 'by-uid')).toBe(canary)
    })

    it('takes a value in one way at a time', async () => {
      const { ns } = await createShop(t.store)
      const both = { value: canary, valueFrom: { generate: {} } }
      expect(await refusal(createAs(t.store, api, secretOf(ns, 'db', both)))).toMatch(
        /spec.valueFrom: Forbidden: give at most one of value, valueBase64, sealedValue and valueFrom/,
      )
      const neither = secretOf(ns, 'db', { valueFrom: {} })
      expect(await refusal(createAs(t.store, api, neither))).toMatch(/exactly one of generate/)
    })

    it('generates a value once, and anew when the generation moves', async () => {
      const { ns } = await createShop(t.store)
      const generate = { length: 48, charset: 'hex' }
      const secret = (more: object): KubeObject =>
        secretOf(ns, 'db', { valueFrom: { generate: { ...generate, ...more } } })
      expect(versionOf(await createAs(t.store, api, secret({})))).toBe(1)
      const first = await valueOf(ns, 'db')
      expect(first).toMatch(/^[0-9a-f]{48}$/)
      expect(versionOf(await updateAs(t.store, api, secret({ length: 40 })))).toBe(1)
      expect(versionOf(await updateAs(t.store, api, secret({ generation: 1 })))).toBe(2)
      const second = await valueOf(ns, 'db')
      expect(second).toMatch(/^[0-9a-f]{48}$/)
      expect(second).not.toBe(first)
      await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOfSecret(ns, 'db'), 1))
      expect(await valueOf(ns, 'db')).toBe(first)
    })

    // An RSA key, which takes long: project-keys.test.ts
    it('generates a key and shows its public half', async () => {
      const { ns } = await createShop(t.store)
      const valueFrom = { generate: { keypair: 'ed25519' } }
      const made = await createAs(t.store, api, secretOf(ns, 'key', { valueFrom }))
      const key = createPrivateKey(await valueOf(ns, 'key'))
      expect(key.asymmetricKeyType).toBe('ed25519')
      expect(made.status?.['publicKey']).toMatch(/^-----BEGIN PUBLIC KEY-----/)
    })

    it('moves a follower with its source, in one transaction, and holds on to the source', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const follow = { valueFrom: { secretRef: { name: 'source' } }, scope: 'web' }
      const early = await createAs(t.store, api, secretOf(ns, 'follower', follow))
      expect(JSON.stringify(early.status)).toMatch(/ValueMissing.*"source\\", whose value/)
      await createAs(t.store, api, secretOf(ns, 'source', { value: 'one', scope: 'api' }))
      expect(await valueOf(ns, 'follower')).toBe('one')
      await updateAs(t.store, api, secretOf(ns, 'source', { value: 'two', scope: 'api' }))
      expect(await valueOf(ns, 'follower')).toBe('two')
      const late = secretOf(ns, 'late', follow)
      await createAs(t.store, api, late)
      expect(await valueOf(ns, 'late')).toBe('two')
      const set = (await t.store.readSet(projectUid, 'head')).entries
      expect(set).toHaveLength(3)
      const chain = secretOf(ns, 'chain', { valueFrom: { secretRef: { name: 'late' } } })
      expect(await refusal(createAs(t.store, api, chain))).toMatch(/follows "source" itself/)
      const remove = (...names: string[]): Promise<unknown> =>
        t.store.write(api, {}, async (tx) => {
          for (const one of names) await tx.remove(refOfSecret(ns, one))
        })
      expect(await refusal(remove('source'))).toMatch(/"follower", "late" takes its value from it/)
      await remove('source', 'follower', 'late')
      expect((await t.store.list('StagelySecret', { namespace: ns })).items).toEqual([])
    })

    it('lets 100 secrets follow one, also where it comes after them', async () => {
      const { ns } = await createShop(t.store)
      const follow = { valueFrom: { secretRef: { name: 'source' } } }
      await t.store.write(api, {}, async (tx) => {
        for (let i = 0; i < 100; i += 1) await tx.create(secretOf(ns, `f-${i}`, follow))
      })
      const refused = createAs(t.store, api, secretOf(ns, 'one-more', follow))
      await expect(refused).rejects.toThrow('100 secrets follow it already')
      await createAs(t.store, api, secretOf(ns, 'source', { value: 'one' }))
      await updateAs(t.store, api, secretOf(ns, 'f-7', { ...follow, scope: 'web' }))
      expect(await valueOf(ns, 'f-99')).toBe('one')
    })

    it.each([true, false])(
      'fills a follower that the same write has made before its source (dry run: %s)',
      { timeout: 10_000 },
      async (dryRun) => {
        const { ns } = await createShop(t.store)
        const follow = { valueFrom: { secretRef: { name: 'source' } }, scope: 'web' }
        const version = await t.store.write(api, { dryRun }, async (tx) => {
          await tx.create(secretOf(ns, 'follower', follow))
          await tx.create(secretOf(ns, 'source', { value: 'one', scope: 'api' }))
          return (await tx.get(refOfSecret(ns, 'follower')))?.status?.['version']
        })
        expect(version).toBe(1)
        if (!dryRun) expect(await valueOf(ns, 'follower')).toBe('one')
      },
    )

    it('leaves a follower with its source, whatever goes back or comes back', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      const change = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
        t.store.write(api, { changeSet: { id: 'whole', last: true } }, work)
      const follow = { valueFrom: { secretRef: { name: 'source' } }, scope: 'web' }
      const source = (value: string): KubeObject => secretOf(ns, 'source', { value })
      const made = await change(async (tx) => {
        await tx.create(source('one'))
        return tx.create(secretOf(ns, 'follower', follow))
      })
      await change((tx) => tx.update(source('two')))
      const one = change((tx) => tx.rollbackSecret(refOfSecret(ns, 'follower'), 1))
      expect(await refusal(one)).toMatch(
        /takes its value from "source" \(valueFrom.secretRef\): roll that one back/,
      )
      await change((tx) => tx.rollbackSecret(refOfSecret(ns, 'source'), 1))
      expect(await valueOf(ns, 'follower')).toBe('one')
      await change((tx) => tx.update(source('three')))
      await change((tx) => tx.rollbackProject(project, { revision: 2 }))
      expect([await valueOf(ns, 'source'), await valueOf(ns, 'follower')]).toEqual(['two', 'two'])

      await change((tx) => tx.remove(refOfSecret(ns, 'follower')))
      await change((tx) => tx.update(source('four')))
      await change((tx) => tx.restoreSecret(project, made.metadata.uid!))
      expect(await valueOf(ns, 'follower')).toBe('four')
      await change((tx) => tx.remove(refOfSecret(ns, 'follower')))
      await change((tx) => tx.update(source('five')))
      // It is in that revision with the source's value of then, which is not what the source has now.
      const { closed } = await t.store.revisionsOf(projectUid)
      await change(async (tx) => {
        await tx.rollbackProject(project, { revision: closed - 2 })
        await tx.update(source('six'))
      })
      expect([await valueOf(ns, 'source'), await valueOf(ns, 'follower')]).toEqual(['six', 'six'])
    })

    it('goes back where a follower did not follow yet, or was a template', async () => {
      const { ns } = await createShop(t.store)
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      const change = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
        t.store.write(api, { changeSet: { id: 'whole', last: true } }, work)
      await change(async (tx) => {
        await tx.create(secretOf(ns, 'source', { value: 'one' }))
        await tx.create(secretOf(ns, 'late', { value: '${SOURCE}', references: true }))
      })
      const follow = { valueFrom: { secretRef: { name: 'source' } }, scope: 'web' }
      await change((tx) => tx.update(secretOf(ns, 'late', follow)))
      await change((tx) => tx.update(secretOf(ns, 'source', { value: 'two' })))
      await change((tx) => tx.rollbackProject(project, { revision: 1 }))
      expect(await valueOf(ns, 'late')).toBe('one')
      expect((await t.store.get(refOfSecret(ns, 'late')))?.spec).toMatchObject({
        scope: 'global',
        valueFrom: follow.valueFrom,
      })
    })

    it('tells what a new secret meets: stagelets of the project, and whether env secrets are there', async () => {
      const { ns } = await createShop(t.store)
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      const look = () => t.store.projectSummary(project, 1)
      const places = async () => (await look()).withKey('X').map(({ scope }) => scope)
      expect(await look()).toMatchObject({ stagelets: [], envSecrets: 0, isDeclared: true })
      expect(await places()).toEqual([])
      for (const one of ['b', 'a']) await createAs(t.store, api, stageletOf(ns, one))
      for (const one of ['x', 'y', 'z'])
        await createAs(t.store, api, secretOf(ns, one, { value: canary }))
      expect(await look()).toMatchObject({
        stagelets: [{ metadata: { name: 'a' } }],
        envSecrets: 2,
      })
      expect(await places()).toEqual(['global'])
      const nowhere = await t.store.projectSummary({ ...project, name: 'none' }, 1)
      expect(nowhere).toMatchObject({ stagelets: [], envSecrets: 0, isDeclared: false })
    })

    it('refuses a value that is not of its format, however it comes in, and says why', async () => {
      const { ns } = await createShop(t.store)
      const place = { namespace: ns, project: 'shop', key: 'PORT', scope: 'global' }
      const sealedValue = sealValue(sealing.publicKey, place, Buffer.from(canary))
      for (const given of [{ value: canary }, { sealedValue }]) {
        const bad = createAs(t.store, api, secretOf(ns, 'port', { format: 'port', ...given }))
        expect(await refusal(bad)).toMatch(/it is not a port \(1 to 65535\) \(format: port\)/)
      }
      await createAs(t.store, api, secretOf(ns, 'port', { value: canary }))
      const later = updateAs(t.store, api, secretOf(ns, 'port', { format: 'integer' }))
      expect(await refusal(later)).toMatch(/not a whole number/)
    })

    it('tells scanners of drawn bytes alone, whatever the spec says now', async () => {
      const { ns } = await createShop(t.store)
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      const strengths = async (of: string): Promise<Record<number, string>> => {
        const { values } = await t.store.fingerprints(api, project, 'fingerprint')
        const its = values.filter(({ name }) => name === of)
        return Object.fromEntries(its.map((value) => [value.version, value.fingerprint.strength]))
      }
      const typed = 'Correct-Horse-Battery-Staple-2024'
      const drawn = secretOf(ns, 'pin', { valueFrom: { generate: {} } })
      await createAs(t.store, api, secretOf(ns, 'pin', { value: typed }))
      await updateAs(t.store, api, drawn)
      await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOfSecret(ns, 'pin'), 1))
      await t.store.write(api, {}, (tx) => tx.renewSecret(refOfSecret(ns, 'pin')))
      const follows = { valueFrom: { secretRef: { name: 'pin' } } }
      await createAs(t.store, api, secretOf(ns, 'follower', follows))
      await t.store.write(api, {}, (tx) => tx.rollbackSecret(refOfSecret(ns, 'pin'), 2))
      // Of versions with one value the newest is told.
      expect(await strengths('pin')).toEqual({ 3: 'weak', 4: 'strong', 5: 'strong' })
      await updateAs(t.store, api, secretOf(ns, 'pin', { scope: 'web' }))
      expect(await strengths('pin')).toEqual({ 3: 'weak', 4: 'strong', 6: 'strong' })
      expect(await strengths('follower')).toEqual({ 1: 'strong', 2: 'strong' })
    })
  })
}
