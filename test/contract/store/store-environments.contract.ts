// What the store promises of environments. On any database.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findCondition } from '../../../src/resources/conditions.ts'
import { agentFinalizer, type KubeObject } from '../../../src/resources/meta.ts'
import { exposureOf } from '../../../controller/compliance/exposure.ts'
import { defaultRetention } from '../../../src/store/compaction.ts'
import type { Transaction } from '../../../src/store/store.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
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
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'value-that-no-error-repeats'

type Environment = { name: string; inherits?: 'Nothing'; protected?: boolean }

export const environmentsContract = (name: string, open: OpenStore): void => {
  describe(`environments on ${name}`, () => {
    let t: TestStore
    const clock = createSteppedClock()
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    const projectOf = (ns: string, environments: readonly Environment[]): KubeObject =>
      objectOf('Project', ns, 'shop', { environments })
    const inEnvironment = (ns: string, stagelet: string, environment?: string): KubeObject => {
      const object = stageletOf(ns, stagelet)
      return environment === undefined
        ? object
        : { ...object, spec: { ...object.spec, environment } }
    }
    const both = [{ name: 'preview' }, { name: 'production' }]
    const shop = async (
      environments: readonly Environment[] = both,
    ): Promise<{ ns: string; projectUid: string }> => {
      const made = await createShop(t.store)
      await updateAs(t.store, api, projectOf(made.ns, environments))
      return made
    }
    const close = async (projectUid: string): Promise<number> => {
      clock.step(60_000)
      await t.store.closeDueRevisions(clock.now())
      return (await t.store.revisionsOf(projectUid)).closed
    }
    /** What an agent gets, by key. */
    const delivered = async (
      projectUid: string,
      stagelet: string,
      revision: number,
    ): Promise<Record<string, string>> => {
      const opened = await t.store.openSet(projectUid, revision, { stagelet, agent: 'box' })
      return Object.fromEntries(opened.map((e) => [`${e.key}.${e.scope}`, e.value.toString()]))
    }
    const refused = (write: Promise<unknown>): Promise<string> => refusalOf(write, canary)

    it('delivers to each stagelet the secrets of its environment, and none of another', async () => {
      const { ns, projectUid } = await shop()
      const keyFor = (secret: string, spec: object): KubeObject =>
        secretOf(ns, secret, { key: 'STRIPE', ...spec })
      await createAs(t.store, api, keyFor('test-key', { value: 'for-all' }))
      const live = { value: 'live', environments: ['production'] }
      await createAs(t.store, api, keyFor('live-key', live))
      const own = { key: 'ONLY', value: 'preview', environments: ['preview'], scope: 'web' }
      await createAs(t.store, api, secretOf(ns, 'only', own))
      await createAs(t.store, api, inEnvironment(ns, 'prod', 'production'))
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      await createAs(t.store, api, inEnvironment(ns, 'plain'))
      const revision = await close(projectUid)
      expect(await delivered(projectUid, 'prod', revision)).toEqual({ 'STRIPE.global': 'live' })
      expect(await delivered(projectUid, 'pr-1', revision)).toEqual({
        'ONLY.web': 'preview',
        'STRIPE.global': 'for-all',
      })
      expect(await delivered(projectUid, 'plain', revision)).toEqual({ 'STRIPE.global': 'for-all' })
    })

    it('gives an environment that inherits nothing only what names it, or its stagelets', async () => {
      const { ns, projectUid } = await shop([{ name: 'preview', inherits: 'Nothing' }])
      await createAs(t.store, api, secretOf(ns, 'all', { value: 'of-the-project' }))
      await createAs(t.store, api, secretOf(ns, 'here', { value: 'h', environments: ['preview'] }))
      const mine = { value: 'm', stageletRef: { name: 'pr-1' } }
      await createAs(t.store, api, secretOf(ns, 'mine', mine))
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      expect(await delivered(projectUid, 'pr-1', await close(projectUid))).toEqual({
        'HERE.global': 'h',
        'MINE.global': 'm',
      })
    })

    it('makes a revision of a move to another environment; the older revision is as it was', async () => {
      const { ns, projectUid } = await shop()
      for (const environment of ['preview', 'production'])
        await createAs(
          t.store,
          api,
          secretOf(ns, environment, { key: 'DB', value: environment, environments: [environment] }),
        )
      const stagelet = await createAs(t.store, api, inEnvironment(ns, 'web', 'preview'))
      const before = await close(projectUid)
      const inSync = { type: 'SecretsInSync', status: 'True', reason: 'InSync', message: '' }
      const at = '2026-01-01T00:00:00Z'
      const status = { conditions: [{ ...inSync, lastTransitionTime: at }] }
      await t.store.write(system, {}, (tx) => tx.setStatus({ ...stagelet, status }))
      const moved = await updateAs(t.store, api, inEnvironment(ns, 'web', 'production'))
      const { conditions } = moved.status as StageletStatus
      expect(findCondition(conditions, 'SecretsInSync')).toMatchObject({
        status: 'False',
        reason: 'NewRevision',
      })
      const after = await close(projectUid)
      expect(after).toBe(before + 1)
      expect((await t.store.listRevisions(projectUid))[0]).toMatchObject({
        revision: after,
        written: 0,
        moved: ['web'],
        by: [api.name],
      })
      expect(await delivered(projectUid, 'web', before)).toEqual({ 'DB.global': 'preview' })
      expect(await delivered(projectUid, 'web', after)).toEqual({ 'DB.global': 'production' })
      await updateAs(t.store, api, inEnvironment(ns, 'web'))
      expect(await delivered(projectUid, 'web', await close(projectUid))).toEqual({})
    })

    it('makes no revision where nobody is in an environment', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await createAs(t.store, api, secretOf(ns, 'all', { value: 'x' }))
      const before = await close(projectUid)
      await updateAs(t.store, api, projectOf(ns, both))
      await createAs(t.store, api, inEnvironment(ns, 'web'))
      expect(await close(projectUid)).toBe(before)
    })

    it('takes objects in any order, and judges their environments when the Project comes', async () => {
      const { ns, projectUid } = await createShop(t.store)
      await t.store.write(api, {}, (tx) =>
        tx.remove({ kind: 'Project', namespace: ns, name: 'shop' }),
      )
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'x', environments: ['preview'] }))
      expect(await refused(createAs(t.store, api, projectOf(ns, [])))).toContain(
        'stagelet "pr-1" names "preview", secret "db" names "preview"',
      )
      const project = await createAs(t.store, api, projectOf(ns, both))
      const uid = project.metadata.uid!
      expect(uid).not.toBe(projectUid)
      expect(await delivered(uid, 'pr-1', await close(uid))).toEqual({ 'DB.global': 'x' })
    })

    it('refuses a name that the Project does not list, with the nearest one', async () => {
      const { ns } = await shop()
      const secret = { value: canary, environments: ['preview', 'prodcution'] }
      expect(await refused(createAs(t.store, api, secretOf(ns, 'a', secret)))).toContain(
        'spec.environments[1]: Unsupported value: environments of project "shop": preview, production; did you mean "production"?',
      )
      expect(await refused(createAs(t.store, api, inEnvironment(ns, 'web', 'qa')))).toContain(
        'spec.environment: Unsupported value: environments of project "shop"',
      )
    })

    it('refuses to take an environment away that is used, and names the users', async () => {
      const { ns } = await shop()
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'x', environments: ['preview'] }))
      await createAs(t.store, api, inEnvironment(ns, 'prod', 'production'))
      const message = await refused(updateAs(t.store, api, projectOf(ns, [])))
      expect(message).toContain('stagelet "prod" names "production", secret "db" names "preview"')
      await updateAs(t.store, api, projectOf(ns, [...both, { name: 'qa' }]))
      await updateAs(t.store, api, projectOf(ns, both))
    })

    it('refuses two secrets of one key and scope whose environments meet, and others not', async () => {
      const { ns } = await shop()
      const db = (secret: string, spec: object): Promise<KubeObject> =>
        createAs(t.store, api, secretOf(ns, secret, { key: 'DB', value: canary, ...spec }))
      await db('all', {})
      await db('first', { environments: ['production', 'preview'] })
      await db('for-web', { environments: ['preview'], scope: 'web' })
      const message = await refused(db('second', { environments: ['preview'] }))
      expect(message).toContain('"second"')
      expect(message).toContain('"first" has key DB and scope global in environment "preview"')
      expect(
        await refused(db('both', { environments: ['preview'], stageletRef: { name: 'web' } })),
      ).toContain('not for both')
      expect(await refused(db('twice', { environments: ['preview', 'preview'] }))).toContain(
        'an environment is named twice',
      )
    })

    it('follows references within the environment, and refuses a move that would break one', async () => {
      const { ns, projectUid } = await shop([
        { name: 'production' },
        { name: 'preview', inherits: 'Nothing' },
      ])
      const url = { value: 'pg://${PASSWORD}', references: true }
      await createAs(t.store, api, secretOf(ns, 'password', { value: 'of-all' }))
      await createAs(t.store, api, secretOf(ns, 'url', url))
      const live = { key: 'PASSWORD', value: 'live', environments: ['production'] }
      await createAs(t.store, api, secretOf(ns, 'live', live))
      await createAs(t.store, api, inEnvironment(ns, 'prod', 'production'))
      const mine = { ...url, key: 'URL', stageletRef: { name: 'web' } }
      await createAs(t.store, api, secretOf(ns, 'mine', mine))
      await createAs(t.store, api, inEnvironment(ns, 'web'))
      const revision = await close(projectUid)
      expect(await delivered(projectUid, 'prod', revision)).toEqual({
        'PASSWORD.global': 'live',
        'URL.global': 'pg://live',
      })
      expect(await refused(updateAs(t.store, api, inEnvironment(ns, 'web', 'preview')))).toContain(
        'stagelets.stagely.dev "web": secret "mine" would break',
      )
      const lost = {
        key: 'OTHER',
        value: '${PASSWORD}',
        references: true,
        environments: ['preview'],
      }
      expect(await refused(createAs(t.store, api, secretOf(ns, 'lost', lost)))).toContain(
        'PASSWORD',
      )
    })

    it('deletes a stagelet whose own secret refers to one of its environment', async () => {
      const { ns, projectUid } = await shop()
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'x', environments: ['preview'] }))
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      const own = { value: 'pg://${DB}', references: true, stageletRef: { name: 'pr-1' } }
      await createAs(t.store, api, secretOf(ns, 'url', own))
      await close(projectUid)
      expect(await refused(updateAs(t.store, api, inEnvironment(ns, 'pr-1')))).toContain(
        'secret "url" would break',
      )
      const ref = { kind: 'Stagelet', namespace: ns, name: 'pr-1' }
      await t.store.write(api, {}, (tx) => tx.remove(ref))
      if ((await t.store.get(ref)) !== undefined)
        await t.store.write(system, {}, (tx) => tx.removeFinalizer(ref, agentFinalizer))
      expect(await t.store.get(ref)).toBeUndefined()
      const secret = { kind: 'StagelySecret', namespace: ns, name: 'url' }
      await t.store.write(api, {}, (tx) => tx.remove(secret))
    })

    const url = { value: 'pg://${PASSWORD}', references: true }
    const passwordIn = (ns: string, environment: string): KubeObject => {
      const spec = { key: 'PASSWORD', value: `of-${environment}`, environments: [environment] }
      return secretOf(ns, `password-${environment}`, spec)
    }

    it('takes a template whose target only environments have, where everybody who is there has one', async () => {
      const { ns, projectUid } = await shop([{ name: 'qa' }, ...both])
      const lost = secretOf(ns, 'url', url)
      expect(await refused(createAs(t.store, api, lost))).toContain('PASSWORD')
      await createAs(t.store, api, passwordIn(ns, 'production'))
      await createAs(t.store, api, inEnvironment(ns, 'prod', 'production'))
      await createAs(t.store, api, lost)
      expect(await delivered(projectUid, 'prod', await close(projectUid))).toMatchObject({
        'URL.global': 'pg://of-production',
      })
      // Who comes where it leads nowhere is refused: in no environment, and in one without the target.
      const broken = 'secret "url" would break'
      expect(await refused(createAs(t.store, api, inEnvironment(ns, 'plain')))).toContain(broken)
      const preview = inEnvironment(ns, 'pr-1', 'preview')
      expect(await refused(createAs(t.store, api, preview))).toContain(
        `${broken}: it refers to \${PASSWORD}`,
      )
      await createAs(t.store, api, passwordIn(ns, 'preview'))
      await createAs(t.store, api, preview)
      expect(await refused(updateAs(t.store, api, inEnvironment(ns, 'pr-1', 'qa')))).toContain(
        '(in environment "qa")',
      )
      const gone = { kind: 'StagelySecret', namespace: ns, name: 'password-preview' }
      expect(await refused(t.store.write(api, {}, (tx) => tx.remove(gone)))).toContain(
        '(in environment "preview")',
      )
      expect(await delivered(projectUid, 'pr-1', await close(projectUid))).toMatchObject({
        'URL.global': 'pg://of-preview',
      })
    })

    it('waits with such a template until each environment has its target', async () => {
      const { ns } = await shop()
      await createAs(t.store, api, passwordIn(ns, 'production'))
      await createAs(t.store, api, inEnvironment(ns, 'prod', 'production'))
      const toCome = { valueFrom: { rotation: { name: 'db', output: 'password' } } }
      const { spec } = passwordIn(ns, 'preview')
      const { value: _, ...rest } = spec as { value: string }
      await createAs(t.store, api, secretOf(ns, 'password-preview', { ...rest, ...toCome }))
      const { status } = await createAs(t.store, api, secretOf(ns, 'url', url))
      expect(status).toMatchObject({ awaits: ['PASSWORD'] })
      await updateAs(t.store, api, passwordIn(ns, 'preview'))
      const stored = await t.store.get({ kind: 'StagelySecret', namespace: ns, name: 'url' })
      expect(stored?.status).toMatchObject({ version: 1 })
      expect(stored?.status).not.toHaveProperty('awaits')
    })

    it('is not held up by a template of a stagelet that is gone, until that one comes again', async () => {
      const { ns } = await shop()
      await createAs(t.store, api, secretOf(ns, 'password', { value: 'of-all' }))
      await createAs(t.store, api, inEnvironment(ns, 'web'))
      const left = { ...url, format: 'url', stageletRef: { name: 'web' } }
      await createAs(t.store, api, secretOf(ns, 'own', { ...left, value: 'https://${PASSWORD}/' }))
      const ref = { kind: 'Stagelet', namespace: ns, name: 'web' }
      const password = { kind: 'StagelySecret', namespace: ns, name: 'password' }
      const drop = (): Promise<unknown> => t.store.write(api, {}, (tx) => tx.remove(password))
      expect(await refused(drop())).toContain('secret "own" would break')
      await t.store.write(api, {}, (tx) => tx.remove(ref))
      await t.store.write(system, {}, (tx) => tx.removeFinalizer(ref, agentFinalizer))
      await updateAs(t.store, api, secretOf(ns, 'password', { value: 'no host [' }))
      await drop()
      expect(await refused(createAs(t.store, api, inEnvironment(ns, 'web')))).toContain(
        'secret "own" would break',
      )
      // A typing error of what waits for a stagelet is refused as ever.
      const typo = { ...url, value: 'pg://${PASWORD}', stageletRef: { name: 'later' } }
      expect(await refused(createAs(t.store, api, secretOf(ns, 'typo', typo)))).toContain('PASWORD')
    })

    it('lets no stagelet of a protected environment end by itself', async () => {
      const { ns } = await shop([{ name: 'preview' }, { name: 'production', protected: true }])
      const ephemeral = { goneAfter: '10m' }
      await createAs(t.store, api, objectOf('Agent', ns, 'ci-7', { ephemeral }))
      const ending = (stagelet: string, environment: string, spec: object): KubeObject => {
        const object = inEnvironment(ns, stagelet, environment)
        return { ...object, spec: { ...object.spec, ...spec } }
      }
      const onCi = { agentRef: { name: 'ci-7' } }
      expect(
        await refused(createAs(t.store, api, ending('web', 'production', { ttl: '72h' }))),
      ).toContain('spec.ttl: Forbidden: the environment is protected')
      expect(await refused(createAs(t.store, api, ending('web', 'production', onCi)))).toContain(
        'spec.agentRef: Forbidden: the environment is protected',
      )
      await createAs(t.store, api, inEnvironment(ns, 'web', 'production'))
      // An agent does not become ephemeral under it, and one that comes later is none.
      const later = { agentRef: { name: 'later' } }
      await createAs(t.store, api, ending('web-2', 'production', later))
      await createAs(t.store, api, objectOf('Agent', ns, 'box'))
      for (const write of [
        updateAs(t.store, api, objectOf('Agent', ns, 'box', { ephemeral })),
        createAs(t.store, api, objectOf('Agent', ns, 'later', { ephemeral })),
      ])
        expect(await refused(write)).toMatch(
          /without an owner: stagelet "web(-2)?"; move these to another agent first/,
        )
      await createAs(t.store, api, ending('pr-1', 'preview', { ttl: '72h' }))
      await createAs(t.store, api, ending('pr-2', 'preview', onCi))
      await createAs(t.store, api, inEnvironment(ns, 'pr-3', 'preview'))
      const all = projectOf(
        ns,
        both.map((environment) => ({ ...environment, protected: true })),
      )
      expect(await refused(updateAs(t.store, api, all))).toContain(
        'stagelets end without an owner: stagelet "pr-1" (spec.ttl), stagelet "pr-2" (spec.agentRef); change these first',
      )
      await updateAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      await updateAs(t.store, api, inEnvironment(ns, 'pr-2', 'preview'))
      await updateAs(t.store, api, all)
    })

    it('notices a stagelet that somebody moves by SQL, and a secret', async () => {
      const { ns, projectUid } = await shop()
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'x', environments: ['production'] }))
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      const revision = await close(projectUid)
      for (const change of [
        `UPDATE layouts SET layout = replace(layout::text, 'preview', 'production')::json`,
        `DELETE FROM layouts`,
        `UPDATE secret_versions SET environments = '["preview"]'`,
        `UPDATE secret_versions SET environments = NULL`,
      ]) {
        await t.sql.exec(
          'CREATE TABLE kept_layouts AS SELECT * FROM layouts; CREATE TABLE kept_versions AS SELECT * FROM secret_versions',
        )
        await t.sql.query(`${change} WHERE project_uid = $1`, [projectUid])
        await expect(delivered(projectUid, 'pr-1', revision), change).rejects.toMatchObject({
          reason: 'InternalError',
        })
        await t.sql.exec(
          `DELETE FROM layouts; INSERT INTO layouts SELECT * FROM kept_layouts; DROP TABLE kept_layouts;
           UPDATE secret_versions v SET environments = k.environments FROM kept_versions k
           WHERE k.secret_uid = v.secret_uid AND k.version = v.version; DROP TABLE kept_versions`,
        )
      }
      expect(await delivered(projectUid, 'pr-1', revision)).toEqual({})
    })

    it('goes back to the environments that an older version had', async () => {
      const { ns, projectUid } = await shop()
      const spec = { value: 'x', environments: ['preview'] }
      await createAs(t.store, api, secretOf(ns, 'db', spec))
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      await close(projectUid)
      await updateAs(t.store, api, secretOf(ns, 'db', { value: 'x' }))
      await close(projectUid)
      const ref = { kind: 'StagelySecret', namespace: ns, name: 'db' }
      const back = await t.store.write(api, {}, (tx) =>
        tx.rollbackProject(
          { kind: 'Project', namespace: ns, name: 'shop' },
          { revision: 'previous' },
        ),
      )
      expect(back.diff.changed[0]).toMatchObject({
        what: ['environments'],
        environments: ['preview'],
      })
      expect((await t.store.get(ref))?.spec?.['environments']).toEqual(['preview'])
    })

    it('shows a viewer what its environment sees, whatever else is asked for', async () => {
      const { ns } = await shop()
      const key = (secret: string, spec: Record<string, unknown>): Promise<KubeObject> =>
        createAs(t.store, api, secretOf(ns, secret, spec))
      await key('pw', { value: 'of-all', scope: 'web' })
      await key('url-web', { key: 'URL', value: 'x${PW}', references: true, scope: 'web' })
      await key('url', { key: 'URL', value: 'live', environments: ['production'] })
      const ref = { kind: 'Project', namespace: ns, name: 'shop' }
      const opened = await t.store.revealSet(api, ref, {
        way: 'export',
        viewer: { environment: 'production' },
        choose: ({ entries }) => entries.filter(({ scope }) => scope === 'web'),
      })
      expect(opened.map(({ name, value }) => `${name} ${value.toString()}`)).toEqual(['pw of-all'])
    })

    it('lets an environment be renamed in one write, in any order', async () => {
      const { ns } = await shop()
      const db = { value: 'x', environments: ['preview'] }
      await createAs(t.store, api, secretOf(ns, 'db', db))
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      const renamed = [
        inEnvironment(ns, 'pr-1', 'review'),
        projectOf(ns, [{ name: 'review' }, { name: 'production' }]),
        secretOf(ns, 'db', { ...db, environments: ['review'] }),
      ]
      await t.store.write(api, {}, async (tx) => {
        for (const object of renamed) await tx.update(object)
      })
      const first = renamed[0]!
      expect(await t.store.get({ kind: 'Stagelet', namespace: ns, name: 'pr-1' })).toMatchObject({
        spec: { environment: first.spec!['environment'] },
      })
    })

    it('refuses an environment that shall inherit nothing, where a secret of it refers to one of the project', async () => {
      const { ns } = await shop()
      await createAs(t.store, api, secretOf(ns, 'db', { value: 'x' }))
      const url = { value: 'pg://${DB}', references: true, environments: ['preview'] }
      await createAs(t.store, api, secretOf(ns, 'url', url))
      const isolated = projectOf(ns, [
        { name: 'preview', inherits: 'Nothing' },
        { name: 'production' },
      ])
      const message = await refused(updateAs(t.store, api, isolated))
      expect(message).toContain('projects.stagely.dev "shop"')
      expect(message).toContain('secret "url" would break')
      await updateAs(t.store, api, secretOf(ns, 'db', { value: 'y' }))
    })

    it('goes back to what was before the last change of a secret, whoever came since', async () => {
      const { ns, projectUid } = await shop()
      for (const value of ['good', 'bad']) {
        const secret = secretOf(ns, 'db', { value })
        await (value === 'good' ? createAs : updateAs)(t.store, api, secret)
        await close(projectUid)
      }
      await createAs(t.store, api, inEnvironment(ns, 'pr-1', 'preview'))
      await close(projectUid)
      const ref = { kind: 'Project', namespace: ns, name: 'shop' }
      const back = await t.store.write(api, {}, (tx) =>
        tx.rollbackProject(ref, { revision: 'previous' }),
      )
      expect(back).toMatchObject({ revision: 1, diff: { changed: [{ name: 'db' }] } })
    })

    it('takes the stagelets of a large project in turns, and counts no layout among the secrets', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      await createAs(t.store, api, secretOf(ns, 'all', { value: 'x' }))
      await t.store.write(api, {}, (tx) => tx.remove(project))
      const many = Array.from({ length: 300 }, (_, i) => inEnvironment(ns, `pr-${i}`, 'preview'))
      await t.store.write(api, {}, async (tx) => {
        for (const object of many) await tx.create(object)
      })
      await createAs(t.store, api, projectOf(ns, both))
      const revision = await close(projectUid)
      const { moved } = (await t.store.listRevisions(projectUid))[0]!
      expect(moved).toHaveLength(20)
      expect((await t.store.get(project))?.status).toMatchObject({ revision, secrets: 1 })
    })

    /** One revision for each change, a minute after the one before. */
    const change = async (write: (tx: Transaction) => Promise<unknown>): Promise<void> => {
      clock.step(60_000)
      await t.store.write(api, { changeSet: { id: 'x', last: true } }, write)
    }

    const exposureIn = async (ns: string, name: string, version: number) => {
      const secret = (await t.store.get({ kind: 'StagelySecret', namespace: ns, name }))!
      const project = (await t.store.get({ kind: 'Project', namespace: ns, name: 'shop' }))!
      return exposureOf(t, project, secret, { version, nowMs: clock.now(), auditFrom: undefined })
    }

    it('keeps the newest revisions of each environment: previews push nothing of production out', async () => {
      const { ns, projectUid } = await shop()
      const production = (value: string): KubeObject =>
        secretOf(ns, 'db', { value, environments: ['production'] })
      await change(async (tx) => {
        await tx.create(production('one'))
        await tx.create(inEnvironment(ns, 'prod', 'production'))
      })
      const first = (await t.store.revisionsOf(projectUid)).closed
      await change((tx) => tx.update(production('two')))
      const twoAt = clock.now()
      const preview = (i: number): KubeObject => inEnvironment(ns, `pr-${i}`, 'preview')
      for (let i = 0; i < 15; i++) {
        await change(async (tx) => {
          await tx.create(preview(i))
          const stageletRef = { name: `pr-${i}` }
          await tx.create(secretOf(ns, `url-${i}`, { key: 'URL', value: 'x', stageletRef }))
        })
        await change(async (tx) => {
          await tx.remove({ kind: 'StagelySecret', namespace: ns, name: `url-${i}` })
          await tx.remove({ kind: 'Stagelet', namespace: ns, name: `pr-${i}` })
        })
      }
      clock.step(defaultRetention.deletedMs)
      await t.store.compact(clock.now())
      const kept = (await t.store.listRevisions(projectUid)).map(({ revision }) => revision)
      expect(kept.slice(-2)).toEqual([first + 1, first])
      expect(kept.length).toBeLessThan(defaultRetention.revisions + 4)
      expect((await t.store.readSet(projectUid, first)).entries).toMatchObject([
        { key: 'DB', version: 1 },
      ])
      const exposed = await exposureIn(ns, 'db', 2)
      expect(exposed).toMatchObject({ key: 'DB', version: 2 })
      // Of a moment between two that are kept nobody knows which revision it was.
      const between = t.store.write(api, {}, (tx) =>
        tx.rollbackProject(
          { kind: 'Project', namespace: ns, name: 'shop' },
          { at: twoAt + 5 * 60_000 },
        ),
      )
      await expect(between).rejects.toThrow(
        /no revision of project "shop" from 20\S+ is kept; kept are 2 \(from 20\S+\) and \d+ \(from 20/,
      )
      const back = await t.store.write(api, {}, (tx) =>
        tx.rollbackProject({ kind: 'Project', namespace: ns, name: 'shop' }, { revision: first }),
      )
      expect(back.diff.changed).toMatchObject([{ name: 'db' }])
    })

    it('knows who held a version whose first revision is not kept', async () => {
      const { ns, projectUid } = await shop([])
      await change((tx) => tx.create(secretOf(ns, 'old', { value: 'still-current' })))
      for (let i = 0; i < 30; i++)
        await change((tx) =>
          i === 0
            ? tx.create(secretOf(ns, 'busy', { value: '0' }))
            : tx.update(secretOf(ns, 'busy', { value: String(i) })),
        )
      await t.store.compact(clock.now())
      await expect(t.store.readSet(projectUid, 1)).rejects.toMatchObject({ reason: 'NotFound' })
      const exposed = await exposureIn(ns, 'old', 1)
      expect(exposed).toMatchObject({ key: 'OLD', version: 1, holders: [] })
    })
  })
}
