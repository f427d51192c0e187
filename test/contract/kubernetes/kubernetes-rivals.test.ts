// Two controllers of different databases that are told to follow the same namespace of a cluster.
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { leaseName, type Lease } from '../../../controller/kubernetes/claims.ts'
import {
  startKubernetesSource,
  type KubernetesSource,
} from '../../../controller/kubernetes/start.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { openTestCluster, type TestCluster } from '../../support/cluster/cluster.ts'
import { eventually } from '../../support/eventually.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'

const apiVersion = 'stagely.dev/v1alpha1'
/** Of a busy machine. */
const claimTimes = { renewMs: 500, leaseMs: 6_000, lookMs: 300 }
let cluster: TestCluster
let first: TestStore
let second: TestStore
const sources: KubernetesSource[] = []
/** As the second counts. */
let claimed = 0

/** The writes of the second go through the proxy, and no others do. */
const follow = (store: TestStore, controllerId: string): KubernetesSource => {
  const source = startKubernetesSource({
    kubeConfig: () => (controllerId === 'second' ? cluster.kubeConfig : cluster.direct),
    namespaces: [cluster.namespace],
    mayWrite: () => true,
    pruneAll: false,
    store: store.store,
    clock: realClock,
    log: silentLogger,
    controllerId,
    claimTimes,
    onClaimed: (count) => {
      if (controllerId === 'second') claimed = count
    },
  })
  sources.push(source)
  return source
}

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  first = await openTestStore(inject('postgresUrl'))
  second = await openTestStore(inject('postgresUrl'))
  const metadata = { name: 'shop', namespace: cluster.namespace }
  await cluster.api.create({ apiVersion, kind: 'Project', metadata, spec: {} })
})
afterAll(async () => {
  for (const source of sources) await source.stop()
  await first.destroy()
  await second.destroy()
  await cluster.remove()
})

const projectIn = ({ store }: TestStore): Promise<KubeObject | undefined> =>
  store.get({ kind: 'Project', namespace: cluster.namespace, name: 'shop' })
const followedBy = async ({ store }: TestStore): Promise<Condition | undefined> => {
  const team = await store.get({ kind: 'Namespace', namespace: '', name: cluster.namespace })
  return findCondition(team?.status?.['conditions'] as Condition[], 'ClusterFollowed')
}
const eventsPath = (): string => `/api/v1/namespaces/${cluster.namespace}/events`
const lease = (): Promise<Lease | undefined> =>
  cluster.api.call<Lease>(
    'GET',
    `/apis/coordination.k8s.io/v1/namespaces/${cluster.namespace}/leases/${leaseName}`,
  )

test('the second takes nothing and writes nothing, and says so where people look', async () => {
  follow(first, 'first')
  await eventually(() => projectIn(first)).toBeDefined()
  follow(second, 'second')
  await eventually(() => followedBy(second)).toMatchObject({
    status: 'False',
    reason: 'ClaimedByAnother',
    message: expect.stringContaining('claimed by the controller first') as string,
  })
  expect(claimed).toBe(1)
  const list = await cluster.api.call<{ items: { reason: string; type: string }[] }>(
    'GET',
    eventsPath(),
  )
  expect(list?.items).toMatchObject([{ type: 'Warning', reason: 'ClaimedByAnother' }])
  await cluster.api.patch('Project', 'shop', { metadata: { labels: { tier: 'one' } } })
  await eventually(async () => (await projectIn(first))?.metadata.labels).toEqual({ tier: 'one' })
  // Longer than a claim lasts that nobody renews.
  await realClock.sleep(claimTimes.leaseMs + 2_000)
  expect(await projectIn(second)).toBeUndefined()
  expect(cluster.writes.map((write) => write.split('?')[0])).toEqual([`POST ${eventsPath()}`])
  expect((await lease())?.spec?.holderIdentity).toBe('first')
})

test('a controller of the same database goes on at once, and another when the claim is stale', async () => {
  await sources[0]!.stop()
  const replica = follow(first, 'first')
  await cluster.api.patch('Project', 'shop', { metadata: { labels: { tier: 'two' } } })
  await eventually(async () => (await projectIn(first))?.metadata.labels).toEqual({ tier: 'two' })
  expect(claimed).toBe(1)
  await replica.stop()
  await eventually(() => projectIn(second), 60_000).toBeDefined()
  expect(claimed).toBe(0)
  expect((await lease())?.spec).toMatchObject({ holderIdentity: 'second', leaseTransitions: 1 })
  await eventually(() => followedBy(second)).toMatchObject({ status: 'True', reason: 'Followed' })
})
