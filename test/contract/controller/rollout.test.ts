// A change goes to the stagelets of a project in turns, over a real store and the real loops, with
// agents that are played by the test.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { gatherRollout } from '../../../controller/reconcilers/rollout/gather.ts'
import { viewRollout } from '../../../controller/reconcilers/rollout/view.ts'
import { startReconcilers, type Reconcilers } from '../../../controller/reconcilers/start.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { annotations, type KubeObject } from '../../../src/resources/meta.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { ProjectStatus } from '../../../src/kinds/project/schema.ts'
import type { StageletSpec, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import { aService, anObservation } from '../../support/builders.ts'
import { reaches } from '../../support/eventually.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  objectOf,
  secretOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'

const ns = 'default'
const names = ['one', 'two', 'three']

describe('a rollout in turns', () => {
  let opened: TestStore
  let reconcilers: Reconcilers
  let round = 0

  const read = async (kind: string, name: string): Promise<KubeObject> =>
    (await opened.store.get({ kind, namespace: ns, name }))!
  const project = async (): Promise<ProjectStatus> => (await read('Project', 'shop')).status ?? {}
  const stagelet = async (name: string): Promise<StageletStatus> =>
    (await read('Stagelet', name)).status ?? {}
  const closed = async (): Promise<number> =>
    (await opened.store.revisionsOf((await read('Project', 'shop')).metadata.uid!)).closed
  const wanted = async (): Promise<(number | undefined)[]> =>
    Promise.all(names.map(async (name) => (await stagelet(name)).wantedRevision))
  const state = async (): Promise<string | undefined> => (await project()).rollout?.state
  const change = async (
    kind: string,
    name: string,
    edit: (object: KubeObject) => KubeObject,
  ): Promise<void> => {
    await opened.store.write(api, {}, async (tx) => {
      await tx.update(edit((await tx.get({ kind, namespace: ns, name }))!))
    })
  }
  const setRollout = (rollout: object): Promise<void> =>
    change('Project', 'shop', (object) => ({ ...object, spec: { rollout } }))
  /** A new closed revision; returns its number. */
  const newRevision = async (value = `value ${(round += 1)}`): Promise<number> => {
    const before = await closed()
    const changeSet = { id: `set-${(round += 1)}`, last: true }
    await opened.store.write(api, { changeSet }, async (tx) => {
      const secret = (await tx.get({ kind: 'StagelySecret', namespace: ns, name: 'key' }))!
      await tx.update({ ...secret, spec: { ...secret.spec, value } })
    })
    expect(await closed()).toBe(before + 1)
    return before + 1
  }
  const projectOf = async (name: string): Promise<string> => {
    const { spec } = await read('Stagelet', name)
    return (spec as unknown as StageletSpec).projectRef.name
  }
  const digestAt = async (name: string, revision: number): Promise<string> => {
    const uid = (await read('Project', await projectOf(name))).metadata.uid!
    const set = await opened.store.readSet(uid, revision)
    return serviceDigest(visibleTo('web', name, environmentSet(set, name))) ?? ''
  }
  /** The agent of the stagelet says that it runs what it is told, healthily. */
  const report = async (name: string, over: Partial<ObservationSpec> = {}): Promise<void> => {
    const uid = (await read('Project', await projectOf(name))).metadata.uid!
    const revision = over.revision ?? (await stagelet(name)).wantedRevision ?? 0
    const digest = await digestAt(name, revision)
    const spec = anObservation({
      agent: `${ns}/agent-${name}`,
      stageletUid: (await read('Stagelet', name)).metadata.uid!,
      projectUid: uid,
      epoch: (await opened.store.revisionsOf(uid)).epoch,
      revision,
      services: [aService({ name: 'web', digests: [digest] })],
      passed: { web: digest },
      ...over,
    })
    const object = { ...objectOf('Observation', ns, name), spec: { ...spec } }
    await opened.store.write(system, {}, (tx) => tx.putInternal(object))
  }
  const setReady = (name: string, ready: boolean): Promise<void> =>
    opened.store.write(system, {}, (tx) =>
      tx.setConditions({ kind: 'Agent', namespace: ns, name: `agent-${name}` }, [
        {
          type: 'Ready',
          status: ready ? 'True' : 'Unknown',
          reason: ready ? 'Connected' : 'Disconnected',
          message: '',
        },
      ]),
    )

  beforeAll(async () => {
    opened = await openTestStore(inject('postgresUrl'))
    reconcilers = startReconcilers({ store: opened.store, clock: realClock, log: silentLogger })
    await createAs(opened.store, api, objectOf('Project', ns, 'shop'))
    await createAs(opened.store, api, secretOf(ns, 'key', { value: 'first' }))
    for (const name of names) {
      await createAs(opened.store, api, objectOf('Agent', ns, `agent-${name}`))
      await setReady(name, true)
      const object = stageletOf(ns, name)
      const spec = { ...object.spec, agentRef: { name: `agent-${name}` } }
      await createAs(opened.store, api, { ...object, spec })
    }
    await reaches(wanted, [1, 1, 1])
  })
  afterAll(async () => {
    await reconcilers?.stop()
    await opened?.destroy()
  })
  beforeEach(async () => {
    await setRollout({})
    const revision = await newRevision()
    await reaches(wanted, [revision, revision, revision])
    for (const name of names) await report(name)
    await reaches(state, 'Complete')
  })

  it('counts how the stagelets are', async () => {
    await reaches(async () => (await project()).stagelets, {
      total: 3,
      inSync: 3,
      progressing: 0,
      degraded: 0,
      unknown: 0,
      away: 0,
    })
  })

  it('goes to one after the other, each time the one before is healthy', async () => {
    await setRollout({ maxConcurrent: 1 })
    const revision = await newRevision()
    const old = revision - 1
    // By name: one, three, two.
    await reaches(wanted, [revision, old, old])
    await report('one')
    await reaches(wanted, [revision, old, revision])
    expect((await project()).rollout).toMatchObject({
      state: 'Progressing',
      healthy: 1,
      waiting: 1,
    })
    await report('three')
    await reaches(wanted, [revision, revision, revision])
    await report('two')
    await reaches(state, 'Complete')
  })

  it('stops at a failure, says why, and goes on with a mended value', async () => {
    await setRollout({ maxConcurrent: 1 })
    const revision = await newRevision('bad')
    const old = revision - 1
    await reaches(wanted, [revision, old, old])
    const failure = {
      service: 'web',
      digest: await digestAt('one', revision),
      revision,
      retry: '',
      message: 'web exited with 1',
    }
    await report('one', { revision: old, quarantine: [failure] })
    await reaches(state, 'Stopped')
    await reaches(wanted, [old, old, old])
    const { conditions, rollout } = await project()
    expect(rollout?.failed).toEqual(['one'])
    expect(conditions?.find((c) => c.type === 'Degraded')?.message).toContain('web exited with 1')
    const events = (await opened.store.list('Event', { namespace: ns })).items.map(
      (e) => e.spec as { reason: string; involvedObject: { kind: string } },
    )
    expect(events.filter((e) => e.reason === 'RolloutStopped')).toHaveLength(1)
    const mended = await newRevision()
    await reaches(wanted, [mended, old, old])
    await report('one')
    await reaches(wanted, [mended, old, mended])
  })

  it('tells nobody of a revision while it is paused, and keeps what they have', async () => {
    await setRollout({ paused: true })
    const revision = await newRevision()
    await reaches(state, 'Paused')
    await reaches(
      async () => (await stagelet('one')).conditions?.find((c) => c.type === 'Progressing')?.reason,
      'AwaitingTurn',
    )
    expect(await wanted()).toEqual([revision - 1, revision - 1, revision - 1])
    await setRollout({ paused: false })
    await reaches(wanted, [revision, revision, revision])
  })

  it('keeps a new revision from a drained machine, with and without turns', async () => {
    const drain = (drained: boolean): Promise<void> =>
      change('Agent', 'agent-two', (object) => ({ ...object, spec: { drained } }))
    await drain(true)
    const revision = await newRevision()
    await reaches(wanted, [revision, revision - 1, revision])
    await reaches(
      async () => (await stagelet('two')).conditions?.find((c) => c.type === 'Progressing')?.reason,
      'AgentDrained',
    )
    await change('Project', 'shop', (object) => ({ ...object, spec: {} }))
    const next = await newRevision()
    await reaches(wanted, [next, revision - 1, next])
    await drain(false)
    await reaches(wanted, [next, next, next])
    await reaches(async () => (await project()).rollout, undefined)
  })

  it('tries a failed stagelet again when its retry annotation changes', async () => {
    await setRollout({ maxConcurrent: 1 })
    const revision = await newRevision()
    await reaches(async () => (await wanted())[0], revision)
    const failure = {
      service: 'web',
      digest: await digestAt('one', revision),
      revision,
      retry: '',
      message: '',
    }
    await report('one', { revision: revision - 1, quarantine: [failure] })
    await reaches(state, 'Stopped')
    await change('Stagelet', 'one', (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, [annotations.retry]: `try ${revision}` },
      },
    }))
    await reaches(async () => (await wanted())[0], revision)
    await report('one')
    await reaches(wanted, [revision, revision - 1, revision])
  })

  it('passes over a machine that is away, and takes it in when it is back', async () => {
    await setRollout({ maxConcurrent: 1 })
    await setReady('one', false)
    const revision = await newRevision()
    await reaches(wanted, [revision - 1, revision - 1, revision])
    await setReady('one', true)
    await report('three')
    await reaches(async () => (await wanted())[0], revision)
  })

  describe('of a project that a stagelet has moved to', () => {
    const stands = async (): Promise<string[]> => {
      const [now, where] = [realClock.now(), { namespace: ns, name: 'other' }]
      const input = await gatherRollout(opened.store, where, { now, always: true })
      const { state: how, stagelets } = viewRollout(input!)
      return [how, ...stagelets.map(({ standing }) => standing)]
    }
    const move = (name: string): Promise<void> =>
      change('Stagelet', 'two', (object) => ({
        ...object,
        spec: { ...object.spec, projectRef: { name } },
      }))

    beforeAll(async () => {
      await createAs(opened.store, api, objectOf('Project', ns, 'other'))
      const secret = secretOf(ns, 'other', { projectRef: { name: 'other' }, value: 'other' })
      const changeSet = { id: 'other', last: true }
      await opened.store.write(api, { changeSet }, (tx) => tx.create(secret))
    })
    afterEach(() => move('shop'))

    it('is not over before the stagelet runs a revision of that project', async () => {
      await move('other')
      const [state, standing] = await stands()
      expect(state).toBe('Progressing')
      // It may have been let in already.
      expect(['waiting', 'busy']).toContain(standing)
      await reaches(async () => (await wanted())[1], 1)
      await reaches(stands, ['Progressing', 'busy'])
      expect((await stagelet('two')).runningRevision).toBeUndefined()
      await report('two')
      await reaches(stands, ['Complete', 'healthy'])
    })

    it('gives it a turn of its own, and leaves it what it had until then', async () => {
      await change('Project', 'other', (object) => ({
        ...object,
        spec: { rollout: { paused: true } },
      }))
      const before = (await wanted())[1]
      await move('other')
      const why = async (): Promise<string | undefined> =>
        (await stagelet('two')).conditions?.find((c) => c.type === 'Progressing')?.reason
      await reaches(why, 'AwaitingTurn')
      expect((await wanted())[1]).toBe(before)
      await change('Project', 'other', (object) => ({ ...object, spec: { rollout: {} } }))
      await reaches(async () => (await wanted())[1], 1)
      await report('two')
      await reaches(stands, ['Complete', 'healthy'])
    })
  })
})
