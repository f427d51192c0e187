// What the store promises of an environment that has to differ from another one. On any database.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { wholeRights, type Rights } from '../../../src/store/core/actor.ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  findCondition,
  statusConditions,
  type Condition,
} from '../../../src/resources/conditions.ts'
import { createProjectReconciler } from '../../../controller/reconcilers/project/reconciler.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Actor } from '../../../src/store/store.ts'
import type { TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  createSteppedClock,
  objectOf,
  secretOf,
  stageletOf,
  system,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import { createRandom } from '../../support/random.ts'
import type { OpenStore } from './store.contract.ts'

const canary = 'canary-of-production-1'
const other = 'another-value-of-preview'

type Environment = Readonly<Record<string, unknown>> & { readonly name: string }

const rule: Environment = { name: 'preview', inherits: 'Nothing', differsFrom: ['production'] }
const production: Environment = { name: 'production' }

export const separationContract = (name: string, open: OpenStore): void => {
  describe(`environments that have to differ, on ${name}`, () => {
    let t: TestStore
    const clock = createSteppedClock()
    beforeAll(async () => {
      t = await open({ clock })
    })
    afterAll(() => t.destroy())

    const create = (object: KubeObject, actor: Actor = api): Promise<KubeObject> =>
      createAs(t.store, actor, object)
    const update = (object: KubeObject, actor: Actor = api): Promise<KubeObject> =>
      updateAs(t.store, actor, object)
    const projectOf = (ns: string, environments: readonly Environment[]): KubeObject =>
      objectOf('Project', ns, 'shop', { environments })
    const shop = async (
      environments: readonly Environment[] = [production, rule],
    ): Promise<{ ns: string; projectUid: string }> => {
      const made = await createShop(t.store)
      await update(projectOf(made.ns, environments))
      return made
    }
    const secret = (
      ns: string,
      of: string,
      environment: string,
      spec: Record<string, unknown>,
    ): KubeObject => secretOf(ns, of, { environments: [environment], ...spec })
    const liveAnd = async (
      spec: Record<string, unknown> = { value: canary },
      environments?: readonly Environment[],
    ): Promise<string> => {
      const { ns } = await shop(environments)
      await create(secret(ns, 'live', 'production', spec))
      return ns
    }
    /** Names the places, and no value. */
    const refused = async (write: Promise<unknown>): Promise<string> => {
      const error = (await write.then(
        () => {
          throw new Error('it was not refused')
        },
        (e: unknown) => e,
      )) as Error
      expect(error).toMatchObject({ reason: 'SameAsProduction' })
      expect(JSON.stringify(error) + error.message).not.toContain(canary)
      return error.message
    }
    const separated = async (ns: string): Promise<Condition | undefined> => {
      const project = await t.store.get({ kind: 'Project', namespace: ns, name: 'shop' })
      return findCondition(statusConditions(project ?? {}), 'Separated')
    }

    it('refuses a value of the other environment under any key, and names both places', async () => {
      const ns = await liveAnd()
      const message = await refused(create(secret(ns, 'copy', 'preview', { value: canary })))
      expect(message).toContain('secret "copy" (COPY) in environment "preview"')
      expect(message).toContain('secret "live" (LIVE) in environment "production"')
      await create(secret(ns, 'copy', 'preview', { value: other }))
      await refused(update(secret(ns, 'copy', 'preview', { value: canary })))
      // The other way round: production gets what preview has.
      await refused(update(secret(ns, 'live', 'production', { value: other })))
      expect(await separated(ns)).toMatchObject({ status: 'True', reason: 'Different' })
    })

    it('judges a file and a variable with the same bytes, and a dry run', async () => {
      const ns = await liveAnd()
      const file = { type: 'file', file: { path: '/run/key' }, value: canary }
      await refused(create(secret(ns, 'file', 'preview', file)))
      const dry = { dryRun: true }
      const copy = secret(ns, 'copy', 'preview', { value: canary })
      await refused(t.store.write(api, dry, (tx) => tx.create(copy)))
    })

    it('lets be equal what is short, what is excepted in both environments, and what is plain there', async () => {
      const allowing = { ...rule, allowEqual: ['REGION', 'ZONE'] }
      const { ns } = await shop([production, allowing])
      const everywhere = ['production', 'preview']
      const both = (of: string, spec: object): KubeObject =>
        secretOf(ns, of, { environments: everywhere, ...spec })
      await create(both('short', { value: '7 bytes' }))
      await create(both('region', { value: 'europe-central' }))
      await create(secret(ns, 'zone', 'preview', { value: 'europe-central' }))
      await create(both('level', { value: 'information', visibility: 'Plain' }))
      await refused(create(both('long', { value: '8 bytes!' })))
      // A key that is excepted takes no value of one that is not.
      await create(secret(ns, 'live', 'production', { value: canary }))
      await refused(update(secret(ns, 'zone', 'preview', { value: canary })))
      // What is masked in production does not become plain in a preview.
      const plain = { value: canary, visibility: 'Plain' }
      await refused(create(secret(ns, 'shown', 'preview', plain)))
    })

    it('refuses what is inherited by both, and what a stagelet has of its own', async () => {
      const { ns } = await shop([production, { name: 'preview', differsFrom: ['production'] }])
      expect(await refused(create(secretOf(ns, 'shared', { value: canary })))).toContain(
        'secret "shared" (SHARED) in environment "preview"',
      )
      await create(secret(ns, 'live', 'production', { value: canary }))
      await create({
        ...stageletOf(ns, 'pr-1'),
        spec: { ...stageletOf(ns, 'pr-1').spec, environment: 'preview' },
      })
      const own = secretOf(ns, 'own', { stageletRef: { name: 'pr-1' }, value: canary })
      await refused(create(own))
      // A secret that waits for its stagelet is judged when that one comes, or moves here.
      await create(secretOf(ns, 'waits', { stageletRef: { name: 'pr-2' }, value: canary }))
      const later = stageletOf(ns, 'pr-2')
      const inPreview = { ...later, spec: { ...later.spec, environment: 'preview' } }
      await refused(create(inPreview))
      await create(later)
      await refused(update(inPreview))
    })

    it('judges finished values: a reference, and a change of what it leads to', async () => {
      const ns = await liveAnd({ value: `https://user:${canary}@host` })
      await create(secret(ns, 'part', 'preview', { value: 'still-another' }))
      const url = { references: true, value: 'https://user:${PART}@host' }
      await create(secret(ns, 'url', 'preview', url))
      const message = await refused(update(secret(ns, 'part', 'preview', { value: canary })))
      expect(message).toContain('stagelysecrets.stagely.dev "part"')
      expect(message).toContain('secret "url" (URL) in environment "preview"')
    })

    it('judges a change of environments, of what is inherited, a follower, a rollback and a restore', async () => {
      const ns = await liveAnd()
      const project = { kind: 'Project', namespace: ns, name: 'shop' }
      await refused(
        update(secretOf(ns, 'live', { environments: ['production', 'preview'], value: canary })),
      )
      const follower = { valueFrom: { secretRef: { name: 'live' } } }
      await refused(create(secret(ns, 'follower', 'preview', follower)))
      await create(secret(ns, 'copy', 'preview', { value: other }))
      const source = secret(ns, 'copied', 'production', {
        valueFrom: { secretRef: { name: 'copy' } },
      })
      await refused(create(source))
      // What was equal to an older value of production may not come back once production has it again.
      await update(secret(ns, 'live', 'production', { value: 'meanwhile-another' }))
      await update(secret(ns, 'copy', 'preview', { value: canary }))
      await update(secret(ns, 'copy', 'preview', { value: other }))
      await update(secret(ns, 'live', 'production', { value: canary }))
      const copy = { kind: 'StagelySecret', namespace: ns, name: 'copy' }
      await refused(t.store.write(api, {}, (tx) => tx.rollbackSecret(copy, 2)))
      const { uid = '' } = (await t.store.get(copy))!.metadata
      await update(secret(ns, 'live', 'production', { value: 'one-more-value' }))
      await update(secret(ns, 'copy', 'preview', { value: canary }))
      await t.store.write(api, {}, (tx) => tx.remove(copy))
      await update(secret(ns, 'live', 'production', { value: canary }))
      await refused(t.store.write(api, {}, (tx) => tx.restoreSecret(project, uid)))
      await create(secretOf(ns, 'wide', { value: other }))
      await update(projectOf(ns, [production, { name: 'preview', inherits: 'Nothing' }]))
      await update(projectOf(ns, [production, rule]))
      await refused(update(projectOf(ns, [production, { ...rule, inherits: 'Project' }])))
    })

    it('tells by a condition what was equal before the rule, until it is mended', async () => {
      const { ns } = await shop([production, { name: 'preview' }])
      await create(secret(ns, 'live', 'production', { value: canary }))
      await create(secret(ns, 'copy', 'preview', { value: canary }))
      await create(secretOf(ns, 'shared', { value: 'a-value-for-everybody' }))
      const differing = { name: 'preview', differsFrom: ['production'] }
      await update(projectOf(ns, [production, differing]))
      const condition = await separated(ns)
      expect(condition).toMatchObject({ status: 'False', reason: 'SameValues' })
      expect(condition?.message).toContain('secret "copy" (COPY) in environment "preview"')
      expect(condition?.message).toContain('secret "shared" (SHARED) in environment "preview"')
      expect(condition?.message).not.toContain(canary)
      // What is as it was stays; another value that is equal too is refused.
      const described = secretOf(ns, 'shared', { description: 'for all' })
      await update(described)
      await refused(update(secretOf(ns, 'shared', { value: 'another-for-everybody' })))
      await update(secret(ns, 'copy', 'preview', { value: other }))
      expect((await separated(ns))?.message).not.toContain('COPY')
      await update(projectOf(ns, [production, { ...differing, allowEqual: ['SHARED'] }]))
      expect(await separated(ns)).toMatchObject({ status: 'True' })
      await update(projectOf(ns, [production, { name: 'preview' }]))
      expect(await separated(ns)).toBeUndefined()
    })

    it('bounds the list of the condition', async () => {
      const { ns } = await shop([production, { name: 'preview' }])
      await t.store.write(api, {}, async (tx) => {
        for (let i = 0; i < 200; i += 1)
          await tx.create(secretOf(ns, `shared-${i}`, { value: `a-value-for-everybody-${i}` }))
      })
      await update(projectOf(ns, [production, { name: 'preview', differsFrom: ['production'] }]))
      const { message = '' } = (await separated(ns)) ?? {}
      expect(message.length).toBeLessThan(2_000)
      expect(message).toContain('and 190 more')
    })

    it('refuses one login 20 times an hour, then all that is judged, and says until when', async () => {
      const ns = await liveAnd()
      const guesser = { ...api, id: 'guesser' }
      const copy = secret(ns, 'copy', 'preview', { value: canary })
      for (let i = 0; i < 20; i += 1) await refused(create(copy, guesser))
      const wrong = secret(ns, 'copy', 'preview', { value: other })
      const hour = toFineTimestamp(clock.now() + 3_600_000).slice(0, 19)
      for (const object of [copy, wrong])
        await expect(create(object, guesser)).rejects.toMatchObject({
          reason: 'TooManyRequests',
          message: expect.stringContaining(`wait until ${hour}`) as string,
          details: { retryAfterSeconds: 3_600 },
        })
      // Others, and other projects, go on.
      await refused(create(copy, { ...api, id: 'somebody-else' }))
      const { ns: elsewhere } = await createShop(t.store)
      await create(secretOf(elsewhere, 'x', { value: other }), guesser)
      clock.step(3_600_001)
      await create(wrong, guesser)
    })

    it('lets nobody find a value by dry runs who may not read it', async () => {
      const { ns } = await createShop(t.store)
      await create(secretOf(ns, 'pin', { value: '4711' }))
      const authority = { ...wholeRights, mayReadValues: () => false }
      const guesser: Actor = { ...api, id: 'guesser-of-pins', authority }
      const dry = (value: string, actor: Actor = guesser): Promise<KubeObject> =>
        t.store.write(actor, { dryRun: true }, (tx) => tx.update(secretOf(ns, 'pin', { value })))
      for (let i = 0; i < 20; i += 1) await dry(`100${i}`)
      // One that was tried passes, and so does a manifest with the stored value before the limit.
      await dry('1000')
      for (const value of ['4711', '2000'])
        await expect(dry(value)).rejects.toMatchObject({ reason: 'TooManyRequests' })
      await dry('2000', { ...guesser, authority: 'whole' })
      await dry('4711', { ...guesser, id: 'another' })
      clock.step(3_600_001)
      for (let i = 0; i < 40; i += 1) await dry('4711')
    })

    it('lets nobody try many new values by dry runs where environments have to differ', async () => {
      const ns = await liveAnd()
      const authority = { ...wholeRights, mayReadValues: () => false }
      const guesser: Actor = { ...api, id: 'guesser-by-new-secrets', authority }
      const dry = (from: number, to: number): Promise<void> =>
        t.store.write(guesser, { dryRun: true }, async (tx) => {
          for (let i = from; i < to; i += 1)
            await tx.create(
              secret(ns, `new-${i}`, 'preview', { value: `value-that-is-tried-${i}` }),
            )
        })
      await dry(0, 500)
      await dry(450, 550)
      await expect(dry(550, 1001)).rejects.toMatchObject({ reason: 'TooManyRequests' })
    })

    it('answers a right guess as a wrong one once a login has tried its values', async () => {
      const ns = await liveAnd()
      const authority = { ...wholeRights, mayReadValues: () => false }
      const guesser: Actor = { ...api, id: 'guesser-under-the-key', authority }
      const dry = (many: readonly KubeObject[]): Promise<void> =>
        t.store.write(guesser, { dryRun: true }, async (tx) => {
          for (const one of many) await tx.create(one)
        })
      const tried = Array.from({ length: 1_000 }, (_, i) =>
        secret(ns, `tried-${i}`, 'preview', { value: `value-that-is-tried-${i}` }),
      )
      await dry(tried)
      for (const value of ['wrong-one-of-a-thousand', canary])
        await expect(
          dry([secret(ns, 'copy', 'preview', { key: 'LIVE', value })]),
        ).rejects.toMatchObject({ reason: 'TooManyRequests' })
    })

    it('counts what is made with a typed value that came back in place of a drawn one', async () => {
      const ns = await liveAnd({ value: 'postgres://shop:4711' })
      const authority = { ...wholeRights, mayReadValues: () => false }
      const guesser: Actor = { ...api, id: 'guesser-by-rollback', authority }
      const drawn = { valueFrom: { generate: {} } }
      await create(secret(ns, 'part', 'preview', { value: 'postgres://shop:' }), guesser)
      await update(secret(ns, 'part', 'preview', drawn), guesser)
      const part = { kind: 'StagelySecret', namespace: ns, name: 'part' }
      await t.store.write(guesser, {}, (tx) => tx.rollbackSecret(part, 1))
      const tries = t.store.write(guesser, { dryRun: true }, async (tx) => {
        for (let i = 1_000; i < 2_001; i += 1)
          await tx.create(
            secret(ns, `url-${i}`, 'preview', { references: true, value: `\${PART}${i}` }),
          )
      })
      await expect(tries).rejects.toMatchObject({ reason: 'TooManyRequests' })
    })

    it('counts jobs of one rule of CI as one, and who completes a template as nobody', async () => {
      const ns = await liveAnd()
      const job = (id: string): Actor => ({
        ...api,
        id,
        countedAs: 'the rule of a TrustedIssuer',
        authority: { ...wholeRights, mayReadValues: () => false },
      })
      const external = { store: 'vault', key: 'part' }
      await create(secret(ns, 'part', 'preview', { valueFrom: { external } }))
      const give = (actor: Actor, from: number, value: string): Promise<void> =>
        t.store.write(actor, {}, async (tx) => {
          for (let i = from; i < from + 501; i += 1)
            await tx.create(
              secret(ns, `given-${i}`, 'preview', { references: true, value: `${value}-${i}` }),
            )
        })
      await give(job('first'), 0, '${PART}')
      await expect(give(job('second'), 501, 'a-typed-value')).rejects.toMatchObject({
        reason: 'TooManyRequests',
        message: expect.stringContaining('let somebody write it who may read all') as string,
      })
      await expect(give(job('second'), 501, '${PART}')).rejects.toThrow('wait until')
      // The templates were counted when they were given.
      const fetch = (of: string, value: string): Promise<KubeObject> => {
        const source = { kind: 'StagelySecret', namespace: ns, name: 'part' }
        const store = { ...system, countedAs: of }
        const fetched = {
          store: 'vault',
          key: 'part',
          remoteVersion: '1',
          value: Buffer.from(value),
        }
        return t.store.write(store, {}, (tx) => tx.putFetched(source, fetched))
      }
      await fetch('store 1', 'value-of-a-store')
      await fetch('store 2', 'another-value-of-a-store')
      await expect(fetch('store 2', 'third-value-of-a-store')).rejects.toThrow('wait until')
    })

    it('counts what stagelets with parts of their own make of templates that waited', async () => {
      const ns = await liveAnd()
      const authority = { ...wholeRights, mayReadValues: () => false }
      const guesser: Actor = { ...api, id: 'guesser-by-stagelets', authority }
      const inPreview = (i: number): KubeObject => {
        const stagelet = stageletOf(ns, `pr-${i}`)
        return { ...stagelet, spec: { ...stagelet.spec, environment: 'preview' } }
      }
      await t.store.write(api, {}, async (tx) => {
        for (let i = 0; i < 30; i += 1) await tx.create(inPreview(i))
      })
      const toCome = { valueFrom: { secretRef: { name: 'source' } } }
      await create(secret(ns, 'part', 'preview', toCome), guesser)
      await t.store.write(guesser, {}, async (tx) => {
        for (let i = 0; i < 30; i += 1) {
          const own = { key: 'OTHER', value: `part-of-${i}`, stageletRef: { name: `pr-${i}` } }
          await tx.create(secretOf(ns, `own-${i}`, own))
        }
        const other = { key: 'OTHER', value: 'part-of-all' }
        await tx.create(secret(ns, 'other', 'preview', other))
        for (let i = 0; i < 40; i += 1)
          await tx.create(
            secret(ns, `made-${i}`, 'preview', {
              references: true,
              value: `guess-${i}-\${PART}\${OTHER}`,
            }),
          )
      })
      const source = secret(ns, 'source', 'preview', { key: 'SOURCE', value: 'completes-them' })
      const dry = (actor: Actor): Promise<unknown> =>
        t.store.write(actor, { dryRun: true }, (tx) => tx.create(source))
      await expect(dry(guesser)).rejects.toMatchObject({ reason: 'TooManyRequests' })
      await dry({ ...api, id: 'who-reads-all' })
    })

    it('counts the values that a new rule judges', async () => {
      const guarded = { ...production, protected: true }
      const ns = await liveAnd(undefined, [guarded, { name: 'preview', inherits: 'Nothing' }])
      const authority = {
        ...wholeRights,
        mayChangeProtected: (_: string, of: string) => of !== 'production',
      }
      const guesser: Actor = { ...api, id: 'guesser-by-rules', authority }
      const many = (from: number): Promise<void> =>
        t.store.write(guesser, {}, async (tx) => {
          for (let i = from; i < from + 501; i += 1)
            await tx.create(secret(ns, `one-${i}`, 'preview', { value: `value-tried-${i}` }))
        })
      await many(0)
      await many(501)
      const project = projectOf(ns, [guarded, rule])
      await expect(update(project, guesser)).rejects.toMatchObject({ reason: 'TooManyRequests' })
      await update(project, { ...api, id: 'who-reads-all' })
      await update(project, guesser)
    })

    const guessers: readonly [string, Partial<Rights>][] = [
      ['may not read values', { mayReadValues: () => false }],
      ['reads values in preview alone', { narrowingIn: () => ({ environments: ['preview'] }) }],
      ['reads values but in production', { mayChangeProtected: (_, of) => of !== 'production' }],
    ]
    it.each(guessers)(
      'counts each finished value that a write makes, for who %s',
      async (of, rights) => {
        const protectedLive = { ...production, protected: true }
        const ns = await liveAnd(undefined, [protectedLive, rule])
        const guesser = {
          ...api,
          id: `guesser who ${of}`,
          authority: { ...wholeRights, ...rights },
        }
        const template = (i: number): KubeObject =>
          secret(ns, `url-${i}`, 'preview', { value: `\${PART}-of-${i}`, references: true })
        await create(secret(ns, 'part', 'preview', { value: 'part-of-a-guess' }), guesser)
        await t.store.write(guesser, {}, async (tx) => {
          for (let i = 0; i < 300; i += 1) await tx.create(template(i))
        })
        const next = (value: string, options = {}): Promise<KubeObject> =>
          t.store.write(guesser, options, (tx) =>
            tx.update(secret(ns, 'part', 'preview', { value })),
          )
        // 302 values so far, and 301 with each write, also with one of which nothing is stored.
        await next('another-part-of-it')
        await next('a-part-that-is-tried', { dryRun: true })
        const day = toFineTimestamp(clock.now() + 86_400_000).slice(0, 19)
        await expect(next('part-that-is-canary')).rejects.toMatchObject({
          reason: 'TooManyRequests',
          message: expect.stringContaining(`wait until ${day}`) as string,
        })
        // What was judged costs nothing, and whoever may read all of the project goes on.
        await next('a-part-that-is-tried')
        await update(secret(ns, 'part', 'preview', { value: 'of-an-admin' }), {
          ...api,
          id: 'admin',
        })
        clock.step(86_400_001)
        await next('part-of-the-next-day')
      },
    )

    it('lets values that the controller draws for previews cost nothing', async () => {
      const ns = await liveAnd()
      const authority = { ...wholeRights, mayReadValues: () => false }
      const deployer: Actor = { ...api, id: 'deployer', authority }
      for (let at = 0; at < 1_200; at += 400)
        await t.store.write(deployer, {}, async (tx) => {
          for (let i = at; i < at + 400; i += 1)
            await tx.create(secret(ns, `drawn-${i}`, 'preview', { valueFrom: { generate: {} } }))
        })
      expect(await separated(ns)).toMatchObject({ status: 'True' })
    })

    it('judges random writes of two controllers as the whole set would be', async () => {
      const { ns } = await shop()
      const other = t.databaseUrl === undefined ? t.store : (await t.again()).store
      const random = createRandom(7)
      const has = new Map<string, { environment: string; value: string }>()
      const valuesIn = (of: string): string[] =>
        [...has.values()].filter(({ environment }) => environment === of).map(({ value }) => value)
      let refusals = 0
      for (let i = 0; i < 120; i += 1) {
        const store = random.pick([t.store, other])
        const of = `key-${random.below(8)}`
        const before = has.get(of)
        const ref = { kind: 'StagelySecret', namespace: ns, name: of }
        if (random.once(8)) {
          has.delete(of)
          if (before !== undefined) await store.write(api, {}, (tx) => tx.remove(ref))
          continue
        }
        const value = `one-of-a-few-values-${random.below(12)}`
        const chosen = random.pick(['production', 'preview'])
        const environment = random.once(6) ? chosen : (before?.environment ?? chosen)
        has.set(of, { environment, value })
        const isSame = valuesIn('preview').some((its) => valuesIn('production').includes(its))
        const object = secret(ns, of, environment, { value })
        const write =
          before === undefined ? createAs(store, api, object) : updateAs(store, api, object)
        if (!isSame) await write
        else {
          refusals += 1
          await refused(write)
          if (before === undefined) has.delete(of)
          else has.set(of, before)
        }
      }
      expect(refusals).toBeGreaterThan(10)
      expect(await separated(ns)).toMatchObject({ status: 'True' })
    })

    it('renews the other values where one is refused, and says which one is', async () => {
      const everywhere = { environments: ['production', 'preview'] }
      const { ns } = await shop([production, { name: 'preview' }])
      const made = {
        valueFrom: { generate: { length: 20 } },
        expiry: { after: '90d', onExpiry: 'Rotate' },
      }
      await create(secretOf(ns, 'both', { ...everywhere, ...made }))
      await create(secret(ns, 'alone', 'production', made))
      await update(projectOf(ns, [production, rule]))
      const reconciler = createProjectReconciler({ store: t.store, clock })
      const run = (): Promise<unknown> =>
        reconciler.reconcile(`Project/${ns}/shop`, new AbortController().signal)
      const statuses = async (): Promise<unknown[]> =>
        Promise.all(
          ['both', 'alone'].map(async (of) => {
            const found = await t.store.get({ kind: 'StagelySecret', namespace: ns, name: of })
            const renewed = findCondition(statusConditions(found!), 'Renewed')
            return [found?.status?.['version'], renewed?.reason]
          }),
        )
      await run()
      clock.step(91 * 86_400_000)
      for (let i = 0; i < 2; i += 1) await run()
      expect(await statuses()).toEqual([
        [1, 'SameAsProduction'],
        [2, undefined],
      ])
      await update(projectOf(ns, [production, { ...rule, allowEqual: ['BOTH'] }]))
      await run()
      expect(await statuses()).toEqual([
        [2, undefined],
        [2, undefined],
      ])
    })

    it('names environments of the project alone in a rule', async () => {
      const { ns } = await shop()
      const misspelt = { name: 'preview', differsFrom: ['prodution', 'preview'] }
      await expect(update(projectOf(ns, [production, misspelt]))).rejects.toMatchObject({
        reason: 'Invalid',
        message: expect.stringMatching(
          /environments\[1\]\.differsFrom\[0\].*did you mean "production".*differsFrom\[1\]/,
        ) as string,
      })
    })
  })
}
