// A cluster as a source: specs come in, status goes back, over the wire and through its faults.
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { startKubernetesSource, type KubernetesSource } from '../../controller/kubernetes/start.ts'
import { startReconcilers, type Reconcilers } from '../../controller/reconcilers/start.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import type { Actor, Store } from '../../src/store/store.ts'
import { startTestCluster, type TestCluster } from '../support/cluster.ts'
import { openTestStore, type TestStore } from '../support/open-test-store.ts'

const person: Actor = { name: 'ann', source: 'api' }
const machine: Actor = { name: 'agent', source: 'system' }
let cluster: TestCluster
let ours: TestStore
let reconcilers: Reconcilers
let source: KubernetesSource

const start = (more: { namespaces?: string[]; pruneAll?: boolean } = {}): KubernetesSource =>
  startKubernetesSource({
    kubeConfig: cluster.kubeConfig,
    namespaces: more.namespaces,
    pruneAll: more.pruneAll ?? false,
    store: ours.store,
    clock: realClock,
    log: silentLogger,
  })

const apiVersion = 'stagely.dev/v1alpha1'
const project = (name: string): KubeObject => ({
  apiVersion,
  kind: 'Project',
  metadata: { name, namespace: 'default' },
  spec: {},
})
const secret = (name: string, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { name, namespace: 'default' },
  spec: { projectRef: { name: 'shop' }, key: name.toUpperCase().replaceAll('-', '_'), ...spec },
})
const stagelet = (name: string): KubeObject => ({
  apiVersion,
  kind: 'Stagelet',
  metadata: { name, namespace: 'default' },
  spec: {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box' },
    compose: { directory: `/srv/${name}` },
  },
})

const create = (store: Store, ...objects: KubeObject[]): Promise<KubeObject[]> =>
  store.write(person, {}, async (tx) => {
    const made: KubeObject[] = []
    for (const object of objects) made.push(await tx.create(object))
    return made
  })
const change = (kind: string, name: string, edit: (object: KubeObject) => void): Promise<unknown> =>
  cluster.store.write(person, {}, async (tx) => {
    const object = (await tx.get({ kind, namespace: 'default', name }))!
    edit(object)
    return tx.update(object)
  })
const remove = (kind: string, name: string): Promise<unknown> =>
  cluster.store.write(person, {}, (tx) => tx.remove({ kind, namespace: 'default', name }))
const get = (store: Store, kind: string, name: string): Promise<KubeObject | undefined> =>
  store.get({ kind, namespace: 'default', name })
const condition = async (
  store: Store,
  kind: string,
  name: string,
  type: string,
): Promise<Condition | undefined> =>
  findCondition((await get(store, kind, name))?.status?.['conditions'] as Condition[], type)
const eventually = <T>(read: () => Promise<T> | T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(read, { timeout: 15_000, interval: 50 })
const settled = async (): Promise<void> => {
  let before = -1
  while (before !== cluster.writes.length) {
    before = cluster.writes.length
    await new Promise((resolve) => setTimeout(resolve, 700))
  }
}

beforeAll(async () => {
  cluster = await startTestCluster(inject('postgresUrl'))
  ours = await openTestStore(inject('postgresUrl'))
  reconcilers = startReconcilers({ store: ours.store, clock: realClock, log: silentLogger })
  source = start()
  await create(cluster.store, project('shop'), secret('db-url'), stagelet('prod'))
})
afterAll(async () => {
  await source.stop()
  await reconcilers.stop()
  await ours.destroy()
  await cluster.remove()
})
const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0)) step()
})

test('specs come in, with their labels and where they are from', async () => {
  await eventually(() => get(ours.store, 'Stagelet', 'prod')).toBeDefined()
  await change('Project', 'shop', (o) => {
    o.spec = { description: 'the shop' }
    o.metadata.labels = { tier: 'web' }
  })
  await eventually(() => get(ours.store, 'Project', 'shop')).toMatchObject({
    metadata: {
      labels: { tier: 'web' },
      annotations: { 'stagely.dev/source': 'kubernetes', 'stagely.dev/kubernetes-generation': '2' },
    },
    spec: { description: 'the shop' },
  })
})

test('status goes back, with generations of the cluster', async () => {
  await eventually(() =>
    condition(cluster.store, 'StagelySecret', 'db-url', 'Accepted'),
  ).toMatchObject({
    status: 'False',
    reason: 'ValueMissing',
  })
  const { generation } = (await get(cluster.store, 'StagelySecret', 'db-url'))!.metadata
  await eventually(
    async () =>
      (await condition(cluster.store, 'StagelySecret', 'db-url', 'Accepted'))?.observedGeneration,
  ).toBe(generation)
})

test('a settled cluster sees no write from us, also after a new start', async () => {
  await settled()
  const before = cluster.writes.length
  await source.stop()
  source = start()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  expect(cluster.writes.slice(before)).toEqual([])
})

test('what the cluster owns is not changed by another door', async () => {
  const write = ours.store.write(person, {}, async (tx) => {
    const object = (await tx.get({ kind: 'Project', namespace: 'default', name: 'shop' }))!
    return tx.update({ ...object, spec: { description: 'mine' } })
  })
  await expect(write).rejects.toThrow(/kubernetes/)
})

test('a value comes from a Secret of the cluster, and follows it', async () => {
  await create(
    cluster.store,
    secret('api-key', { valueFrom: { kubernetesSecret: { name: 'keys', key: 'api' } } }),
  )
  await eventually(() =>
    condition(cluster.store, 'StagelySecret', 'api-key', 'Accepted'),
  ).toMatchObject({
    reason: 'ValueMissing',
    message: 'there is no Secret keys in this namespace',
  })
  cluster.putSecret('default', 'keys', { other: 'eA==' })
  await eventually(
    async () => (await condition(cluster.store, 'StagelySecret', 'api-key', 'Accepted'))?.message,
  ).toBe('the Secret keys has no entry api')
  cluster.putSecret('default', 'keys', { api: Buffer.from('first-value').toString('base64') })
  await eventually(
    async () => (await get(cluster.store, 'StagelySecret', 'api-key'))?.status,
  ).toMatchObject({
    version: 1,
    bytes: 11,
  })
  cluster.putSecret('default', 'keys', { api: Buffer.from('second-value-here').toString('base64') })
  await eventually(
    async () => (await get(cluster.store, 'StagelySecret', 'api-key'))?.status,
  ).toMatchObject({
    version: 2,
    bytes: 17,
  })
  // The same value in a changed Secret is no new version.
  cluster.putSecret('default', 'keys', {
    api: Buffer.from('second-value-here').toString('base64'),
    more: 'eA==',
  })
  await settled()
  expect((await get(ours.store, 'StagelySecret', 'api-key'))?.status).toMatchObject({ version: 2 })
})

test('what cannot be taken is told at the object, until it can', async () => {
  await create(ours.store, project('taken'))
  await create(cluster.store, project('taken'))
  await eventually(() => condition(cluster.store, 'Project', 'taken', 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'Conflict',
    message: expect.stringContaining('api') as string,
  })
  await ours.store.write(person, {}, (tx) =>
    tx.remove({ kind: 'Project', namespace: 'default', name: 'taken' }),
  )
  await eventually(() => get(ours.store, 'Project', 'taken')).toMatchObject({
    metadata: { annotations: { 'stagely.dev/source': 'kubernetes' } },
  })
  await eventually(() => condition(cluster.store, 'Project', 'taken', 'Accepted')).toBeUndefined()
})

test('a stagelet stays in the cluster until its agent has let go of it', async () => {
  await create(
    cluster.store,
    { apiVersion, kind: 'Agent', metadata: { name: 'box', namespace: 'default' }, spec: {} },
    stagelet('preview'),
  )
  await eventually(
    async () => (await get(cluster.store, 'Stagelet', 'preview'))?.metadata.finalizers,
  ).toContain('stagely.dev/controller')
  await eventually(() => get(ours.store, 'Stagelet', 'preview')).toBeDefined()
  // An agent that was there once is asked, however long it is away.
  const box = { kind: 'Agent', namespace: 'default', name: 'box' }
  const away = { type: 'Ready', status: 'Unknown', reason: 'Disconnected', message: '' } as const
  await ours.store.write(machine, {}, (tx) => tx.setConditions(box, [away]))
  await remove('Stagelet', 'preview')
  await eventually(
    async () => (await get(ours.store, 'Stagelet', 'preview'))?.metadata.deletionTimestamp,
  ).toBeDefined()
  expect(await get(cluster.store, 'Stagelet', 'preview')).toBeDefined()
  const ref = { kind: 'Stagelet', namespace: 'default', name: 'preview' }
  await ours.store.write(machine, {}, (tx) => tx.removeFinalizer(ref, 'stagely.dev/agent'))
  await eventually(() => get(ours.store, 'Stagelet', 'preview')).toBeUndefined()
  // The cluster's own store has the agent's finalizer too, for it is the same kind of store.
  await eventually(
    async () => (await get(cluster.store, 'Stagelet', 'preview'))?.metadata.finalizers,
  ).toEqual(['stagely.dev/agent'])
  await cluster.store.write(machine, {}, (tx) => tx.removeFinalizer(ref, 'stagely.dev/agent'))
})

test('an object that is made anew under its name while nobody looks is a new object', async () => {
  await create(cluster.store, secret('anew'))
  await eventually(() => get(ours.store, 'StagelySecret', 'anew')).toBeDefined()
  const before = (await get(ours.store, 'StagelySecret', 'anew'))!.metadata.uid
  await source.stop()
  await remove('StagelySecret', 'anew')
  await create(cluster.store, secret('anew', { scope: 'web' }))
  source = start()
  await eventually(
    async () => (await get(ours.store, 'StagelySecret', 'anew'))?.spec?.['scope'],
  ).toBe('web')
  expect((await get(ours.store, 'StagelySecret', 'anew'))!.metadata.uid).not.toBe(before)
})

test('an event of the store is told in the cluster, and counted', async () => {
  const regarding = (await get(ours.store, 'Stagelet', 'prod'))!
  const tell = (): Promise<void> =>
    ours.store.write(machine, {}, (tx) =>
      tx.recordEvent({ regarding, type: 'Warning', reason: 'Told', message: 'box is away' }),
    )
  const told = async (): Promise<unknown> =>
    (await cluster.store.list('Event', { namespace: 'default' })).items.find(
      (e) => e.spec?.['reason'] === 'Told',
    )?.spec
  await tell()
  await eventually(told).toMatchObject({ count: 1, message: 'box is away' })
  const { uid } = (await get(cluster.store, 'Stagelet', 'prod'))!.metadata
  expect(await told()).toMatchObject({ involvedObject: { uid } })
  await tell()
  await eventually(told).toMatchObject({ count: 2 })
})

const faults: Record<string, () => void> = {
  'the server restarts': () => void cluster.restart(),
  'a watch is cut in the middle of a line': () => {
    let cuts = 0
    undo.push(
      cluster.fault((request, response) => {
        if (cuts >= 4 || !request.url?.includes('watch=true')) return false
        cuts++
        response.writeHead(200, { 'content-type': 'application/json' })
        response.write('{"type":"ADDED","object":{"kind":"Project","metad')
        setTimeout(() => response.destroy(), 20)
        return true
      }),
    )
    cluster.cut()
  },
  'watches are too old (410)': () => {
    let left = 4
    undo.push(
      cluster.fault((request, response) => {
        if (left === 0 || !request.url?.includes('watch=true')) return false
        left--
        const object = {
          kind: 'Status',
          code: 410,
          reason: 'Expired',
          message: 'too old',
          metadata: {},
        }
        response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`)
        return true
      }),
    )
    cluster.cut()
  },
  'the server asks for patience (429)': () => {
    let left = 6
    undo.push(
      cluster.fault((_, response) => {
        if (left === 0) return false
        left--
        response.writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' })
        response.end('{"kind":"Status","reason":"TooManyRequests","message":"slow down"}')
        return true
      }),
    )
    cluster.cut()
  },
  'the server fails (500) and the token is expired (401)': () => {
    let left = 6
    undo.push(
      cluster.fault((_, response) => {
        if (left === 0) return false
        left--
        response.writeHead(left % 2 === 0 ? 500 : 401).end('no')
        return true
      }),
    )
    cluster.cut()
  },
  'events come twice and out of order': () => {
    let left = 4
    undo.push(
      cluster.fault((request, response) => {
        if (
          left === 0 ||
          !request.url?.includes('stagelysecrets') ||
          !request.url.includes('watch=true')
        )
          return false
        left--
        void cluster.store.list('StagelySecret').then(({ items }) => {
          const lines = [...items, ...items.toReversed()].map(
            (object) => `${JSON.stringify({ type: 'MODIFIED', object })}\n`,
          )
          response.end(lines.join(''))
        })
        return true
      }),
    )
    cluster.cut()
  },
}

test.each(Object.entries(faults))('what changes while %s comes in', async (name, inject) => {
  const created = `fault-${name.replace(/[^a-z]+/gi, '-').toLowerCase()}`
    .slice(0, 40)
    .replace(/-$/, '')
  inject()
  await create(cluster.store, secret(created))
  await eventually(() => get(ours.store, 'StagelySecret', created)).toBeDefined()
  await remove('StagelySecret', created)
  await eventually(() => get(ours.store, 'StagelySecret', created)).toBeUndefined()
})

test('a list that lacks most of what there was is not believed', async () => {
  await create(cluster.store, secret('one'), secret('two'), secret('three'), secret('four'))
  await eventually(() => get(ours.store, 'StagelySecret', 'four')).toBeDefined()
  const resourceVersion = String(await cluster.store.currentVersion())
  undo.push(
    cluster.fault((request, response) => {
      if (!request.url?.includes('stagelysecrets?limit')) return false
      const body = {
        kind: 'StagelySecretList',
        apiVersion,
        metadata: { resourceVersion },
        items: [],
      }
      response.end(JSON.stringify(body))
      return true
    }),
  )
  await source.stop()
  source = start()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(await get(ours.store, 'StagelySecret', 'one')).toBeDefined()
  await source.stop()
  source = start({ pruneAll: true })
  await eventually(() => get(ours.store, 'StagelySecret', 'one')).toBeUndefined()
})

test('only the chosen namespaces are followed, and others are left alone', async () => {
  for (const step of undo.splice(0)) step()
  await source.stop()
  source = start({ namespaces: ['team-a'] })
  await create(cluster.store, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } })
  await create(cluster.store, {
    ...project('other'),
    metadata: { name: 'other', namespace: 'team-a' },
  })
  await create(cluster.store, project('not-followed'))
  const ref = { kind: 'Project', namespace: 'team-a', name: 'other' }
  await eventually(() => ours.store.get(ref)).toBeDefined()
  expect(await get(ours.store, 'Project', 'not-followed')).toBeUndefined()
  expect(await get(ours.store, 'Project', 'shop')).toBeDefined()
})
