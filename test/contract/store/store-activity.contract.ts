// What the store keeps for people of what happened. On any database.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toTimestamp, toFineTimestamp } from '../../../src/kernel/clock.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import { ActivityLog } from '../../../src/store/activity/activity-log.ts'
import { eraseInActivity } from '../../../src/store/activity/erase.ts'
import type {
  Activity,
  ActivityEntry,
  RolloutRecord,
} from '../../../src/store/core/activity-entry.ts'
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
import type { OpenStore } from './store.contract.ts'

const whole = { changeSet: { id: 'whole', last: true } }
const day = 86_400_000
const canary = 'act1vity-canary-in-no-table'

export const activityContract = (name: string, open: OpenStore): void => {
  describe(`activity on ${name}`, () => {
    const clock = createSteppedClock()
    let t: TestStore
    let log: ActivityLog
    beforeAll(async () => {
      t = await open({ clock })
      log = new ActivityLog(t.sql)
    })
    afterAll(() => t.destroy())

    const of = async (ns: string, filter = {}): Promise<readonly Activity[]> =>
      (await log.list({ teams: [ns], ...filter }, { limit: 100 }, clock.now())).items
    const rolloutsOf = async (uid: string): Promise<readonly Activity[]> =>
      (await log.rollouts({ teams: undefined, stagelet: uid }, { limit: 100 })).items
    const rolled = (stagelet: KubeObject, detail: Partial<RolloutRecord>): ActivityEntry => ({
      subject: stagelet.metadata.uid!,
      mark: `rollout ${detail.startedAt}`,
      at: clock.now(),
      kind: 'rollout',
      namespace: stagelet.metadata.namespace!,
      project: 'shop',
      stagelet: stagelet.metadata.name,
      detail: { revision: 1, cause: 'NewRevision', result: 'Progressing', ...detail },
    })
    /** Along with a change of the object. */
    const tell = (stagelet: KubeObject, ...happenings: ActivityEntry[]): Promise<void> => {
      clock.step(1)
      return t.store.write(system, {}, async (tx) => {
        for (const one of happenings) await tx.recordActivity(one)
        await tx.setConditions(
          {
            kind: 'Stagelet',
            namespace: stagelet.metadata.namespace!,
            name: stagelet.metadata.name,
          },
          [{ type: 'Ready', status: 'True', reason: 'Ready', message: `${clock.now()}` }],
        )
      })
    }

    it('keeps of each revision who changed which keys, and why', async () => {
      const { ns } = await createShop(t.store)
      await t.store.write(api, { ...whole, note: 'rotate' }, async (tx) => {
        await tx.create(secretOf(ns, 'db', { value: canary }))
        await tx.create(secretOf(ns, 'api-key', { value: canary }))
      })
      const [revision] = await of(ns)
      expect(revision).toMatchObject({
        kind: 'revision',
        namespace: ns,
        project: 'shop',
        at: clock.now(),
        detail: { revision: 1, by: ['alice'], keys: ['API_KEY', 'DB'], note: 'rotate', written: 2 },
      })
      expect(JSON.stringify(revision)).not.toContain(canary)
      const uid = revision!.subject
      const [listed] = await t.store.listRevisions(uid)
      expect(listed).toMatchObject({ revision: 1, by: ['alice'], keys: ['API_KEY', 'DB'] })
    })

    it('merges what is told later of one rollout, which is by those who made the revision', async () => {
      const { ns, projectUid } = await createShop(t.store)
      const stagelet = await createAs(t.store, system, stageletOf(ns, 'prod'))
      await t.store.write(api, whole, (tx) => tx.create(secretOf(ns, 'db', { value: 'one' })))
      const startedAt = '2026-01-01T12:00:00.000Z'
      const begun = { ...rolled(stagelet, { startedAt, toldAt: startedAt }), projectUid }
      await tell(stagelet, begun)
      clock.step(4_000)
      await tell(stagelet, rolled(stagelet, { startedAt, result: 'Healthy' }))
      const [one, ...rest] = await rolloutsOf(stagelet.metadata.uid!)
      expect(rest).toEqual([])
      expect(one).toMatchObject({
        detail: { by: ['alice'], toldAt: startedAt, result: 'Healthy' },
      })
    })

    it('tells of pauses, drains, deploys and retries, with who asked for them', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const agent = await createAs(t.store, api, objectOf('Agent', ns, 'box'))
      const asked = { [annotations.redeploy]: 'now', [annotations.retry]: 'now' }
      await updateAs(t.store, api, { ...stagelet, spec: { ...stagelet.spec, paused: true } })
      await updateAs(t.store, api, {
        ...stagelet,
        metadata: { ...stagelet.metadata, resourceVersion: undefined!, annotations: asked },
      })
      await updateAs(t.store, api, { ...agent, spec: { drained: true } })
      const drained = await t.store.get({ kind: 'Agent', namespace: ns, name: 'box' })
      expect(drained?.status).toEqual({ drainedSince: toTimestamp(clock.now()) })
      const told = (await of(ns, { kind: 'control' })).map(
        ({ stagelet: name, agent: box, detail }) => [...[name ?? box, detail]],
      )
      expect(told).toEqual([
        ['box', { what: 'drained', by: ['alice'] }],
        ['prod', { what: 'retried', by: ['alice'] }],
        ['prod', { what: 'deployed', by: ['alice'] }],
        ['prod', { what: 'resumed', by: ['alice'] }],
        ['prod', { what: 'paused', by: ['alice'] }],
      ])
    })

    it('tells when an agent has joined, went away and came back, and how long it was away', async () => {
      const { ns } = await createShop(t.store)
      const agent = await createAs(t.store, api, objectOf('Agent', ns, 'box'))
      const ref = { kind: 'Agent', namespace: ns, name: 'box' }
      const lost = toFineTimestamp(clock.now() + 5_000)
      const become = (reason: string, status: 'True' | 'Unknown', more = {}): Promise<unknown> => {
        clock.step(60_000)
        return t.store.write(system, {}, async (tx) => {
          await tx.setConditions(ref, [{ type: 'Ready', status, reason, message: reason }])
          const now = (await tx.get(ref))!
          await tx.setStatus({ ...now, status: { ...now.status, ...more } })
        })
      }
      await become('Joined', 'Unknown')
      await become('Connected', 'True')
      await become('Connected', 'True', { version: 'another' })
      await become('Disconnected', 'Unknown', { lastLost: lost })
      await become('Connected', 'True')
      const rows = (await of(ns)).map(({ kind, detail, agent: box }) => [kind, box, detail])
      expect(rows).toEqual([
        ['agent', 'box', { what: 'back', since: lost }],
        ['agent', 'box', { what: 'away' }],
        ['agent', 'box', { what: 'joined' }],
      ])
      expect(agent.kind).toBe('Agent')
    })

    it('keeps nothing of a dry run, or of a write that failed', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const paused = { ...stagelet, spec: { ...stagelet.spec, paused: true } }
      await t.store.write(api, { dryRun: true }, (tx) => tx.update(paused))
      const failing = t.store.write(api, {}, async (tx) => {
        await tx.update(paused)
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect(await of(ns)).toEqual([])
    })

    it('gives pages that go on where the last one ended', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const starts = ['1', '2', '3', '4', '5']
      await tell(stagelet, ...starts.map((startedAt) => rolled(stagelet, { startedAt })))
      const seen: string[] = []
      let before: { at: number; id: number } | undefined
      do {
        const page = await log.list({ teams: [ns] }, { limit: 2, before }, clock.now())
        seen.push(...page.items.map(({ detail }) => (detail as RolloutRecord).startedAt!))
        before = page.next
      } while (before !== undefined)
      expect(seen).toEqual([...starts].reverse())
      const failed = { ...rolled(stagelet, { startedAt: '6', result: 'Failed' }) }
      await tell(stagelet, failed)
      const filter = { teams: [ns], result: 'Failed' } as const
      expect((await log.rollouts(filter, { limit: 10 })).items).toHaveLength(1)
    })

    it('says nothing of healing as a rollout unless it is told by nothing else, and nothing of other teams', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const healing = { cause: 'Drift', startedAt: '1', result: 'Healthy' } as const
      await tell(stagelet, rolled(stagelet, healing))
      expect(await of(ns)).toEqual([])
      expect(await rolloutsOf(stagelet.metadata.uid!)).toHaveLength(1)
      await tell(stagelet, rolled(stagelet, { ...healing, startedAt: '2', untold: true }))
      expect(await of(ns)).toHaveLength(1)
      expect(await of('elsewhere')).toEqual([])
    })

    it('measures how fast revisions were proven, and counts apart what waited or failed', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, system, stageletOf(ns, 'fast'))
      const since = clock.now()
      const times = { toldMs: 100, startedMs: 50, healthyMs: 9_000, provenMs: 200 }
      const slow = { ...times, startedMs: 950, provenMs: 3_001 }
      const ends: Partial<RolloutRecord>[] = [
        { result: 'Healthy', times },
        { result: 'Healthy', times: { ...times, toldMs: 950 } },
        { result: 'Healthy', times: slow },
        { result: 'Healthy', times, heldBy: 'Paused' },
        { result: 'Healthy', times: slow, heldBy: 'AgentAway' },
        { result: 'Healthy' },
        { result: 'RolledBack' },
        { result: 'Healthy', times, cause: 'Drift' },
        { result: 'Progressing' },
      ]
      for (const [i, one] of ends.entries())
        await tell(stagelet, rolled(stagelet, { ...one, startedAt: toTimestamp(since + i * 1000) }))
      const filter = { teams: [ns], project: 'shop', since }
      const at = { namespace: ns, project: 'shop', stagelet: 'fast', revision: 1 }
      expect(await log.propagation(filter)).toEqual({
        proven: 3,
        objectives: [
          { within: 2, ms: [1_000, 1_050, 1_050], missed: [{ ...at, ms: 1_050 }] },
          { within: 2, ms: [200, 3_001, 3_001], missed: [{ ...at, ms: 3_001 }] },
        ],
        stages: {
          told: [100, 950, 950],
          started: [50, 950, 950],
          healthy: [9_000, 9_000, 9_000],
          proven: [200, 3_001, 3_001],
          total: [10_200, 13_051, 13_051],
        },
        others: { AgentAway: 1, Paused: 1, Unmeasured: 1, RolledBack: 1 },
      })
      const none = { within: 0, ms: null, missed: [] }
      const nothing = { proven: 0, objectives: [none, none], stages: {}, others: {} }
      expect(await log.propagation({ ...filter, project: 'other' })).toEqual(nothing)
      expect(await log.propagation({ ...filter, teams: ['another'] })).toEqual(nothing)
      expect(await log.propagation({ ...filter, since: clock.now() + 1 })).toEqual(nothing)
    })

    it('keeps the newest 50 rollouts of a stagelet whatever their age, and all else for 90 days', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const other = await createAs(t.store, api, stageletOf(ns, 'test'))
      const starts = Array.from({ length: 53 }, (_, i) => String(i))
      await tell(stagelet, ...starts.map((startedAt) => rolled(stagelet, { startedAt })))
      await updateAs(t.store, api, { ...other, spec: { ...other.spec, paused: true } })
      await tell(other, rolled(other, { startedAt: '1' }))
      clock.step(89 * day)
      await t.store.compact(clock.now())
      expect(await of(ns)).toHaveLength(52)
      clock.step(2 * day)
      await t.store.compact(clock.now())
      expect(await of(ns)).toEqual([])
      expect(await rolloutsOf(stagelet.metadata.uid!)).toHaveLength(50)
      expect(await rolloutsOf(other.metadata.uid!)).toHaveLength(1)
      const kept = await t.sql.query(`SELECT 1 FROM activity WHERE namespace = $1`, [ns])
      expect(kept).toHaveLength(51)
    })

    it('keeps lives of containers apart from what people read, those that are there first, and 90 days after their stagelet has gone', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, system, stageletOf(ns, 'prod'))
      const life = (id: string, detail: object): ActivityEntry => ({
        ...rolled(stagelet, {}),
        kind: 'container',
        mark: `container ${id}`,
        detail: { service: 'web', digest: 'd', ...detail },
      })
      const ids = Array.from({ length: 203 }, (_, i) => String(i).padStart(12, '0'))
      const [old, ...gone] = ids
      await tell(stagelet, ...ids.map((id) => life(id, { made: '1' })))
      await tell(stagelet, ...gone.map((id) => life(id, { removed: '2' })))
      clock.step(91 * day)
      await t.store.compact(clock.now())
      const kept = await log.containers(ns, 'shop')
      expect(kept.map(({ mark }) => mark)).toEqual(
        [old!, ...gone.slice(-199)].map((id) => `container ${id}`),
      )
      expect(kept[0]!.detail).not.toHaveProperty('removed')
      expect(kept.at(-1)).toMatchObject({ detail: { made: '1', removed: '2' } })
      expect(await of(ns)).toEqual([])
      const ref = { kind: 'Stagelet', namespace: ns, name: 'prod' }
      await t.store.write(system, {}, async (tx) => {
        for (const finalizer of stagelet.metadata.finalizers ?? [])
          await tx.removeFinalizer(ref, finalizer)
        await tx.remove(ref)
      })
      expect(await log.containers(ns, 'shop')).toHaveLength(200)
      await t.store.compact(clock.now())
      expect(await log.containers(ns, 'shop')).toEqual([])
    })

    it('drops the rollouts of a stagelet with it, and all of a team with the team', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, system, stageletOf(ns, 'prod'))
      await tell(stagelet, rolled(stagelet, { startedAt: '1' }))
      const paused = { ...stagelet.spec, paused: true }
      await t.store.write(system, {}, (tx) =>
        tx.update({
          ...stagelet,
          spec: paused,
          metadata: { ...stagelet.metadata, resourceVersion: undefined! },
        }),
      )
      const ref = { kind: 'Stagelet', namespace: ns, name: 'prod' }
      await t.store.write(system, {}, async (tx) => {
        for (const finalizer of stagelet.metadata.finalizers ?? [])
          await tx.removeFinalizer(ref, finalizer)
        await tx.remove(ref)
      })
      expect((await of(ns)).map(({ kind }) => kind)).toEqual(['control'])
      await t.store.write(api, {}, (tx) =>
        tx.remove({ kind: 'Namespace', namespace: '', name: ns }),
      )
      expect(await of(ns)).toEqual([])
    })

    it('puts a pseudonym in place of a person, in every place that names one', async () => {
      const { ns } = await createShop(t.store)
      const stagelet = await createAs(t.store, api, stageletOf(ns, 'prod'))
      const who = 'Zoë "Z" O’Hara'
      const blame = { service: who, keys: [], authors: ['bob', who] }
      const drift: ActivityEntry = {
        ...rolled(stagelet, {}),
        kind: 'drift',
        mark: 'drift',
        detail: {
          state: 'Healed',
          since: '1',
          changes: [
            {
              service: 'web',
              container: 'c',
              what: 'Removed',
              by: `${who} (as told) with "stagely compose rm"`,
            },
          ],
        },
      }
      await tell(stagelet, rolled(stagelet, { startedAt: '1', by: [who], blame }), drift)
      await eraseInActivity(t.sql, [who], 'erased:1')
      const rows = await of(ns)
      const [failed] = await rolloutsOf(stagelet.metadata.uid!)
      expect(failed!.detail).toMatchObject({
        by: ['erased:1'],
        blame: { service: who, authors: ['bob', 'erased:1'] },
      })
      expect(JSON.stringify(rows)).toContain('erased:1 (as told) with')
    })

    // Every commit waits for it, and so does a list of revisions, once for each.
    it('tells of a revision by indexes, however many versions of other revisions there are', async () => {
      const { projectUid } = await createShop(t.store)
      const plan = await t.sql.transaction(async (tx) => {
        await tx.exec('SET LOCAL enable_seqscan = off')
        return tx.query<{ 'QUERY PLAN': string }>(
          `EXPLAIN SELECT * FROM revision_facts WHERE project_uid = '${projectUid}' AND revision = 1`,
        )
      })
      const lines = plan.map((row) => row['QUERY PLAN'].trim())
      const ends = lines.filter((line) => line.includes('to_revision = '))
      expect(ends.length).toBeGreaterThan(2)
      for (const line of ends) expect(line).toMatch(/^(Index|Recheck) Cond: /)
    })
  })
}
