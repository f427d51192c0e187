// What the store promises of secrets for the controller alone. On any database.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject, ObjectRef } from '../../../src/resources/meta.ts'
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
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import { sealForTest } from './store-values.contract.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'r00t-credential-canary'

export const audienceContract = (name: string, open: OpenStore): void => {
  describe(`secrets for the controller on ${name}`, () => {
    let t: TestStore
    const clock = createSteppedClock()
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    const hidden = { audience: 'Controller', value: canary }
    const refOfSecret = (namespace: string, secret: string): ObjectRef => ({
      kind: 'StagelySecret',
      namespace,
      name: secret,
    })
    const create = (ns: string, secret: string, spec: object): Promise<KubeObject> =>
      createAs(t.store, api, secretOf(ns, secret, { ...spec }))
    const update = (ns: string, secret: string, spec: object): Promise<KubeObject> =>
      updateAs(t.store, api, secretOf(ns, secret, { ...spec }))
    const closed = async (projectUid: string): Promise<number> => {
      clock.step(60_000)
      await t.store.closeDueRevisions(clock.now())
      return (await t.store.revisionsOf(projectUid)).closed
    }
    const refusal = (write: Promise<unknown>): Promise<string> => refusalOf(write, canary)

    it('gives such a value to no service and no agent, moves no digest, and lets a stagelet stay in sync', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const prod = await createAs(t.store, api, stageletOf(ns, 'prod'))
      await create(ns, 'app', { value: 'for-all' })
      await closed(projectUid)
      const inSync = { type: 'SecretsInSync', status: 'True', reason: 'InSync', message: '' }
      const status = { conditions: [{ ...inSync, lastTransitionTime: '2026-01-01T00:00:00Z' }] }
      await t.store.write(system, {}, (tx) => tx.setStatus({ ...prod, status }))
      const digest = async (): Promise<string | undefined> => {
        const entries = environmentSet(await t.store.readSet(projectUid, 'head'), 'prod')
        return serviceDigest(visibleTo('web', 'prod', entries))
      }
      const before = await digest()
      const made = await create(ns, 'root', hidden)
      expect(await digest()).toBe(before)
      const after = await t.store.get({ kind: 'Stagelet', namespace: ns, name: 'prod' })
      const conditions = after?.status?.['conditions'] as Condition[]
      expect(findCondition(conditions, 'SecretsInSync')?.status).toBe('True')
      expect(made.status).toMatchObject({ version: 1, serviceCount: 0, services: [] })
      const own = made.status?.['conditions'] as Condition[]
      expect(findCondition(own, 'InSync')).toMatchObject({
        status: 'True',
        reason: 'ForController',
      })

      const revision = await closed(projectUid)
      const delivery = { stagelet: 'prod', agent: `${ns}/box` }
      const delivered = await t.store.openSet(projectUid, revision, delivery)
      expect(delivered.map(({ key, value }) => `${key}=${value.toString()}`)).toEqual([
        'APP=for-all',
      ])
      expect((await t.store.revealSecret(api, refOfSecret(ns, 'root'))).value.toString()).toBe(
        canary,
      )
      expect(await t.store.versionsOf(made.metadata.uid!)).toMatchObject([
        { version: 1, audience: 'Controller' },
      ])
    })

    it('refuses all that says which service sees it, with all faults at once', async () => {
      const { ns } = await createShop(t.store)
      const placed = {
        ...hidden,
        scope: 'web',
        stageletRef: { name: 'prod' },
        type: 'file',
        file: { path: './x' },
        references: true,
      }
      const refused = await createAs(t.store, api, secretOf(ns, 'root', placed)).catch(
        (error: unknown) => error,
      )
      const { faults } = (refused as { details: { faults: { field: string }[] } }).details
      expect(faults.map(({ field }) => field).sort()).toEqual([
        'spec.references',
        'spec.scope',
        'spec.stageletRef',
        'spec.type',
      ])
      expect(await refusal(create(ns, 'root', { ...hidden, audience: 'Agents' }))).toContain(
        'spec.audience',
      )
    })

    it('lets no other secret take the value, by a reference or by following', async () => {
      const { ns } = await createShop(t.store)
      await create(ns, 'root', hidden)
      const url = { references: true, value: 'db://${ROOT}' }
      expect(await refusal(create(ns, 'url', url))).toMatch(
        /refers to \$\{ROOT\}: .*controller alone/,
      )
      const follower = { valueFrom: { secretRef: { name: 'root' } } }
      expect(await refusal(create(ns, 'copy', follower))).toContain('for the controller alone')
      await create(ns, 'open', { value: 'x' })
      await create(ns, 'url', { references: true, value: '${OPEN}' })
      expect(await refusal(update(ns, 'open', { audience: 'Controller' }))).toContain(
        'secret "url" would break',
      )
      await create(ns, 'source', { value: 'x' })
      await create(ns, 'copy', { valueFrom: { secretRef: { name: 'source' } } })
      expect(await refusal(update(ns, 'source', { audience: 'Controller' }))).toMatch(
        /secret "copy" takes its value from this one/,
      )
    })

    it('never gives to services what was given for the controller, not by an edit and not by going back', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await create(ns, 'empty', { audience: 'Controller' })
      await update(ns, 'empty', { audience: 'Services' })
      await create(ns, 'key', { value: 'public' })
      const first = await closed(projectUid)
      await update(ns, 'key', { ...hidden })
      const second = await closed(projectUid)
      for (const spec of [{}, { value: 'new' }, { audience: 'Services', scope: 'web' }])
        expect(await refusal(update(ns, 'key', spec))).toMatch(/spec.audience: .*make a new secret/)
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      const back = (revision: number): Promise<unknown> =>
        t.store.write(api, {}, (tx) => tx.rollbackProject(project, { revision }))
      expect(await refusal(back(first))).toContain('spec.audience')
      await t.store.write(api, {}, (tx) => tx.remove(refOfSecret(ns, 'key')))
      await back(second)
      expect((await t.store.get(refOfSecret(ns, 'key')))?.spec).toMatchObject({
        audience: 'Controller',
      })
      await t.store.write(api, {}, (tx) => tx.remove(refOfSecret(ns, 'key')))
      await back(first)
      expect((await t.store.get(refOfSecret(ns, 'key')))?.spec).not.toHaveProperty('audience')
      const rollback = t.store.write(api, {}, (tx) => tx.rollbackSecret(refOfSecret(ns, 'key'), 2))
      expect(await refusal(rollback)).toContain('spec.audience')
    })

    it('opens a sealed value for the audience alone that it was sealed for', async () => {
      const { ns } = await createShop(t.store)
      const sealed = (stagelet?: string): string => {
        const place = { namespace: ns, project: 'shop', key: 'HOOK', scope: 'global', stagelet }
        return sealForTest(place, canary)
      }
      const audience = 'Controller'
      expect(await refusal(create(ns, 'hook', { audience, sealedValue: sealed() }))).toContain(
        'does not open here',
      )
      const forIt = sealed('@controller')
      expect(await refusal(create(ns, 'hook', { sealedValue: forIt }))).toContain(
        'does not open here',
      )
      await create(ns, 'hook', { audience, sealedValue: forIt })
    })
  })
}
