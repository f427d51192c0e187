// What the store promises of secrets that refer to others. On any database.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  refusalOf,
  secretOf,
  stageletOf,
  updateAs,
  type SteppedClock,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'r3ferr3d-canary'
const services = ['web', 'api', 'db']

export const referencesContract = (name: string, open: OpenStore): void => {
  describe(`references on ${name}`, () => {
    let t: TestStore
    let clock: SteppedClock
    beforeAll(async () => {
      clock = createSteppedClock()
      t = await open({ clock })
    })
    afterAll(() => t.destroy({ wasTampered: true }))

    const ref = (ns: string, secret: string): ObjectRef => refOf(secretOf(ns, secret))
    const put = (ns: string, secret: string, spec: object): Promise<KubeObject> =>
      createAs(t.store, api, secretOf(ns, secret, { ...spec }))
    const change = (ns: string, secret: string, spec: object): Promise<KubeObject> =>
      updateAs(t.store, api, secretOf(ns, secret, { ...spec }))
    const remove = (ns: string, ...names: string[]): Promise<unknown> =>
      t.store.write(api, {}, async (tx) => {
        for (const one of names) await tx.remove(ref(ns, one))
      })
    const closed = async (projectUid: string): Promise<number> => {
      clock.step(2_000)
      await t.store.closeDueRevisions(clock.now())
      return (await t.store.revisionsOf(projectUid)).closed
    }
    /** What an agent gets for `stagelet`, by key and scope. */
    const delivered = async (
      projectUid: string,
      stagelet = 'prod',
    ): Promise<Record<string, string>> => {
      const to = { stagelet, agent: 'team/box' }
      const set = await t.store.openSet(projectUid, await closed(projectUid), to)
      expect(set.every((entry) => entry.references === undefined)).toBe(true)
      return Object.fromEntries(set.map((e) => [`${e.scope}/${e.key}`, e.value.toString()]))
    }
    const digests = async (projectUid: string, stagelet = 'prod'): Promise<unknown[]> => {
      const entries = environmentSet(await t.store.readSet(projectUid, 'head'), stagelet)
      return services.map((service) => serviceDigest(visibleTo(service, stagelet, entries)))
    }
    const changed = (before: unknown[], after: unknown[]): string[] =>
      services.filter((_, i) => before[i] !== after[i])
    const refusal = (write: Promise<unknown>): Promise<string> => refusalOf(write, canary)
    const url = { references: true, scope: 'web', value: 'pg://app:${PASSWORD}@db/$${x}' }

    it('delivers the finished value, and text that merely looks like a reference as it is', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await put(ns, 'password', { value: 'one', scope: 'web' })
      const made = await put(ns, 'url', url)
      expect(made.status).toMatchObject({ version: 1, references: ['PASSWORD'] })
      await put(ns, 'plain', { value: 'pg://${PASSWORD}', scope: 'web' })
      expect(await delivered(projectUid)).toEqual({
        'web/PASSWORD': 'one',
        'web/URL': 'pg://app:one@db/${x}',
        'web/PLAIN': 'pg://${PASSWORD}',
      })
      // An agent judges by the same digest as the controller, without knowing of references.
      const entries = environmentSet(await t.store.readSet(projectUid, 'head'), 'prod')
      const opened = await t.store.openSet(projectUid, 1, { stagelet: 'prod', agent: 'a' })
      expect(serviceDigest(visibleTo('web', 'prod', opened))).toBe(
        serviceDigest(visibleTo('web', 'prod', entries)),
      )
    })

    it('changes the digest of exactly the services that see the value or who refers to it', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await put(ns, 'password', { value: 'one', scope: 'db' })
      await put(ns, 'other', { value: 'other' })
      await put(ns, 'url', { references: true, scope: 'web', value: 'pg://${db/PASSWORD}@db' })
      await put(ns, 'chain', { references: true, scope: 'web', value: '${URL}?ssl' })
      const before = await digests(projectUid)
      await change(ns, 'password', { value: 'two', scope: 'db' })
      expect(changed(before, await digests(projectUid))).toEqual(['web', 'db'])
      expect(await delivered(projectUid)).toMatchObject({ 'web/CHAIN': 'pg://two@db?ssl' })
      expect((await t.store.get(ref(ns, 'url')))?.status).toMatchObject({ version: 1 })
      await change(ns, 'password', { value: 'one', scope: 'db' })
      expect(await digests(projectUid)).toEqual(before)
      await change(ns, 'other', { value: 'more' })
      expect(changed(before, await digests(projectUid))).toEqual(services)
    })

    it('gives a stagelet its own value in a text that the project shares', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await put(ns, 'password', { value: 'production' })
      await put(ns, 'url', { ...url, value: '${PASSWORD}@db' })
      const prod = await digests(projectUid)
      await put(ns, 'own', { key: 'PASSWORD', value: 'preview', stageletRef: { name: 'pr-1' } })
      expect(await digests(projectUid)).toEqual(prod)
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': 'production@db' })
      expect(await delivered(projectUid, 'pr-1')).toMatchObject({ 'web/URL': 'preview@db' })
      await remove(ns, 'own')
      expect(await delivered(projectUid, 'pr-1')).toMatchObject({ 'web/URL': 'production@db' })
    })

    it('refuses what points nowhere or in a circle, whatever makes it so', async () => {
      const { ns, projectUid } = await createShop(t.store)
      expect(await refusal(put(ns, 'url', url))).toMatch(
        /spec.value: Invalid value: it refers to \$\{PASSWORD\}, and no secret with a value has that key in scope "web" or "global"/,
      )
      await put(ns, 'password', { value: 'one', scope: 'api' })
      expect(await refusal(put(ns, 'url', url))).toMatch(/it refers to \$\{PASSWORD\}/)
      await change(ns, 'password', { value: 'one', scope: 'web' })
      await put(ns, 'url', url)
      for (const harm of [
        () => remove(ns, 'password'),
        () => change(ns, 'password', { value: 'one', scope: 'api' }),
      ])
        expect(await refusal(harm())).toMatch(/"url" would break: it refers to \$\{PASSWORD\}/)
      const circle = change(ns, 'password', { references: true, scope: 'web', value: '${URL}' })
      expect(await refusal(circle)).toMatch(
        /circle: "password" to "url" to "password"|circle: "url" to "password" to "url"/,
      )
      const self = { references: true, scope: 'web', value: '${SELF}' }
      expect(await refusal(put(ns, 'self', self))).toMatch(/circle: "self" to "self"/)
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': 'pg://app:one@db/${x}' })
      await remove(ns, 'password', 'url')
    })

    it('takes secrets in any order within one write', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await t.store.write(api, {}, async (tx) => {
        await tx.create(secretOf(ns, 'url', url))
        await tx.create(secretOf(ns, 'password', { value: 'one' }))
      })
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': 'pg://app:one@db/${x}' })
      await t.store.write(api, {}, (tx) => tx.rollbackProject(projectRef(ns), { revision: 0 }))
      await t.store.write(api, {}, (tx) => tx.rollbackProject(projectRef(ns), { revision: 1 }))
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': 'pg://app:one@db/${x}' })
    })

    it('checks the finished value: format, size, what an environment may hold', async () => {
      const { ns } = await createShop(t.store)
      await put(ns, 'port', { value: '80' })
      const both = { references: true, format: 'port', value: '${PORT}80' }
      await put(ns, 'both', both)
      expect(await refusal(change(ns, 'port', { value: canary }))).toMatch(
        /"both" would break: with what it refers to: .*not a port/,
      )
      expect(await refusal(put(ns, 'bad', { ...both, value: `${canary}\${PORT}` }))).toMatch(/port/)
      await put(ns, 'file', { type: 'file', file: { target: '/f' }, valueBase64: 'AAE=' })
      const env = { references: true, value: '${FILE}' }
      expect(await refusal(put(ns, 'env', env))).toMatch(/NUL byte/)
      await put(ns, 'big', { value: 'x'.repeat(100_000) })
      const twice = { references: true, value: '${BIG}${BIG}' }
      expect(await refusal(put(ns, 'twice', twice))).toMatch(/Too long/)
      for (const value of ['${', '${A:-b}', '${ A }', '${1A}', '${a/b/c}'])
        expect(await refusal(put(ns, 'syntax', { references: true, value }))).toMatch(
          /is no reference: write \$\{KEY\} or \$\{service\/KEY\}; \$\$\{ is a literal/,
        )
    })

    it('keeps a template a template: in history, in deleted secrets, and where others follow', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await put(ns, 'password', { value: 'one' })
      await put(ns, 'url', url)
      const plain = await change(ns, 'url', { scope: 'web', value: url.value })
      expect(plain.status).toMatchObject({ version: 2 })
      expect(plain.status).not.toHaveProperty('references')
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': url.value })
      await t.store.write(api, {}, (tx) => tx.rollbackSecret(ref(ns, 'url'), 1))
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': 'pg://app:one@db/${x}' })
      await remove(ns, 'url')
      const [gone] = await t.store.deletedSecrets(projectUid)
      await t.store.write(api, {}, (tx) => tx.restoreSecret(projectRef(ns), gone!.secretId))
      expect(await delivered(projectUid)).toMatchObject({ 'web/URL': 'pg://app:one@db/${x}' })
      const follow = { valueFrom: { secretRef: { name: 'url' } } }
      expect(await refusal(put(ns, 'follower', follow))).toMatch(/refer to it \(references: true\)/)
      await put(ns, 'other', { valueFrom: { secretRef: { name: 'password' } } })
      const late = change(ns, 'password', { references: true, value: 'x${NONE}' })
      expect(await refusal(late)).toMatch(/"other" takes its value from this one/)
      const both = { references: true, valueFrom: { generate: {} } }
      expect(await refusal(put(ns, 'both', both))).toMatch(
        /references goes with a value that is written/,
      )
    })

    it('moves the conditions of who refers, in the transaction of what it refers to', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await put(ns, 'password', { value: 'one', scope: 'db' })
      await put(ns, 'url', { references: true, scope: 'web', value: '${db/PASSWORD}' })
      for (const [stagelet, service] of [
        ['seer', 'web'],
        ['blind', 'api'],
      ] as const) {
        await createAs(t.store, api, stageletOf(ns, stagelet))
        await t.store.write({ name: 'c', source: 'system', authority: 'whole' }, {}, async (tx) => {
          const object = (await tx.get(refOf(stageletOf(ns, stagelet))))!
          const inSync = { type: 'SecretsInSync', status: 'True', reason: 'InSync', message: '' }
          const conditions = [{ ...inSync, lastTransitionTime: '2026-01-01T00:00:00Z' }]
          await tx.setStatus({
            ...object,
            status: { services: [{ name: service, state: 'running', restarts: 0 }], conditions },
          })
        })
      }
      await t.store.write({ name: 'c', source: 'system', authority: 'whole' }, {}, (tx) =>
        tx.setConditions(ref(ns, 'url'), [
          { type: 'InSync', status: 'True', reason: 'InSync', message: '' },
        ]),
      )
      await closed(projectUid)
      await change(ns, 'password', { value: 'two', scope: 'db' })
      const of = async (object: ObjectRef, type: string): Promise<unknown> => {
        const { status } = (await t.store.get(object))!
        return findCondition(status?.['conditions'] as Condition[], type)?.reason
      }
      expect(await of(refOf(stageletOf(ns, 'seer')), 'SecretsInSync')).toBe('NewRevision')
      expect(await of(refOf(stageletOf(ns, 'blind')), 'SecretsInSync')).toBe('InSync')
      expect(await of(ref(ns, 'url'), 'InSync')).toBe('NewReferredValue')
    })

    it('opens for a write what it concerns, and nothing else of the project', async () => {
      const { ns } = await createShop(t.store)
      await put(ns, 'password', { value: 'one', scope: 'web' })
      await put(ns, 'url', url)
      await put(ns, 'other-password', { value: 'one', scope: 'api' })
      const value = 'pg://${OTHER_PASSWORD}@db'
      const other = await put(ns, 'other-url', { references: true, scope: 'api', value })
      const broken = `UPDATE secret_versions SET sealed = 'no seal' WHERE secret_uid = $1`
      await t.sql.query(broken, [other.metadata.uid])
      await change(ns, 'password', { value: 'two', scope: 'web' })
      const spec = { value: 'two', scope: 'api' }
      await expect(change(ns, 'other-password', spec)).rejects.toThrow()
    })

    it('reads values with what they refer to, and notes each of them in the audit', async () => {
      const { ns } = await createShop(t.store)
      await put(ns, 'password', { value: canary })
      await put(ns, 'url', { ...url, value: '${PASSWORD}@db' })
      const read = async (asWritten: boolean): Promise<string> =>
        (await t.store.revealSecret(api, ref(ns, 'url'), { asWritten })).value.toString()
      const audited = (): Promise<{ name: string }[]> =>
        t.sql.query<{ name: string }>(
          `SELECT name FROM audit WHERE action = 'reveal' AND namespace = $1 ORDER BY id`,
          [ns],
        )
      expect(await read(true)).toBe('${PASSWORD}@db')
      expect(await audited()).toEqual([{ name: 'url' }])
      expect(await read(false)).toBe(`${canary}@db`)
      expect((await audited()).map((row) => row.name).sort()).toEqual(['password', 'url', 'url'])
    })

    it('delivers nothing where the opt-in was taken out of the database', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await put(ns, 'password', { value: 'one' })
      await put(ns, 'url', url)
      await closed(projectUid)
      await t.sql.query('UPDATE secret_versions SET refs = NULL WHERE project_uid = $1', [
        projectUid,
      ])
      const to = { stagelet: 'prod', agent: 'a' }
      await expect(t.store.openSet(projectUid, 1, to)).rejects.toThrow(/does not match its MAC/)
    })
  })
}

const projectRef = (namespace: string): ObjectRef => ({ kind: 'Project', namespace, name: 'shop' })
