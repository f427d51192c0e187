// What the store promises of secrets, whatever database is below.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { defaultRetention } from '../../../src/store/compaction.ts'
import type { Condition } from '../../../src/resources/conditions.ts'
import { ProjectKeyCache } from '../../../src/secrets/project-keys.ts'
import { loadState } from '../../../src/store/log/load.ts'
import { headIn } from '../../../src/store/objects/reads.ts'
import { localKeyRing } from '../../support/keys.ts'
import { testMasterKey, type TestStore } from '../../support/databases/open-test-store.ts'
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
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'c4n4ry-value-never-in-the-clear'
const delivery = { stagelet: 'prod', agent: 'box' }

export const secretsContract = (name: string, open: OpenStore): void => {
  describe(`secrets on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy({ wasTampered: true }))
    const keys = new ProjectKeyCache(localKeyRing(testMasterKey, { clock }), { clock })

    const close = async (): Promise<void> => {
      clock.step(10_000)
      await t.store.closeDueRevisions(clock.now())
    }
    const openValues = async (
      projectUid: string,
      revision: number,
    ): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await t.store.openSet(projectUid, revision, delivery)).map((e) => [
          e.key,
          e.value.toString(),
        ]),
      )
    const refuse = async (
      write: Promise<unknown>,
      field: string,
      message: RegExp,
    ): Promise<void> => {
      const error = (await write.catch((e: unknown) => e)) as { details: { faults: object[] } }
      expect(error).toMatchObject({ reason: 'Invalid' })
      expect(error.details.faults).toMatchObject([{ field }])
      expect(JSON.stringify(error.details.faults)).toMatch(message)
      expect(JSON.stringify(error)).not.toContain(canary)
    }
    const conditionOf = (object: KubeObject | undefined, type: string): Condition | undefined =>
      (object?.status?.conditions as Condition[] | undefined)?.find((c) => c.type === type)

    it('takes the value in and never shows it again', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const object = secretOf(ns, 'db', { value: canary })
      const manifest = { ...object, spec: { ...object.spec, valueBase64: canary } }
      object.metadata.annotations = { [annotations.lastApplied]: `${JSON.stringify(manifest)}\n` }
      const created = await createAs(t.store, api, object)
      expect(JSON.stringify(created)).not.toContain(canary)
      expect(JSON.parse(created.metadata.annotations![annotations.lastApplied]!)).toMatchObject({
        kind: 'StagelySecret',
        spec: { key: 'DB', projectRef: { name: 'shop' } },
      })
      expect(created.status).toMatchObject({ version: 1, bytes: canary.length, updatedBy: 'alice' })
      expect(conditionOf(created, 'Accepted')).toMatchObject({ status: 'True' })
      await close()
      expect(await openValues(projectUid, 1)).toEqual({ DB: canary })
    })

    it('drops a last-applied annotation that cannot be read', async () => {
      const { ns } = await createShop(t.store)
      const object = secretOf(ns, 'db', { value: canary })
      object.metadata.annotations = { [annotations.lastApplied]: `{"spec": {"value": "${canary}"` }
      const created = await createAs(t.store, api, object)
      expect(created.metadata.annotations).toEqual({ [annotations.source]: 'api' })
    })

    it('holds no plaintext in any table', async () => {
      const { ns } = await createShop(t.store)
      const object = secretOf(ns, 'db', { value: canary })
      object.metadata.annotations = { [annotations.lastApplied]: JSON.stringify(object) }
      const made = await createAs(t.store, api, object)
      await updateAs(t.store, api, { ...made, spec: { ...made.spec, value: `${canary}2` } })
      await createAs(t.store, api, secretOf(ns, 'bad', { value: `${canary}\0` })).catch(
        () => undefined,
      )
      await close()
      const tables = await t.sql.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
      )
      expect(tables.length).toBeGreaterThan(12)
      for (const { name: table } of tables) {
        const rows = await t.sql.query(`SELECT row_to_json(x)::text AS line FROM ${table} x`)
        const text = JSON.stringify(rows)
        expect(text).not.toContain(canary)
        expect(text).not.toContain(Buffer.from(canary).toString('base64').slice(0, 30))
        expect(text).not.toContain(Buffer.from(canary).toString('hex'))
      }
    })

    it('makes no version of an equal value, and keeps the value where none is given', async () => {
      const { ns } = await createShop(t.store)
      const created = await createAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      const version = await t.store.currentVersion()
      expect(await updateAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))).toEqual(created)
      const base64 = { valueBase64: Buffer.from('one').toString('base64') }
      expect(await updateAs(t.store, api, secretOf(ns, 'db', base64))).toEqual(created)
      expect(await updateAs(t.store, api, secretOf(ns, 'db'))).toEqual(created)
      expect(await t.store.currentVersion()).toBe(version)
      const changed = await updateAs(t.store, api, secretOf(ns, 'db', { value: 'two' }))
      expect(changed.metadata.generation).toBe(2)
      expect(changed.status).toMatchObject({ version: 2 })
    })

    it('gives an old value its old digest again, as a new version', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      const [first] = (await t.store.readSet(projectUid, 'head')).entries
      await updateAs(t.store, api, secretOf(ns, 'db', { value: 'two' }))
      await updateAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      const [third] = (await t.store.readSet(projectUid, 'head')).entries
      expect(third).toEqual({ ...first, version: 3 })
    })

    it('seals again, as a new version, for a new scope, stagelet, type or file', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
      const places = [
        { scope: 'backend' },
        { scope: 'backend', stageletRef: { name: 'prod' } },
        { scope: 'backend', type: 'file', file: { path: './a.json' } },
        { scope: 'backend', type: 'file', file: { path: './a.json', mode: '0400' } },
      ]
      for (const [i, place] of places.entries()) {
        const moved = await updateAs(t.store, api, secretOf(ns, 'db', place))
        expect(moved.status).toMatchObject({ version: i + 2 })
      }
      await close()
      const opened = await t.store.openSet(projectUid, 1, delivery)
      expect(opened).toMatchObject([{ version: 5, type: 'file', file: { mode: '0400' } }])
      expect(opened[0]?.value.toString()).toBe('one')
    })

    it('checks the stored value when its type changes', async () => {
      const { ns } = await createShop(t.store)
      const file = { type: 'file', file: { path: './a' }, valueBase64: '//79AA==' }
      await createAs(t.store, api, secretOf(ns, 'db', file))
      await refuse(updateAs(t.store, api, secretOf(ns, 'db')), 'spec.value', /NUL/)
    })

    it('says that a value is missing until one was given', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const created = await createAs(t.store, api, secretOf(ns, 'db'))
      expect(conditionOf(created, 'Accepted')).toMatchObject({
        status: 'False',
        reason: 'ValueMissing',
      })
      expect((await t.store.readSet(projectUid, 'head')).entries).toEqual([])
      const given = await updateAs(t.store, api, secretOf(ns, 'db', { value: '' }))
      expect(conditionOf(given, 'Accepted')).toMatchObject({ status: 'True' })
      expect(given.status).toMatchObject({ version: 1, bytes: 0 })
    })

    it('refuses what does not fit its project', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, objectOf('Project', ns, 'other'))
      const value = { value: canary }
      await createAs(t.store, api, secretOf(ns, 'db', value))
      await refuse(
        createAs(t.store, api, secretOf(ns, 'db-2', { ...value, key: 'DB' })),
        'spec.key',
        /secret \\"db\\" of project \\"shop\\" has this key and scope already/,
      )
      await createAs(t.store, api, secretOf(ns, 'db-3', { key: 'DB', scope: 'web', ...value }))
      await refuse(
        updateAs(t.store, api, secretOf(ns, 'db-3', { key: 'DB' })),
        'spec.key',
        /secret \\"db\\"/,
      )
      await refuse(
        updateAs(t.store, api, secretOf(ns, 'db', { ...value, key: 'OTHER' })),
        'spec.key',
        /immutable; delete the secret and create it anew/,
      )
      await refuse(
        updateAs(t.store, api, secretOf(ns, 'db', { ...value, projectRef: { name: 'other' } })),
        'spec.projectRef.name',
        /immutable/,
      )
    })

    it('refuses two files in one place for one service', async () => {
      const { ns } = await createShop(t.store)
      const file = (scope: string, path: string, more = {}) => ({
        type: 'file',
        scope,
        file: { path },
        value: 'v',
        ...more,
      })
      await createAs(t.store, api, secretOf(ns, 'a', file('web', './x.json')))
      await refuse(
        createAs(t.store, api, secretOf(ns, 'b', file('global', 'x.json'))),
        'spec.file.path',
        /secret \\"a\\" is placed there already/,
      )
      await createAs(t.store, api, secretOf(ns, 'c', file('db', './x.json')))
      await refuse(
        createAs(t.store, api, secretOf(ns, 'b', file('web', './x/../x.json/'))),
        'spec.file.path',
        /secret \\"a\\" is placed there already/,
      )
      const pointed = { target: '/e', envVar: 'E_FILE' }
      await createAs(t.store, api, secretOf(ns, 'e', { ...file('web', ''), file: pointed }))
      await refuse(
        createAs(
          t.store,
          api,
          secretOf(ns, 'f', { ...file('web', ''), file: { ...pointed, target: '/f' } }),
        ),
        'spec.file.envVar',
        /secret \\"e\\" is placed there already/,
      )
      // Of one key, precedence chooses.
      await createAs(
        t.store,
        api,
        secretOf(ns, 'a2', file('web', './x.json', { key: 'A', stageletRef: { name: 'prod' } })),
      )
    })

    it('lets only the owner change a value', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, folder, secretOf(ns, 'db', { value: 'one' }))
      await expect(updateAs(t.store, api, secretOf(ns, 'db', { value: 'two' }))).rejects.toThrow(
        /owned by folder:/,
      )
      await updateAs(t.store, api, secretOf(ns, 'db', { value: 'one' }))
    })

    it('resets SecretsInSync, in the same write, of exactly the stagelets that see the secret', async () => {
      const { ns } = await createShop(t.store)
      await createAs(t.store, api, objectOf('Project', ns, 'other'))
      const stagelets = ['web-only', 'with-db', 'unknown', 'foreign']
      await t.store.write(api, {}, async (tx) => {
        for (const n of stagelets) {
          const object = stageletOf(ns, n)
          if (n === 'foreign') object.spec!.projectRef = { name: 'other' }
          await tx.create(object)
        }
      })
      const services = {
        'web-only': ['web'],
        'with-db': ['web', 'db'],
        unknown: undefined,
        foreign: ['db'],
      }
      const setTrue = (): Promise<void> =>
        t.store.write(system, {}, async (tx) => {
          for (const [n, names] of Object.entries(services)) {
            const ref = { kind: 'Stagelet', namespace: ns, name: n }
            const object = (await tx.get(ref))!
            const status = names === undefined ? {} : { services: names.map((s) => ({ name: s })) }
            await tx.setStatus({ ...object, status })
            await tx.setConditions(ref, [
              {
                type: 'SecretsInSync',
                status: 'True',
                reason: 'InSync',
                message: '',
                observedGeneration: 1,
              },
            ])
          }
        })
      const reset = async (): Promise<string[]> =>
        (await t.store.list('Stagelet', { namespace: ns })).items
          .filter((s) => conditionOf(s, 'SecretsInSync')?.reason === 'NewRevision')
          .map((s) => s.metadata.name)

      await setTrue()
      await createAs(t.store, api, secretOf(ns, 'g', { value: '1' }))
      expect(await reset()).toEqual(['unknown', 'web-only', 'with-db'])
      await setTrue()
      await createAs(t.store, api, secretOf(ns, 'd', { value: '1', scope: 'db' }))
      expect(await reset()).toEqual(['unknown', 'with-db'])
      await setTrue()
      await updateAs(t.store, api, secretOf(ns, 'd', { scope: 'db' }))
      expect(await reset()).toEqual([])
      await updateAs(t.store, api, secretOf(ns, 'd', { scope: 'web' })) // db loses it, web gets it
      expect(await reset()).toEqual(['unknown', 'web-only', 'with-db'])
      await setTrue()
      await createAs(
        t.store,
        api,
        secretOf(ns, 'own', { value: '1', stageletRef: { name: 'web-only' } }),
      )
      expect(await reset()).toEqual(['web-only'])
      await setTrue()
      await t.store.write(api, {}, (tx) =>
        tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'g' }),
      )
      expect(await reset()).toEqual(['unknown', 'web-only', 'with-db'])
    })

    it('closes a revision 300 ms after the last write, 2 s after the first at most', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const closesIn = async (): Promise<number | undefined> => {
        const { closesAt } = await t.store.revisionsOf(projectUid)
        return closesAt === undefined ? undefined : closesAt - clock.now()
      }
      expect(await closesIn()).toBeUndefined()
      for (let i = 0; i < 9; i++) {
        const value = { value: String(i) }
        if (i === 0) await createAs(t.store, api, secretOf(ns, 'db', value))
        else await updateAs(t.store, api, secretOf(ns, 'db', value))
        expect(await closesIn()).toBe(Math.min(300, 2000 - i * 200))
        clock.step(200)
        await t.store.closeDueRevisions(clock.now())
        expect((await t.store.revisionsOf(projectUid)).closed).toBe(0)
      }
      const due = await t.store.closeDueRevisions(clock.now())
      expect(due).toBe((await t.store.revisionsOf(projectUid)).closesAt)
      clock.step(200)
      await t.store.closeDueRevisions(clock.now())
      expect(await t.store.revisionsOf(projectUid)).toEqual({
        epoch: 1,
        closed: 1,
        closesAt: undefined,
        quietAt: expect.any(Number) as number,
      })
      expect(await t.store.get({ kind: 'Project', namespace: ns, name: 'shop' })).toMatchObject({
        status: { revision: 1, secrets: 1 },
      })
    })

    it('goes on from the revision that was closed between two writes of one transaction', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'a', { value: 'a' }))
      clock.step(10_000)
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => (release = resolve))
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200))
      // All that comes while this one is open shares the next transaction, in the order in which it came.
      const first = t.store.write(api, {}, () => held)
      await pause()
      const second = createAs(t.store, api, secretOf(ns, 'b', { value: 'b' }))
      const closing = t.store.closeDueRevisions(clock.now())
      await pause()
      const third = createAs(t.store, api, secretOf(ns, 'c', { value: 'c' }))
      release()
      await Promise.all([first, second, closing, third])
      for (let i = 0; i < 2; i++) await close()
      const { closed, closesAt } = await t.store.revisionsOf(projectUid)
      expect(closesAt).toBeUndefined()
      expect(Object.keys(await openValues(projectUid, closed)).sort()).toEqual(['A', 'B', 'C'])
    })

    it('closes a change set at its last write, and not before', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const write = (n: string, changeSet: { id: string; last: boolean }): Promise<unknown> =>
        t.store.write(api, { changeSet }, (tx) => tx.create(secretOf(ns, n, { value: n })))
      const closed = async (): Promise<number> => {
        await t.store.closeDueRevisions(clock.now())
        return (await t.store.revisionsOf(projectUid)).closed
      }
      await write('a', { id: 'one', last: false })
      clock.step(4_000)
      await createAs(t.store, api, secretOf(ns, 'plain', { value: 'v' }))
      clock.step(900)
      expect(await closed()).toBe(0)
      await write('b', { id: 'two', last: true }) // must not cut set one in two
      expect(await closed()).toBe(0)
      await t.store.write(api, { changeSet: { id: 'one', last: true } }, () => Promise.resolve())
      expect(await closed()).toBe(1)
      await write('c', { id: 'three', last: true })
      expect(await closed()).toBe(2)
      await write('d', { id: 'lost', last: false })
      clock.step(19_999)
      expect(await closed()).toBe(2)
      clock.step(2)
      expect(await closed()).toBe(3)
    })

    it('keeps the set of each revision', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const set = (changeSet = { id: 'x', last: true }) => ({ changeSet })
      await t.store.write(api, set(), async (tx) => {
        await tx.create(secretOf(ns, 'a', { value: 'a1' }))
        await tx.create(secretOf(ns, 'b', { value: 'b1' }))
      })
      await t.store.write(api, set(), (tx) => tx.update(secretOf(ns, 'a', { value: 'a2' })))
      await t.store.write(api, set(), (tx) =>
        tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'b' }),
      )
      await updateAs(t.store, api, secretOf(ns, 'a', { value: 'a3' })) // open
      expect(await openValues(projectUid, 1)).toEqual({ A: 'a1', B: 'b1' })
      expect(await openValues(projectUid, 2)).toEqual({ A: 'a2', B: 'b1' })
      expect(await openValues(projectUid, 3)).toEqual({ A: 'a2' })
      expect(await openValues(projectUid, 0)).toEqual({})
      expect(await t.store.readSet(projectUid, 'head')).toMatchObject({
        revision: 4,
        entries: [{ version: 3 }],
      })
      for (const none of [4, -1, -9])
        await expect(t.store.readSet(projectUid, none)).rejects.toMatchObject({
          reason: 'NotFound',
        })
      const deliveries = await t.sql.query(
        `SELECT 1 FROM audit WHERE action = 'deliver' AND detail ->> 'project' = $1`,
        [projectUid],
      )
      await openValues(projectUid, 1)
      expect(deliveries).toHaveLength(4)
      expect(
        await t.sql.query(
          `SELECT 1 FROM audit WHERE action = 'deliver' AND detail ->> 'project' = $1`,
          [projectUid],
        ),
      ).toHaveLength(4)
    })

    it('keeps the last 10 versions, and all of the newest 20 revisions', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'still', { value: 'v' }))
      await createAs(t.store, api, secretOf(ns, 'gone', { value: 'v' }))
      await createAs(t.store, api, secretOf(ns, 'db', { value: '0' }))
      await close()
      await t.store.write(api, {}, (tx) =>
        tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'gone' }),
      )
      await close()
      const changeSet = { id: 'x', last: true }
      for (let i = 1; i <= 28; i++) {
        await t.store.write(api, { changeSet }, (tx) =>
          tx.update(secretOf(ns, 'db', { value: String(i) })),
        )
      }
      clock.step(defaultRetention.deletedMs)
      await t.store.compact(clock.now())
      for (let revision = 11; revision <= 30; revision++) {
        expect(await openValues(projectUid, revision)).toEqual({
          DB: String(revision - 2),
          STILL: 'v',
        })
      }
      await expect(t.store.readSet(projectUid, 10)).rejects.toMatchObject({ reason: 'NotFound' })
      const rows = await t.sql.query<{ name: string; n: number }>(
        'SELECT name, count(*)::int AS n FROM secret_versions WHERE project_uid = $1 GROUP BY name ORDER BY name',
        [projectUid],
      )
      expect(rows).toEqual([
        { name: 'db', n: 20 },
        { name: 'still', n: 1 },
      ])
      expect((await t.store.readSet(projectUid, 'head')).entries).toHaveLength(2)
    })

    it('keeps what a stagelet would go back to, whatever its age', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const changeSet = { id: 'x', last: true }
      await t.store.write(api, { changeSet }, (tx) => tx.create(secretOf(ns, 'db', { value: '1' })))
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      await t.store.write(api, {}, (tx) =>
        tx.setStatus({ ...stagelet, status: { healthyRevision: 3, conditions: [] } }),
      )
      for (let i = 2; i <= 25; i++) {
        await t.store.write(api, { changeSet }, (tx) =>
          tx.update(secretOf(ns, 'db', { value: String(i) })),
        )
      }
      await t.store.compact(clock.now())
      expect(await openValues(projectUid, 3)).toEqual({ DB: '3' })
      await expect(t.store.readSet(projectUid, 4)).rejects.toMatchObject({ reason: 'NotFound' })
    })

    it.each([
      [
        'a version put back',
        `UPDATE secret_versions SET version = 7 WHERE name = 'a' AND to_revision IS NULL`,
      ],
      ['a scope changed', `UPDATE secret_versions SET scope = 'global' WHERE name = 'b'`],
      [
        'a digest changed',
        `UPDATE secret_versions SET value_digest = 'x' WHERE name = 'a' AND to_revision IS NULL`,
      ],
      ['a row removed', `DELETE FROM secret_versions WHERE name = 'b'`],
      [
        'an old row made current',
        `UPDATE secret_versions SET to_revision = CASE WHEN version = 1 THEN NULL ELSE 1 END WHERE name = 'a' AND version = 1`,
      ],
    ])('notices %s by hand', async (_, statement) => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      await createAs(t.store, api, secretOf(ns, 'b', { value: '1', scope: 'web' }))
      await close()
      await updateAs(t.store, api, secretOf(ns, 'a', { value: '2' }))
      await close()
      const shop = { kind: 'Project', namespace: ns, name: 'shop' }
      expect(await t.store.checkSets()).not.toContainEqual(shop)
      await t.sql.query(`DROP INDEX IF EXISTS secret_versions_head`)
      await t.sql.query(`${statement} AND project_uid = '${projectUid}'`)
      await expect(t.store.openSet(projectUid, 2, delivery)).rejects.toMatchObject({
        reason: 'InternalError',
        message: expect.stringMatching(/does not match its MAC/) as string,
      })
      expect(await t.store.checkSets()).toContainEqual(shop)
      const state = await loadState(t.sql)
      await expect(headIn(state, state.epoch, keys, projectUid)).rejects.toThrow(/MAC/)
    })

    it('opens no sealed text that was put in the place of another', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'a', { value: '1' }))
      await createAs(t.store, api, secretOf(ns, 'b', { value: '2' }))
      await close()
      await t.sql.query(
        `UPDATE secret_versions SET sealed = (SELECT sealed FROM secret_versions WHERE name = 'a' AND project_uid = $1)
         WHERE name = 'b' AND project_uid = $1`,
        [projectUid],
      )
      await expect(t.store.openSet(projectUid, 1, delivery)).rejects.toThrow(/does not open/)
    })

    it('shows the columns of the secrets table to people with SQL', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const file = {
        type: 'file',
        scope: 'web',
        file: { path: './a', mode: '0400' },
        value: canary,
      }
      const made = await createAs(t.store, api, secretOf(ns, 'a', file))
      const [row] = await t.sql.query('SELECT * FROM secrets WHERE project_id = $1', [projectUid])
      expect(row).toMatchObject({
        id: made.metadata.uid,
        key: 'A',
        scope: 'web',
        secret_type: 'file',
        file_path: './a',
        file_permissions: '0400',
        created_by: 'alice',
      })
      expect(row?.encrypted_value).toMatch(/^s1:/)
    })

    it('holds values up to the limits, byte by byte', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const big = Buffer.alloc(1_048_576, 0).map((_, i) => i % 251)
      const env = '$x "é\n\r\t\\ \u{1f600}'.repeat(4000).slice(0, 60_000)
      await t.store.write(api, { changeSet: { id: 'x', last: true } }, async (tx) => {
        const valueBase64 = Buffer.from(big).toString('base64')
        await tx.create(secretOf(ns, 'big', { type: 'file', file: { path: './big' }, valueBase64 }))
        await tx.create(secretOf(ns, 'env', { value: env }))
      })
      const opened = await t.store.openSet(projectUid, 1, delivery)
      expect(opened.find((e) => e.key === 'BIG')?.value.equals(big)).toBe(true)
      expect(opened.find((e) => e.key === 'ENV')?.value.toString()).toBe(env)
    })
  })
}
