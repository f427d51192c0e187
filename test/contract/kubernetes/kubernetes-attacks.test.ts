// A cluster that refuses, exaggerates or falls apart: the source tells what is wrong at the object, holds
// nothing else up, and asks ever more rarely.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import {
  startKubernetesSource,
  type KubernetesSource,
} from '../../../controller/kubernetes/start.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { agentFinalizer, type KubeObject } from '../../../src/resources/meta.ts'
import { ClusterApi } from '../../support/cluster/api.ts'
import { openTestCluster, type TestCluster } from '../../support/cluster/cluster.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { eventually } from '../../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
let cluster: TestCluster
let ours: TestStore
let source: KubernetesSource

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  ours = await openTestStore(inject('postgresUrl'))
  source = startKubernetesSource({
    kubeConfig: () => cluster.kubeConfig,
    namespaces: [cluster.namespace, cluster.otherNamespace],
    mayWrite: () => true,
    controllerId: 'ours',
    pruneAll: false,
    store: ours.store,
    clock: realClock,
    log: silentLogger,
  })
  await cluster.api.create(object('Project', 'shop'), object('Agent', 'box'))
})
afterAll(async () => {
  await source.stop()
  await ours.destroy()
  await cluster.remove()
})

const object = (
  kind: string,
  name: string,
  spec: Record<string, unknown> = {},
  namespace = cluster.namespace,
): KubeObject => ({ apiVersion, kind, metadata: { name, namespace }, spec })
const shop = { projectRef: { name: 'shop' } }
const stagelet = (name: string, namespace = cluster.namespace): KubeObject =>
  object(
    'Stagelet',
    name,
    { ...shop, agentRef: { name: 'box' }, compose: { directory: `/srv/${name}` } },
    namespace,
  )
const fromSecret = (
  name: string,
  kubernetesSecret: object,
  more: Record<string, unknown> = {},
): KubeObject =>
  object('StagelySecret', name, {
    ...shop,
    key: name.toUpperCase().replaceAll('-', '_'),
    valueFrom: { kubernetesSecret },
    ...more,
  })

const stored = (
  kind: string,
  name: string,
  namespace = cluster.namespace,
): Promise<KubeObject | undefined> => ours.store.get({ kind, namespace, name })
const accepted = async (name: string, kind = 'StagelySecret'): Promise<Condition | undefined> =>
  findCondition(
    (await cluster.api.get(kind, name))?.status?.['conditions'] as Condition[],
    'Accepted',
  )
const sleep = (ms: number): Promise<void> => realClock.sleep(ms)
const base64 = (value: string | Buffer): string => Buffer.from(value).toString('base64')
const values = async (): Promise<Record<string, string>> => {
  const project = { kind: 'Project', namespace: cluster.namespace, name: 'shop' }
  const reader = { name: 'ann', source: 'api', authority: 'whole' as const }
  const all = await ours.store.revealSet(reader, project, {
    way: 'export',
    choose: (set) => set.entries,
  })
  return Object.fromEntries(all.map(({ key, value }) => [key, base64(value)]))
}

test('a status that is refused is tried ever more rarely, and holds nothing up', async () => {
  const codes = [403, 422, 500]
  const tries = new Map(codes.map((code) => [code, 0]))
  const over = cluster.fault((request, response) => {
    const code = Number(/\/refused-(\d+)\/status/.exec(request.url ?? '')?.[1])
    if (request.method !== 'PATCH' || !tries.has(code)) return false
    tries.set(code, tries.get(code)! + 1)
    response.writeHead(code, { 'content-type': 'application/json' })
    response.end('{"kind":"Status","message":"no"}')
    return true
  })
  // What is wrong with each is what its status would say.
  const nowhere = { name: 'nowhere', key: 'key' }
  for (const code of codes) await cluster.api.create(fromSecret(`refused-${code}`, nowhere))
  await cluster.api.create(fromSecret('other', nowhere))
  await eventually(() => accepted('other')).toMatchObject({ status: 'False' })
  await eventually(() => Math.min(...tries.values())).toBeGreaterThan(2)
  await sleep(3_000)
  // From 50 ms on, doubled each time.
  expect(Math.max(...tries.values())).toBeLessThan(12)
  over()
  for (const code of codes)
    await eventually(() => accepted(`refused-${code}`)).toMatchObject({ status: 'False' })
})

test('an entry that no Secret has is not found, whatever it is called', async () => {
  await cluster.api.putSecret('plain', { one: base64('1') })
  for (const [i, key] of ['constructor', '__proto__', 'toString'].entries()) {
    await cluster.api.create(fromSecret(`odd-${i}`, { name: 'plain', key }))
    await eventually(() => accepted(`odd-${i}`)).toMatchObject({
      reason: 'ValueMissing',
      message: `the Secret plain has no entry ${key}`,
    })
  }
})

test('a value comes from the Secret of its name, though a server should show others too', async () => {
  const secret = (name: string, value: string): object => ({
    metadata: { name, namespace: cluster.namespace, uid: name, resourceVersion: '1' },
    data: { key: base64(value) },
  })
  const over = cluster.fault((request, response) => {
    if (!request.url?.includes('/secrets?')) return false
    response.writeHead(200, { 'content-type': 'application/json' })
    if (request.url.includes('watch=true')) {
      const line = { type: 'MODIFIED', object: secret('another', 'of another, later') }
      response.write(`${JSON.stringify(line)}\n`)
      return true
    }
    const items = [secret('another', 'of another'), secret('mine', 'mine')]
    response.end(JSON.stringify({ kind: 'SecretList', metadata: { resourceVersion: '1' }, items }))
    return true
  })
  await cluster.api.create(fromSecret('chosen', { name: 'mine', key: 'key' }))
  await eventually(values).toMatchObject({ CHOSEN: base64('mine') })
  await sleep(300)
  expect(await values()).toMatchObject({ CHOSEN: base64('mine') })
  over()
})

test('bytes come as they are into a file, and what does not fit is told without the value', async () => {
  const bytes = randomBytes(100_000)
  const [text, huge] = [base64(bytes), base64(randomBytes(1_040_000))]
  await cluster.api.putSecret('bytes', { key: text })
  await cluster.api.putSecret('huge', { key: huge })
  const file = { type: 'file', file: { path: '/run/secrets/bytes' } }
  await cluster.api.create(
    fromSecret('in-file', { name: 'bytes', key: 'key' }, file),
    fromSecret('in-env', { name: 'bytes', key: 'key' }),
    fromSecret('too-long', { name: 'huge', key: 'key' }),
  )
  await eventually(values).toMatchObject({ IN_FILE: text })
  for (const name of ['in-env', 'too-long']) {
    await eventually(() => accepted(name)).toMatchObject({ status: 'False', reason: 'Invalid' })
    const shown = JSON.stringify(await cluster.api.get('StagelySecret', name))
    for (const value of [text, huge]) expect(shown).not.toContain(value.slice(0, 20))
  }
  await cluster.api.putSecret('huge', { key: base64('small') })
  await eventually(values).toMatchObject({ TOO_LONG: base64('small') })
})

test('a request that is changed again and again is carried, and costs the cluster no write', async () => {
  await cluster.api.create(stagelet('busy'))
  const asked = async (): Promise<unknown> =>
    (await stored('Stagelet', 'busy'))?.metadata.annotations?.['stagely.dev/redeploy']
  await eventually(() => stored('Stagelet', 'busy')).toBeDefined()
  await sleep(1_000)
  const before = cluster.writes.length
  for (let i = 1; i <= 30; i++)
    await cluster.api.patch('Stagelet', 'busy', {
      metadata: { annotations: { 'stagely.dev/redeploy': `request ${i}` } },
    })
  await eventually(asked).toBe('request 30')
  await sleep(500)
  expect(cluster.writes.slice(before).filter((write) => write.includes('busy'))).toEqual([])
})

test('a name as long as a cluster lets it be comes in, and its state goes back', async () => {
  const name = 'n'.repeat(253)
  await cluster.api.create(fromSecret(name, { name: 'long', key: 'key' }, { key: 'LONG' }))
  await eventually(() => accepted(name)).toMatchObject({ status: 'False' })
  await cluster.api.putSecret('long', { key: base64('of a long name') })
  await eventually(() => accepted(name)).toMatchObject({ status: 'True' })
})

test('a namespace that is deleted takes its objects along, and may come back', async () => {
  const there = cluster.otherNamespace
  const api = new ClusterApi(cluster.direct, there)
  const kinds = ['Project', 'Agent', 'Stagelet'] as const
  const all = async (): Promise<(string | undefined)[]> =>
    (
      await Promise.all(['shop', 'box', 'prod'].map((name, i) => stored(kinds[i]!, name, there)))
    ).map((found) => found?.metadata.uid)
  const make = async (): Promise<void> => {
    await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: there } })
    await api.create(
      object('Project', 'shop', {}, there),
      object('Agent', 'box', {}, there),
      stagelet('prod', there),
    )
    await eventually(all).not.toContain(undefined)
    const ours = 'stagely.dev/controller'
    const kept = async (): Promise<unknown> =>
      (await api.get('Stagelet', 'prod'))?.metadata.finalizers
    await eventually(kept).toContain(ours)
    // This project's own API server gives a stagelet the agent's finalizer too; a cluster has only ours.
    await api.patch('Stagelet', 'prod', { metadata: { finalizers: [ours] } })
  }
  await make()
  const first = await all()
  await api.call('DELETE', `/api/v1/namespaces/${there}?propagationPolicy=Foreground`)
  await eventually(
    async () => (await stored('Stagelet', 'prod', there))?.metadata.deletionTimestamp,
  ).toBeDefined()
  // Its agent has let go.
  const machine = { name: 'agent', source: 'system', authority: 'whole' as const }
  const prod = { kind: 'Stagelet', namespace: there, name: 'prod' }
  await ours.store.write(machine, {}, (tx) => tx.removeFinalizer(prod, agentFinalizer))
  await eventually(() => api.call('GET', `/api/v1/namespaces/${there}`)).toBeUndefined()
  await eventually(all).toEqual([undefined, undefined, undefined])
  // The team outlives it.
  expect(await stored('Namespace', there, '')).toBeDefined()
  await make()
  for (const uid of await all()) expect(first).not.toContain(uid)
})
