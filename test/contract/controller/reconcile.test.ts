// The control loops over a real store, with an agent that is played by the test: what they judge of
// its reports, and that they come to rest.
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createProjectReconciler } from '../../../controller/reconcilers/project/reconciler.ts'
import { createStageletReconciler } from '../../../controller/reconcilers/stagelet/reconciler.ts'
import { startReconcilers, type Reconcilers } from '../../../controller/reconcilers/start.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { apiVersion, type KubeObject } from '../../../src/resources/meta.ts'
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { Store } from '../../../src/store/store.ts'
import { aService, anObservation } from '../../support/builders.ts'
import { reaches } from '../../support/eventually.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { soak } from '../../support/soak.ts'
import {
  api,
  createAs,
  objectOf,
  secretOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'

const services = ['backend', 'frontend', 'postgres']
const ns = 'default'

/** Of the store what the project's reconciler uses; `change` happens before the last that it reads. */
const withBeforeDecision = (store: Store, change: () => Promise<unknown>): Store => {
  const used: Pick<Store, 'get' | 'list' | 'listRows' | 'revisionsOf' | 'readSet' | 'write'> = {
    get: (of) => store.get(of),
    list: (kind, options) => store.list(kind, options),
    listRows: (kind, options) => store.listRows(kind, options),
    revisionsOf: (uid) => store.revisionsOf(uid),
    write: (actor, options, fn) => store.write(actor, options, fn),
    readSet: async (uid, revision) => {
      await change()
      return store.readSet(uid, revision)
    },
  }
  return used as Store
}

/** On the embedded database in the long form: in the short one build-before reconciles there. */
const databases = ['postgres', 'pglite'] as const

describe.each(databases.slice(0, soak(1, databases.length)))('reconciling on %s', (database) => {
  let opened: TestStore
  let reconcilers: Reconcilers

  let judged = 0
  const start = (): Reconcilers =>
    startReconcilers({
      store: opened.store,
      clock: realClock,
      log: silentLogger,
      onRun: (reconciler) => (judged += reconciler === 'project' ? 1 : 0),
    })
  const read = async (kind: string, name: string): Promise<KubeObject> =>
    (await opened.store.get({ kind, namespace: ns, name }))!
  const verdict = async (kind: string, name: string, type: string): Promise<string> => {
    const conditions = (await read(kind, name)).status?.['conditions'] as Condition[] | undefined
    const condition = findCondition(conditions, type)
    return `${condition?.status}/${condition?.reason}`
  }
  const eventually = (expected: string, look: () => Promise<string>): Promise<void> =>
    reaches(look, expected)
  /** Waits until nothing is written for a while; returns the version then. */
  const rest = async (): Promise<number> => {
    let before = -1
    for (let now = await opened.store.currentVersion(); now !== before;) {
      before = now
      await realClock.sleep(1_500)
      now = await opened.store.currentVersion()
    }
    return before
  }

  const setValue = async (name: string, value: string): Promise<void> => {
    await opened.store.write(api, {}, async (tx) => {
      const secret = (await tx.get({ kind: 'StagelySecret', namespace: ns, name }))!
      await tx.update({ ...secret, spec: { ...secret.spec, value } })
    })
  }

  /** What an agent reports that runs the closed revision in every service; `over` spoils it. */
  const report = async (over: Partial<ObservationSpec> = {}): Promise<void> => {
    const projectUid = (await read('Project', 'shop')).metadata.uid!
    const { epoch, closed } = await opened.store.revisionsOf(projectUid)
    const set = await opened.store.readSet(projectUid, closed)
    const digests = services.map((s) =>
      serviceDigest(visibleTo(s, 'shop', environmentSet(set, 'shop'))),
    )
    const spec = anObservation({
      stageletUid: (await read('Stagelet', 'shop')).metadata.uid!,
      epoch,
      revision: closed,
      services: services.map((name, i) => aService({ name, digests: [digests[i] ?? ''] })),
      passed: Object.fromEntries(
        services.flatMap((s, i) => (digests[i] === undefined ? [] : [[s, digests[i]]])),
      ),
      ...over,
    })
    const object = {
      apiVersion,
      kind: 'Observation',
      metadata: { name: 'shop', namespace: ns },
      spec,
    }
    await opened.store.write(system, {}, (tx) => tx.putInternal(object))
  }

  beforeAll(async () => {
    opened = await openTestStore(database === 'postgres' ? inject('postgresUrl') : undefined)
    reconcilers = start()
    await createAs(opened.store, api, objectOf('Project', ns, 'shop'))
    await createAs(opened.store, api, objectOf('Agent', ns, 'box'))
    await opened.store.write(system, {}, (tx) =>
      tx.setConditions({ kind: 'Agent', namespace: ns, name: 'box' }, [
        { type: 'Ready', status: 'True', reason: 'Connected', message: '' },
      ]),
    )
    await createAs(
      opened.store,
      api,
      secretOf(ns, 'database-url', { value: 'postgres://somewhere' }),
    )
    await createAs(
      opened.store,
      api,
      secretOf(ns, 'stripe-key', { value: 'sk_something', scope: 'backend' }),
    )
    await createAs(opened.store, api, stageletOf(ns, 'shop'))
  })
  afterAll(async () => {
    await reconcilers?.stop()
    await opened?.destroy()
  })

  it('closes the change set by itself and asks the agent for that revision', async () => {
    await eventually('1', async () =>
      String((await read('Stagelet', 'shop')).status?.['wantedRevision']),
    )
    expect(await verdict('Stagelet', 'shop', 'SecretsInSync')).toBe('Unknown/NoReport')
  })

  it('is in sync once the labels that the agent read are the wanted digests', async () => {
    await report()
    await eventually('True/InSync', () => verdict('Stagelet', 'shop', 'SecretsInSync'))
    await eventually('True/Ready', () => verdict('Stagelet', 'shop', 'Ready'))
    await eventually('True/InSync', () => verdict('StagelySecret', 'stripe-key', 'InSync'))
  })

  it('writes nothing when there is nothing to do, not even after a restart', async () => {
    const version = await rest()
    await report()
    await reconcilers.stop()
    reconcilers = start()
    await realClock.sleep(1500)
    expect(await opened.store.currentVersion()).toBe(version)
  })

  it('never shows True between a write and the report that follows it', async () => {
    for (let round = 0; round < 20; round += 1) {
      await setValue('stripe-key', `sk_round_${round}`)
      expect(await verdict('Stagelet', 'shop', 'SecretsInSync')).toMatch(/^False/)
      expect(await verdict('Stagelet', 'shop', 'Ready')).toMatch(/^False/)
      expect(await verdict('StagelySecret', 'stripe-key', 'InSync')).toMatch(/^False/)
      await realClock.sleep(randomInt(30))
      expect(await verdict('Stagelet', 'shop', 'SecretsInSync')).toMatch(/^False/)
      expect(await verdict('Stagelet', 'shop', 'Ready')).toMatch(/^False/)
      // The other secret did not change: its own condition stays.
      expect(await verdict('StagelySecret', 'database-url', 'InSync')).toBe('True/InSync')
    }
    await rest()
    expect(await verdict('Stagelet', 'shop', 'SecretsInSync')).toBe('False/NewRevision')
    await report()
    await eventually('True/InSync', () => verdict('Stagelet', 'shop', 'SecretsInSync'))
    await eventually('True/InSync', () => verdict('StagelySecret', 'stripe-key', 'InSync'))
  })

  it('does not believe an agent that calls a rollout settled while a container keeps an old label', async () => {
    await setValue('database-url', 'postgres://elsewhere')
    await rest()
    await report({
      services: services.map((name) => aService({ name, digests: ['an-old-digest'] })),
    })
    await eventually('False/OutOfSync', () => verdict('Stagelet', 'shop', 'SecretsInSync'))
    await report()
    await eventually('True/InSync', () => verdict('Stagelet', 'shop', 'SecretsInSync'))
  })

  it('says so when a deleted secret still runs, until it does not', async () => {
    await opened.store.write(api, {}, (tx) =>
      tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'stripe-key' }),
    )
    expect(await verdict('Stagelet', 'shop', 'SecretsInSync')).toBe('False/NewRevision')
    await rest()
    await report()
    await eventually('True/InSync', () => verdict('Stagelet', 'shop', 'SecretsInSync'))
  })

  it('finds nothing to add to what the store says of a secret that nobody sees', async () => {
    await createAs(opened.store, api, objectOf('Project', ns, 'lone'))
    const at = { projectRef: { name: 'lone' } }
    await createAs(opened.store, api, secretOf(ns, 'unseen', { ...at, value: 'something' }))
    const stageletRef = { name: 'shop' }
    await createAs(
      opened.store,
      api,
      secretOf(ns, 'of-another', { ...at, stageletRef, value: 'x' }),
    )
    await setValue('unseen', 'something else')
    const versions = async (): Promise<unknown[]> =>
      Promise.all(
        ['unseen', 'of-another'].map(
          async (name) => (await read('StagelySecret', name)).metadata.resourceVersion,
        ),
      )
    for (const name of ['unseen', 'of-another']) {
      expect(await verdict('StagelySecret', name, 'InSync')).toBe('True/NoConsumers')
      expect(await verdict('StagelySecret', name, 'ScopeMatched')).toBe('Unknown/NoStagelet')
    }
    const written = await versions()
    await rest()
    expect((await read('Project', 'lone')).status).toMatchObject({ secrets: 2 })
    expect(await versions()).toEqual(written)
  })

  it('judges no project because a secret got a label, and does where somebody wrote its status', async () => {
    const ref = { kind: 'StagelySecret', namespace: ns, name: 'unseen' }
    await rest()
    const before = judged
    const { metadata } = await opened.store.write(api, {}, async (tx) => {
      const secret = (await tx.get(ref))!
      const labels = { tier: 'web' }
      return tx.update({ ...secret, metadata: { ...secret.metadata, labels } })
    })
    await rest()
    expect((await read('StagelySecret', 'unseen')).metadata).toEqual(metadata)
    expect(judged).toBe(before)
    const { status } = await read('StagelySecret', 'unseen')
    await opened.store.write(api, {}, async (tx) =>
      tx.setStatus({ ...(await tx.get(ref))!, status: { ...status, serviceCount: 9 } }),
    )
    await rest()
    expect((await read('StagelySecret', 'unseen')).status).toEqual(status)
  })

  it('writes what it has judged also where a label came in between', async () => {
    const ref = { kind: 'StagelySecret', namespace: ns, name: 'unseen' }
    await rest()
    await reconcilers.stop()
    const { status } = await read('StagelySecret', 'unseen')
    const { store } = opened
    await store.write(api, {}, async (tx) => {
      const wrong = { ...status, serviceCount: 9 }
      await tx.setStatus({ ...(await tx.get(ref))!, status: wrong })
    })
    const label = (): Promise<KubeObject> =>
      store.write(api, {}, async (tx) => {
        const secret = (await tx.get(ref))!
        return tx.update({ ...secret, metadata: { ...secret.metadata, labels: { tier: 'db' } } })
      })
    await createProjectReconciler({
      store: withBeforeDecision(store, label),
      clock: realClock,
    }).reconcile(`Project/${ns}/lone`, new AbortController().signal)
    const secret = await read('StagelySecret', 'unseen')
    expect(secret.metadata.labels).toEqual({ tier: 'db' })
    expect(secret.status).toEqual(status)
    reconcilers = start()
  })

  it('writes what it has judged of a project also where its rollout counted in between', async () => {
    const ref = { kind: 'Project', namespace: ns, name: 'lone' }
    await rest()
    await reconcilers.stop()
    const { store } = opened
    const set = (change: object): Promise<KubeObject> =>
      store.write(system, {}, async (tx) => {
        const project = (await tx.get(ref))!
        return tx.setStatus({ ...project, status: { ...project.status, ...change } })
      })
    const { status } = await set({ secrets: 9 })
    const counts = { total: 7, inSync: 0, progressing: 0, degraded: 0, away: 7 }
    await createProjectReconciler({
      store: withBeforeDecision(store, () => set({ stagelets: counts })),
      clock: realClock,
    }).reconcile(`Project/${ns}/lone`, new AbortController().signal)
    expect((await read('Project', 'lone')).status).toEqual({
      ...status,
      secrets: 2,
      stagelets: counts,
    })
    await set({ stagelets: status?.['stagelets'] })
    reconcilers = start()
  })

  it('says that nothing is known of what cannot be judged, and writes that once; what can be judged again is known', async () => {
    await createAs(opened.store, api, secretOf(ns, 'judged', { value: 'x', scope: 'backend' }))
    await rest()
    await report()
    await eventually('True/InSync', () => verdict('StagelySecret', 'judged', 'InSync'))
    await reconcilers.stop()
    const deps = { store: opened.store, clock: realClock }
    const { signal } = new AbortController()
    const fail = async (): Promise<void> => {
      await createStageletReconciler(deps).notKnown(`Stagelet/${ns}/shop`, signal)
      await createProjectReconciler(deps).notKnown(`Project/${ns}/shop`, signal)
    }
    await fail()
    for (const type of ['SecretsInSync', 'Ready', 'Degraded', 'AgentReachable'])
      expect(await verdict('Stagelet', 'shop', type)).toBe('Unknown/ReconcileFailed')
    expect((await read('Stagelet', 'shop')).status?.['services']).toMatchObject(
      services.map(() => ({ state: 'unknown' })),
    )
    expect(await verdict('Project', 'shop', 'Ready')).toBe('Unknown/ReconcileFailed')
    expect(await verdict('StagelySecret', 'judged', 'InSync')).toBe('Unknown/ReconcileFailed')
    expect(await verdict('StagelySecret', 'judged', 'Accepted')).toMatch(/^True/)
    const version = await opened.store.currentVersion()
    await fail()
    expect(await opened.store.currentVersion()).toBe(version)
    reconcilers = start()
    await eventually('True/InSync', () => verdict('Stagelet', 'shop', 'SecretsInSync'))
    await eventually('True/Ready', () => verdict('Stagelet', 'shop', 'Ready'))
    await eventually('True/InSync', () => verdict('StagelySecret', 'judged', 'InSync'))
    await eventually('True/Closed', () => verdict('Project', 'shop', 'Ready'))
  })

  it('counts events instead of repeating them', async () => {
    const { items } = await opened.store.list('Event', { namespace: ns })
    const keys = items.map((e) =>
      JSON.stringify([e.spec?.['involvedObject'], e.spec?.['reason'], e.spec?.['message']]),
    )
    expect(new Set(keys).size).toBe(keys.length)
  })
})
