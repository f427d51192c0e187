// What the store promises of secrets that come before their project, and stay when it goes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Condition } from '../../../src/resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  refusalOf,
  secretOf,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'c4n4ry-value-never-in-the-clear'
const delivery = { stagelet: 'prod', agent: 'box' }

export const orderContract = (name: string, open: OpenStore): void => {
  describe(`secrets without their project on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    const close = async (): Promise<void> => {
      clock.step(10_000)
      await t.store.closeDueRevisions(clock.now())
    }
    const conditionOf = (object: KubeObject, type: string): Condition | undefined =>
      (object.status?.['conditions'] as Condition[]).find((c) => c.type === type)
    const shop = (ns: string): ObjectRef => ({ kind: 'Project', namespace: ns, name: 'shop' })
    const removeShop = (ns: string): Promise<unknown> =>
      t.store.write(api, {}, (tx) => tx.remove(shop(ns)))
    const rowsOf = async (projectUid: string): Promise<number[]> => {
      const counts: number[] = []
      for (const table of ['data_keys', 'secret_versions', 'revisions']) {
        const sql = `SELECT 1 FROM ${table} WHERE project_uid = $1`
        counts.push((await t.sql.query(sql, [projectUid])).length)
      }
      return counts
    }
    const namespaceAlone = async (): Promise<string> => {
      const { ns } = await createShop(t.store)
      await removeShop(ns)
      return ns
    }

    it('are stored, say so, and are taken up by the Project when it comes', async () => {
      const ns = await namespaceAlone()
      const made = await createAs(t.store, api, secretOf(ns, 'db', { value: canary }))
      expect(conditionOf(made, 'Accepted')).toMatchObject({ reason: 'ProjectMissing' })
      expect(conditionOf(made, 'InSync')).toMatchObject({ status: 'False' })
      await close()
      expect(await t.store.get(shop(ns))).toBeUndefined()
      const project = await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      expect(project.status).toEqual({ revision: 1 })
      const opened = await t.store.openSet(project.metadata.uid!, 1, delivery)
      expect(opened.map(({ value }) => value.toString())).toEqual([canary])
      const [{ sealed } = {}] = await t.sql.query<{ sealed: string }>(
        "SELECT sealed FROM secret_versions WHERE name = 'db' AND project_uid = $1",
        [project.metadata.uid],
      )
      expect(sealed).not.toContain(canary)
    })

    it('keep their rules among each other', async () => {
      const ns = await namespaceAlone()
      await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      const twin = createAs(t.store, api, secretOf(ns, 'b', { key: 'A', value: canary }))
      expect(await refusalOf(twin, canary)).toMatch(
        /secret "a" of project "shop" has this key and scope already/,
      )
      const refers = { references: true, value: 'x-${A}' }
      await createAs(t.store, api, secretOf(ns, 'c', refers))
      const follows = { valueFrom: { secretRef: { name: 'a' } } }
      expect(await createAs(t.store, api, secretOf(ns, 'd', follows))).toMatchObject({
        status: { version: 1 },
      })
      const dry = secretOf(ns, 'dry', { projectRef: { name: 'tried' }, value: '1' })
      await t.store.write(api, { dryRun: true }, (tx) => tx.create(dry))
      expect(await t.sql.query("SELECT 1 FROM projects WHERE name = 'tried'")).toEqual([])
      const project = await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      await close()
      const opened = await t.store.openSet(project.metadata.uid!, 1, delivery)
      const values = opened.map(({ key, value }) => `${key}=${value.toString()}`)
      expect(values.sort()).toEqual(['A=1', 'C=x-1', 'D=1'])
    })

    it('stay when it is deleted, with their history', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const secret = await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      await close()
      await removeShop(ns)
      expect(await t.store.get(refOf(secret))).toBeDefined()
      await t.store.write(api, {}, (tx) => tx.remove(refOf(secret)))
      await close()
      const again = await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      expect(again.metadata.uid).toBe(projectUid)
      await t.store.write(api, {}, (tx) => tx.restoreSecret(shop(ns), secret.metadata.uid!))
      expect((await t.store.readSet(projectUid, 'head')).entries).toMatchObject([{ version: 2 }])
    })

    it('leave nothing behind when the last of them is gone for good', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const secret = await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      await close()
      await removeShop(ns)
      await t.store.write(api, {}, (tx) => tx.remove(refOf(secret)))
      await t.store.compact(clock.now())
      expect(await rowsOf(projectUid)).toEqual([1, 1, 1])
      clock.step(8 * 86_400_000)
      await t.store.compact(clock.now())
      expect(await rowsOf(projectUid)).toEqual([0, 0, 0])
      const again = await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      expect(again.metadata.uid).not.toBe(projectUid)
    })

    it('go with the project where that is asked for, at once or with their grace time', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const secret = await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      await close()
      const shop = { kind: 'Project', namespace: ns, name: 'shop' }
      await t.store.write(api, {}, (tx) => tx.removeProject(shop, { erase: false }))
      expect((await t.store.list('StagelySecret', { namespace: ns })).items).toEqual([])
      await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      await t.store.write(api, {}, (tx) => tx.restoreSecret(shop, secret.metadata.uid!))
      await t.store.write(api, {}, (tx) => tx.removeProject(shop, { erase: true }))
      expect((await t.store.list('StagelySecret', { namespace: ns })).items).toEqual([])
      for (const table of ['data_keys', 'secret_versions', 'revisions']) {
        expect(
          await t.sql.query(`SELECT 1 FROM ${table} WHERE project_uid = $1`, [projectUid]),
        ).toEqual([])
      }
      await expect(t.store.readSet(projectUid, 'head')).rejects.toMatchObject({
        reason: 'NotFound',
      })
      const again = await createAs(t.store, api, objectOf('Project', ns, 'shop'))
      await createAs(t.store, api, secretOf(ns, 'a', { value: '2' }))
      expect((await t.store.readSet(again.metadata.uid!, 'head')).entries).toMatchObject([
        { version: 1 },
      ])
    })
  })
}
