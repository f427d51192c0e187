// A cluster as a source: specs come in, status goes back, over the wire and through its faults. Which
// cluster: see openTestCluster. All of it is done by requests to the cluster, and holds for a real one.
import type { KubeConfig } from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import {
  startKubernetesSource,
  type KubernetesSource,
} from '../../../controller/kubernetes/start.ts'
import { startReconcilers, type Reconcilers } from '../../../controller/reconcilers/start.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../../src/resources/meta.ts'
import type { Actor } from '../../../src/store/store.ts'
import { plainKubeConfig } from '../../support/cluster/own-server.ts'
import { openTestCluster, type TestCluster } from '../../support/cluster/cluster.ts'
import { wireFaults } from '../../support/cluster/wire-faults.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { eventually } from '../../support/eventually.ts'

const person: Actor = { name: 'ann', source: 'api', authority: 'whole' }
const machine: Actor = { name: 'agent', source: 'system', authority: 'whole' }
/** STAGELY_TEST_SETTLED_SECONDS=60 looks at a settled cluster for a minute. */
const settledMs = Number(process.env['STAGELY_TEST_SETTLED_SECONDS'] ?? '2') * 1_000
let cluster: TestCluster
let ours: TestStore
let reconcilers: Reconcilers
let source: KubernetesSource

const start = (
  more: {
    namespaces?: string[]
    pruneAll?: boolean
    watchSeconds?: number
    kubeConfig?: () => KubeConfig
  } = {},
): KubernetesSource =>
  startKubernetesSource({
    kubeConfig: more.kubeConfig ?? (() => cluster.kubeConfig),
    namespaces: more.namespaces ?? [cluster.namespace],
    ...(more.watchSeconds === undefined ? {} : { watchSeconds: more.watchSeconds }),
    mayWrite: () => true,
    controllerId: 'ours',
    pruneAll: more.pruneAll ?? false,
    store: ours.store,
    clock: realClock,
    log: silentLogger,
  })

const apiVersion = 'stagely.dev/v1alpha1'
const project = (name: string): KubeObject => ({
  apiVersion,
  kind: 'Project',
  metadata: { name, namespace: cluster.namespace },
  spec: {},
})
const secret = (name: string, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { name, namespace: cluster.namespace },
  spec: { projectRef: { name: 'shop' }, key: name.toUpperCase().replaceAll('-', '_'), ...spec },
})
const stagelet = (name: string): KubeObject => ({
  apiVersion,
  kind: 'Stagelet',
  metadata: { name, namespace: cluster.namespace },
  spec: {
    projectRef: { name: 'shop' },
    agentRef: { name: 'box' },
    compose: { directory: `/srv/${name}` },
  },
})

const store = (...objects: KubeObject[]): Promise<KubeObject[]> =>
  ours.store.write(person, {}, async (tx) => {
    const made: KubeObject[] = []
    for (const object of objects) made.push(await tx.create(object))
    return made
  })
const stored = (kind: string, name: string): Promise<KubeObject | undefined> =>
  ours.store.get({ kind, namespace: cluster.namespace, name })
/** As the cluster shows it. */
const condition = async (
  kind: string,
  name: string,
  type: string,
): Promise<Condition | undefined> =>
  findCondition((await cluster.api.get(kind, name))?.status?.['conditions'] as Condition[], type)
/** Without those that renew the claim of the namespace. */
const writesSince = (count: number): string[] =>
  cluster.writes.slice(count).filter((write) => !write.includes('/leases/'))
/** A project that took long to judge rests for up to 2 s before it is judged again. */
const quietMs = 2_500
const settled = async (): Promise<void> => {
  await eventually(() => condition('Project', 'shop', 'Ready')).toMatchObject({ reason: 'Closed' })
  let before = -1
  while (before !== cluster.writes.length) {
    before = cluster.writes.length
    await new Promise((resolve) => setTimeout(resolve, quietMs))
  }
}

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  ours = await openTestStore(inject('postgresUrl'))
  reconcilers = startReconcilers({ store: ours.store, clock: realClock, log: silentLogger })
  source = start()
  await cluster.api.create(project('shop'), secret('db-url'), stagelet('prod'))
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
  await eventually(() => stored('Stagelet', 'prod')).toBeDefined()
  await cluster.api.change('Project', 'shop', (o) => {
    o.spec = { description: 'the shop' }
    o.metadata.labels = { tier: 'web' }
  })
  await eventually(() => stored('Project', 'shop')).toMatchObject({
    metadata: {
      labels: { tier: 'web' },
      annotations: { 'stagely.dev/source': 'kubernetes', 'stagely.dev/kubernetes-generation': '2' },
    },
    spec: { description: 'the shop' },
  })
})

test('status goes back, with generations of the cluster', async () => {
  await eventually(() => condition('StagelySecret', 'db-url', 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'ValueMissing',
  })
  const { generation } = (await cluster.api.get('StagelySecret', 'db-url'))!.metadata
  await eventually(
    async () => (await condition('StagelySecret', 'db-url', 'Accepted'))?.observedGeneration,
  ).toBe(generation)
})

test('a settled cluster sees no write from us but the claim, also after a new start', async () => {
  await settled()
  const before = cluster.writes.length
  await source.stop()
  source = start()
  await new Promise((resolve) => setTimeout(resolve, settledMs))
  expect(writesSince(before)).toEqual([])
}, 120_000)

test('a value comes from a Secret of the cluster, and follows it', async () => {
  await cluster.api.create(
    secret('api-key', { valueFrom: { kubernetesSecret: { name: 'keys', key: 'api' } } }),
  )
  await eventually(() => condition('StagelySecret', 'api-key', 'Accepted')).toMatchObject({
    reason: 'ValueMissing',
    message: 'there is no Secret keys in this namespace',
  })
  await cluster.api.putSecret('keys', { other: 'eA==' })
  await eventually(
    async () => (await condition('StagelySecret', 'api-key', 'Accepted'))?.message,
  ).toBe('the Secret keys has no entry api')
  await cluster.api.putSecret('keys', { api: Buffer.from('first-value').toString('base64') })
  await eventually(
    async () => (await cluster.api.get('StagelySecret', 'api-key'))?.status,
  ).toMatchObject({
    version: 1,
    bytes: 11,
  })
  await cluster.api.putSecret('keys', { api: Buffer.from('second-value-here').toString('base64') })
  await eventually(
    async () => (await cluster.api.get('StagelySecret', 'api-key'))?.status,
  ).toMatchObject({
    version: 2,
    bytes: 17,
  })
  // The same value in a changed Secret is no new version.
  await cluster.api.putSecret('keys', {
    api: Buffer.from('second-value-here').toString('base64'),
    more: 'eA==',
  })
  await settled()
  expect((await stored('StagelySecret', 'api-key'))?.status).toMatchObject({ version: 2 })
})

test('a plain value is refused with what to do instead, and never told', async () => {
  await cluster.api.create(secret('plain', { value: 'readable-in-etcd' }))
  await eventually(() => condition('StagelySecret', 'plain', 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'PlainValue',
    message: expect.stringMatching(/spec\.value .*spec\.sealedValue .*spec\.valueFrom/) as string,
  })
  expect(await stored('StagelySecret', 'plain')).toBeUndefined()
  const { status, spec } = (await cluster.api.get('StagelySecret', 'plain'))!
  expect(spec?.['value']).toBe('readable-in-etcd')
  expect(JSON.stringify(status)).not.toContain('readable-in-etcd')
  await settled()
  const before = cluster.writes.length
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(writesSince(before)).toEqual([])
  // As the message says.
  await cluster.api.putSecret('moved', { key: Buffer.from('moved-value').toString('base64') })
  const valueFrom = { kubernetesSecret: { name: 'moved', key: 'key' } }
  await cluster.api.patch('StagelySecret', 'plain', { spec: { value: null, valueFrom } })
  await eventually(() => condition('StagelySecret', 'plain', 'Accepted')).toMatchObject({
    status: 'True',
  })
  expect((await stored('StagelySecret', 'plain'))?.status).toMatchObject({ version: 1 })
})

test('what cannot be taken is told at the object, until it can', async () => {
  await store(project('taken'))
  await cluster.api.create(project('taken'))
  await eventually(() => condition('Project', 'taken', 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'Conflict',
    message: expect.stringContaining('api') as string,
  })
  await ours.store.write(person, {}, (tx) =>
    tx.remove({ kind: 'Project', namespace: cluster.namespace, name: 'taken' }),
  )
  await eventually(() => stored('Project', 'taken')).toMatchObject({
    metadata: { annotations: { 'stagely.dev/source': 'kubernetes' } },
  })
  await eventually(() => condition('Project', 'taken', 'Accepted')).toBeUndefined()
})

test('what is adopted as it is says so in the cluster, until it is released', async () => {
  await cluster.api.create(project('adopted'))
  await eventually(() => stored('Project', 'adopted')).toBeDefined()
  const handTo = (to: string): Promise<KubeObject> =>
    ours.store.write(person, {}, async (tx) => {
      const { metadata, ...rest } = (await tx.get({
        kind: 'Project',
        namespace: cluster.namespace,
        name: 'adopted',
      }))!
      const annotations = { ...metadata.annotations, 'stagely.dev/source': to }
      return tx.update({ ...rest, metadata: { ...metadata, annotations } })
    })
  await handTo('api')
  await eventually(() => condition('Project', 'adopted', 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'Conflict',
    message: expect.stringMatching(/owned by api.*adopt --release/) as string,
  })
  await handTo('system')
  await eventually(() => stored('Project', 'adopted')).toMatchObject({
    metadata: { annotations: { 'stagely.dev/source': 'kubernetes' } },
  })
  await eventually(() => condition('Project', 'adopted', 'Accepted')).toBeUndefined()
})

test('a secret that goes in the cluster, and that another follows, stays and says so', async () => {
  await cluster.api.create(secret('led'))
  await eventually(() => stored('StagelySecret', 'led')).toBeDefined()
  const follower = secret('follower', { valueFrom: { secretRef: { name: 'led' } } })
  await store(follower)
  await cluster.api.remove('StagelySecret', 'led')
  const told = async (): Promise<unknown[]> =>
    (await ours.store.list('Event', { namespace: cluster.namespace })).items
      .map(({ spec }) => spec)
      .filter((spec) => spec?.['reason'] === 'NotRemoved')
  const message = /gone from the cluster.*"follower" takes its value from it/
  await eventually(told).toEqual([
    expect.objectContaining({ count: 1, message: expect.stringMatching(message) as string }),
  ])
  await ours.store.write(person, {}, (tx) => tx.remove(refOf(follower)))
  await eventually(() => stored('StagelySecret', 'led')).toBeUndefined()
})

test('a stagelet stays in the cluster until its agent has let go of it', async () => {
  await cluster.api.create(
    {
      apiVersion,
      kind: 'Agent',
      metadata: { name: 'box', namespace: cluster.namespace },
      spec: {},
    },
    stagelet('preview'),
  )
  await eventually(
    async () => (await cluster.api.get('Stagelet', 'preview'))?.metadata.finalizers,
  ).toContain('stagely.dev/controller')
  await eventually(() => stored('Stagelet', 'preview')).toBeDefined()
  // An agent that was there once is asked, however long it is away.
  const box = { kind: 'Agent', namespace: cluster.namespace, name: 'box' }
  const away = { type: 'Ready', status: 'Unknown', reason: 'Disconnected', message: '' } as const
  await ours.store.write(machine, {}, (tx) => tx.setConditions(box, [away]))
  await cluster.api.remove('Stagelet', 'preview')
  await eventually(
    async () => (await stored('Stagelet', 'preview'))?.metadata.deletionTimestamp,
  ).toBeDefined()
  expect(await cluster.api.get('Stagelet', 'preview')).toBeDefined()
  const ref = { kind: 'Stagelet', namespace: cluster.namespace, name: 'preview' }
  await ours.store.write(machine, {}, (tx) => tx.removeFinalizer(ref, 'stagely.dev/agent'))
  await eventually(() => stored('Stagelet', 'preview')).toBeUndefined()
  // This project's own API server gives a stagelet the agent's finalizer too; a cluster has only ours.
  await eventually(
    async () => (await cluster.api.get('Stagelet', 'preview'))?.metadata.finalizers ?? [],
  ).not.toContain('stagely.dev/controller')
  if ((await cluster.api.get('Stagelet', 'preview')) !== undefined)
    await cluster.api.patch('Stagelet', 'preview', { metadata: { finalizers: null } })
  await eventually(() => cluster.api.get('Stagelet', 'preview')).toBeUndefined()
})

test('an object that is made anew under its name while nobody looks is a new object', async () => {
  await cluster.api.create(secret('anew'))
  await eventually(() => stored('StagelySecret', 'anew')).toBeDefined()
  const before = (await stored('StagelySecret', 'anew'))!.metadata.uid
  await source.stop()
  await cluster.api.remove('StagelySecret', 'anew')
  await cluster.api.create(secret('anew', { scope: 'web' }))
  source = start()
  await eventually(async () => (await stored('StagelySecret', 'anew'))?.spec?.['scope']).toBe('web')
  expect((await stored('StagelySecret', 'anew'))!.metadata.uid).not.toBe(before)
})

test('an object that is made anew under its name at once is a new object too', async () => {
  await cluster.api.create(secret('again'))
  await eventually(() => stored('StagelySecret', 'again')).toBeDefined()
  const before = (await stored('StagelySecret', 'again'))!.metadata.uid
  await cluster.api.remove('StagelySecret', 'again')
  await cluster.api.create(secret('again', { scope: 'web' }))
  await eventually(async () => {
    const { metadata, spec } = (await stored('StagelySecret', 'again')) ?? {}
    return metadata?.uid !== before && spec?.['scope']
  }).toBe('web')
})

test('an event of the store is told in the cluster, and counted', async () => {
  const regarding = (await stored('Stagelet', 'prod'))!
  const tell = (): Promise<void> =>
    ours.store.write(machine, {}, (tx) =>
      tx.recordEvent({ regarding, type: 'Warning', reason: 'Told', message: 'box is away' }),
    )
  const told = async (): Promise<unknown> => {
    const path = `/api/v1/namespaces/${cluster.namespace}/events`
    const list = await cluster.api.call<{ items: { reason: string }[] }>('GET', path)
    return list?.items.find(({ reason }) => reason === 'Told')
  }
  await tell()
  await eventually(told).toMatchObject({ count: 1, message: 'box is away' })
  const { uid } = (await cluster.api.get('Stagelet', 'prod'))!.metadata
  expect(await told()).toMatchObject({ involvedObject: { uid } })
  await tell()
  await eventually(told).toMatchObject({ count: 2 })
})

test.each(Object.entries(wireFaults))('what changes while %s comes in', async (name, begin) => {
  const created = `fault-${name.replace(/[^a-z]+/gi, '-').toLowerCase()}`
    .slice(0, 40)
    .replace(/-$/, '')
  const fault = begin(cluster)
  undo.push(() => {
    fault.over()
  })
  await cluster.api.create(secret(created))
  await eventually(() => stored('StagelySecret', created)).toBeDefined()
  await cluster.api.remove('StagelySecret', created)
  await eventually(() => stored('StagelySecret', created)).toBeUndefined()
  await eventually(() => fault.left()).toBe(0)
})

test('an older state that comes late is not carried back, and no late end takes a new object away', async () => {
  await cluster.api.create(
    secret('reordered', { scope: 'old' }),
    secret('ended'),
    secret('gone-for-good'),
  )
  for (const name of ['reordered', 'ended', 'gone-for-good'])
    await eventually(() => stored('StagelySecret', name)).toBeDefined()
  const before = (await cluster.api.get('StagelySecret', 'reordered'))!
  const ended = (await cluster.api.get('StagelySecret', 'ended'))!
  const gone = (await cluster.api.get('StagelySecret', 'gone-for-good'))!
  await cluster.api.remove('StagelySecret', 'gone-for-good')
  await eventually(() => stored('StagelySecret', 'gone-for-good')).toBeUndefined()
  await cluster.api.remove('StagelySecret', 'ended')
  await cluster.api.create(secret('ended', { scope: 'anew' }))
  await cluster.api.patch('StagelySecret', 'reordered', { spec: { scope: 'new' } })
  await eventually(async () => (await stored('StagelySecret', 'reordered'))?.spec?.['scope']).toBe(
    'new',
  )
  await eventually(async () => (await stored('StagelySecret', 'ended'))?.spec?.['scope']).toBe(
    'anew',
  )
  const { uid } = (await stored('StagelySecret', 'ended'))!.metadata
  const events = [
    { type: 'MODIFIED', object: before },
    { type: 'DELETED', object: ended },
    { type: 'MODIFIED', object: gone },
  ]
  let left = 1
  undo.push(
    cluster.fault((request, response) => {
      if (left === 0 || !/stagelysecrets\?.*watch=true/.test(request.url ?? '')) return false
      left--
      response.end(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
      return true
    }),
  )
  cluster.cut()
  await eventually(() => left).toBe(0)
  // What is made afterwards comes by the next watch.
  await cluster.api.create(secret('after-reordered'))
  await eventually(() => stored('StagelySecret', 'after-reordered')).toBeDefined()
  expect((await stored('StagelySecret', 'reordered'))?.spec?.['scope']).toBe('new')
  expect((await stored('StagelySecret', 'ended'))?.metadata.uid).toBe(uid)
  expect(await stored('StagelySecret', 'gone-for-good')).toBeUndefined()
})

test('a server that asks for patience is not asked again before', async () => {
  const told = new Map<string, number>()
  const waitedMs = new Map<string, number>()
  undo.push(
    cluster.fault((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://cluster')
      const asks = `${request.method} ${pathname} ${searchParams.get('fieldSelector') ?? ''}`
      const since = told.get(asks)
      if (since !== undefined) {
        if (!waitedMs.has(asks)) waitedMs.set(asks, performance.now() - since)
        return false
      }
      told.set(asks, performance.now())
      response.writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' })
      response.end('{"kind":"Status","reason":"TooManyRequests","message":"slow down"}')
      return true
    }),
  )
  cluster.cut()
  await cluster.api.create(secret('patient'))
  await eventually(() => condition('StagelySecret', 'patient', 'Accepted')).toBeDefined()
  // All four kinds, and the status that was written.
  await eventually(() => waitedMs.size).toBeGreaterThanOrEqual(5)
  expect([...waitedMs].filter(([, ms]) => ms < 950)).toEqual([])
})

test('a watch that says nothing any more is begun anew', async () => {
  await source.stop()
  const deaf = new Set<string>()
  undo.push(
    cluster.fault((request, response) => {
      const path = request.url?.split('?')[0] ?? ''
      if (!request.url?.includes('watch=true') || deaf.has(path)) return false
      deaf.add(path)
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      return true
    }),
  )
  source = start({ watchSeconds: 1 })
  await eventually(() => deaf.size).toBeGreaterThanOrEqual(4)
  await cluster.api.create(secret('after-silence'))
  await eventually(() => stored('StagelySecret', 'after-silence')).toBeDefined()
})

test('a token that expired is read anew', async () => {
  for (const step of undo.splice(0)) step()
  await source.stop()
  const { port } = new URL(cluster.kubeConfig.getCurrentCluster()!.server)
  let good = 'first'
  undo.push(
    cluster.fault((request, response) => {
      if (request.headers.authorization === `Bearer ${good}`) return false
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end('{"kind":"Status","reason":"Unauthorized","message":"Unauthorized"}')
      return true
    }),
  )
  source = start({ kubeConfig: () => plainKubeConfig(Number(port), good) })
  await cluster.api.create(secret('token-first'))
  await eventually(() => stored('StagelySecret', 'token-first')).toBeDefined()
  good = 'second'
  cluster.cut()
  await cluster.api.create(secret('token-second'))
  await eventually(() => stored('StagelySecret', 'token-second')).toBeDefined()
})

test('a list that lacks most of what there was is not believed', async () => {
  await cluster.api.create(secret('one'), secret('two'), secret('three'), secret('four'))
  await eventually(() => stored('StagelySecret', 'four')).toBeDefined()
  // A status that is written after this version would bring its object back by the watch.
  await settled()
  const { version: resourceVersion } = await cluster.api.list('StagelySecret')
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
  expect(await stored('StagelySecret', 'one')).toBeDefined()
  await source.stop()
  source = start({ pruneAll: true })
  await eventually(() => stored('StagelySecret', 'one')).toBeUndefined()
})

test('the cluster is reached by its own certificate and login', async () => {
  for (const step of undo.splice(0)) step()
  await source.stop()
  source = start({ kubeConfig: () => cluster.direct })
  await cluster.api.create(secret('direct'))
  await eventually(() => stored('StagelySecret', 'direct')).toBeDefined()
  await eventually(() => condition('StagelySecret', 'direct', 'Accepted')).toBeDefined()
})

test('only the chosen namespaces are followed, and others are left alone', async () => {
  for (const step of undo.splice(0)) step()
  await source.stop()
  const namespace = cluster.otherNamespace
  source = start({ namespaces: [namespace] })
  await cluster.api.create(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { ...project('other'), metadata: { name: 'other', namespace } },
    project('not-followed'),
  )
  const ref = { kind: 'Project', namespace, name: 'other' }
  await eventually(() => ours.store.get(ref)).toBeDefined()
  // Which is a team of that name.
  const team = { kind: 'Namespace', namespace: '', name: namespace }
  expect(await ours.store.get(team)).toBeDefined()
  expect(await stored('Project', 'not-followed')).toBeUndefined()
  expect(await stored('Project', 'shop')).toBeDefined()
})

test('a namespace that may not be read keeps no other from being followed', async () => {
  await source.stop()
  const { namespace, otherNamespace } = cluster
  const isRefused = (url = ''): boolean => url.includes(`/namespaces/${otherNamespace}/`)
  const end = cluster.fault((request, response) => {
    if (!isRefused(request.url)) return false
    response.writeHead(403, { 'content-type': 'application/json' })
    response.end('{"kind":"Status","reason":"Forbidden","message":"no role here"}')
    return true
  })
  undo.push(end)
  source = start({ namespaces: [otherNamespace, namespace] })
  await cluster.api.create(project('beside-refused'))
  await eventually(() => condition('Project', 'beside-refused', 'Ready')).toBeDefined()
  await cluster.api.remove('Project', 'beside-refused')
  await eventually(() => stored('Project', 'beside-refused')).toBeUndefined()
  // What is there of the other stays, and is followed once somebody gives the right.
  const ref = (name: string): ObjectRef => ({ kind: 'Project', namespace: otherNamespace, name })
  expect(await ours.store.get(ref('other'))).toBeDefined()
  const later = { ...project('later'), metadata: { name: 'later', namespace: otherNamespace } }
  await cluster.api.create(later)
  end()
  // What was refused is asked for again after half a minute at the latest.
  await expect.poll(() => ours.store.get(ref('later'))).toBeDefined()
})
