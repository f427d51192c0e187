// Whose an object of a cluster is: the whole controller follows a cluster here, and what comes by REST and
// by the Kubernetes-style API meets what came from there. What is refused: owner-walk.test.ts.
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { idOf as restIdOf } from '../../../controller/http/rest/ids.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { openTestCluster, type TestCluster } from '../../support/cluster/cluster.ts'
import { startFollowing, type Following } from '../../support/cluster/following.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { eventually } from '../../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
let cluster: TestCluster
let controller: TestController
let following: Following

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  following = await startFollowing(cluster)
  controller = await startTestController({ argv: following.argv })
  await cluster.api.create(
    object('Project', 'shop'),
    object('Agent', 'box'),
    object('StagelySecret', 'db-url', { projectRef: { name: 'shop' }, key: 'DB_URL' }),
    object('Stagelet', 'prod', {
      projectRef: { name: 'shop' },
      agentRef: { name: 'box' },
      compose: { directory: '/srv/prod' },
    }),
  )
})
afterAll(async () => {
  await controller.remove()
  await cluster.remove()
  await following.remove()
})

const object = (kind: string, name: string, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: cluster.namespace },
  spec,
})
const all = [
  ['projects', 'shop'],
  ['agents', 'box'],
  ['stagelysecrets', 'db-url'],
  ['stagelets', 'prod'],
] as const
const pathOf = (plural: string, name = ''): string =>
  `/apis/stagely.dev/v1alpha1/namespaces/${cluster.namespace}/${plural}/${name}`
/** As the controller has it. */
const held = async (plural: string, name: string): Promise<KubeObject | undefined> => {
  const answer = await controller.call('GET', pathOf(plural, name))
  return answer.status === 200 ? answer.json<KubeObject>() : undefined
}
const noteOf = async (plural: string, name: string, note: string): Promise<string | undefined> =>
  (await held(plural, name))?.metadata.annotations?.[note]
const patch = (plural: string, name: string, body: object): Promise<Answer> =>
  controller.call('PATCH', pathOf(plural, name), {
    headers: { 'content-type': 'application/merge-patch+json' },
    body,
  })
/** What was refused is asked for again after this long at the latest. */
const maxPauseMs = 30_000
const idOf = async (plural: string, name: string): Promise<string> =>
  restIdOf((await held(plural, name))!)
/** The cluster's object is carried once more. */
const touch = async (kind: string, plural: string, name: string): Promise<void> => {
  const stamp = `${Date.now()}-${Math.random()}`
  await cluster.api.patch(kind, name, { metadata: { labels: { stamp } } })
  await eventually(async () => (await held(plural, name))?.metadata.labels?.['stamp']).toBe(stamp)
}

test('what the cluster declares is there', async () => {
  for (const [plural, name] of all) await eventually(() => held(plural, name)).toBeDefined()
})

test('what was asked by REST stays asked, whatever the cluster carries afterwards', async () => {
  const stagelet = await idOf('stagelets', 'prod')
  const asked: [string, string, string, string][] = [
    [`/api/v1/stagelets/${stagelet}/deploy`, 'Stagelet', 'stagelets', 'redeploy'],
    [`/api/v1/stagelets/${stagelet}/retry`, 'Stagelet', 'stagelets', 'retry'],
    [
      `/api/v1/projects/${await idOf('projects', 'shop')}/rollout/resume`,
      'Project',
      'projects',
      'resumed',
    ],
  ]
  for (const [path, kind, plural, what] of asked) {
    expect((await controller.call('POST', path)).status).toBeLessThan(300)
    const name = kind === 'Project' ? 'shop' : 'prod'
    const before = await noteOf(plural, name, `stagely.dev/${what}`)
    expect(before, what).toBeDefined()
    await touch(kind, plural, name)
    expect(await noteOf(plural, name, `stagely.dev/${what}`), what).toBe(before)
  }
  const rotate = { metadata: { annotations: { 'stagely.dev/rotate-keys': 'now' } } }
  expect((await patch('agents', 'box', rotate)).status).toBe(200)
  await touch('Agent', 'agents', 'box')
  expect(await noteOf('agents', 'box', 'stagely.dev/rotate-keys')).toBe('now')
})

test('of what both sides ask the newest counts', async () => {
  const ask = (value: string | null): object => ({
    metadata: { annotations: { 'stagely.dev/redeploy': value } },
  })
  const redeploy = (): Promise<string | undefined> =>
    noteOf('stagelets', 'prod', 'stagely.dev/redeploy')
  await cluster.api.patch('Stagelet', 'prod', ask('one'))
  await eventually(redeploy).toBe('one')
  expect((await patch('stagelets', 'prod', ask('two'))).status).toBe(200)
  await touch('Stagelet', 'stagelets', 'prod')
  expect(await redeploy()).toBe('two')
  await cluster.api.patch('Stagelet', 'prod', ask('three'))
  await eventually(redeploy).toBe('three')
  // Nothing is asked anew by taking a request away.
  await cluster.api.patch('Stagelet', 'prod', ask(null))
  await touch('Stagelet', 'stagelets', 'prod')
  expect(await redeploy()).toBe('three')
})

test('a label that goes in the cluster goes here', async () => {
  await cluster.api.patch('Project', 'shop', { metadata: { labels: { tier: 'web' } } })
  await eventually(async () => (await held('projects', 'shop'))?.metadata.labels).toHaveProperty(
    'tier',
  )
  const { labels = {} } = (await cluster.api.get('Project', 'shop'))!.metadata
  const none = Object.fromEntries(Object.keys(labels).map((name) => [name, null]))
  await cluster.api.patch('Project', 'shop', { metadata: { labels: none } })
  await eventually(async () => (await held('projects', 'shop'))?.metadata.labels ?? {}).toEqual({})
})

test("an Agent that a join token made is the cluster's once the cluster declares it", async () => {
  const made = await controller.call('POST', `${pathOf('agents', 'late')}/token`, {
    body: {},
  })
  expect(made.status, made.text).toBeLessThan(300)
  const uid = (await held('agents', 'late'))!.metadata.uid
  await cluster.api.create(object('Agent', 'late'))
  await eventually(() => noteOf('agents', 'late', 'stagely.dev/source')).toBe('kubernetes')
  // The same one: the token is good for it.
  expect((await held('agents', 'late'))!.metadata.uid).toBe(uid)
})

const told = async (reason: string): Promise<unknown> => {
  const path = `/api/v1/namespaces/${cluster.namespace}/events`
  const list = await cluster.api.call<{ items: { reason: string }[] }>('GET', path)
  return list?.items.find((event) => event.reason === reason)
}
/** As one of the controller's own is stored. */
const record = async (reason: string): Promise<void> => {
  const now = new Date().toISOString().replace(/\.\d+/, '')
  const involvedObject = {
    apiVersion,
    kind: 'Stagelet',
    namespace: cluster.namespace,
    name: 'prod',
  }
  const answer = await controller.call('POST', `/api/v1/namespaces/${cluster.namespace}/events`, {
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: reason.toLowerCase(), namespace: cluster.namespace },
      involvedObject,
      reason,
      message: 'it happened',
      type: 'Warning',
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: 'stagely' },
      reportingComponent: 'stagely',
      reportingInstance: 'stagely',
    },
  })
  expect(answer.status, answer.text).toBe(201)
}

test('an event that the cluster would not take is told later', async () => {
  let left = 2
  const over = cluster.fault((request, response) => {
    if (left === 0 || request.method !== 'POST' || !request.url?.includes('/events')) return false
    left--
    response.writeHead(429, { 'retry-after': '1', 'content-type': 'application/json' })
    response.end('{"kind":"Status","reason":"TooManyRequests","message":"slow down"}')
    return true
  })
  await record('Refused')
  await eventually(() => told('Refused')).toMatchObject({ message: 'it happened', count: 1 })
  expect(left).toBe(0)
  over()
})

test('an event that came while nobody could tell it is told after a new start', async () => {
  const over = cluster.fault((request, response) => {
    if (!request.url?.includes('/events')) return false
    response.writeHead(500).end('no')
    return true
  })
  await record('Missed')
  expect(await told('Missed')).toBeUndefined()
  await controller.stop()
  over()
  controller = await startTestController({ argv: following.argv, dataDir: controller.dataDir })
  await eventually(() => told('Missed')).toMatchObject({ message: 'it happened', count: 1 })
})

test('an event is not counted back over what another has counted', async () => {
  await record('Counted')
  await eventually(() => told('Counted')).toMatchObject({ count: 1 })
  const path = `/api/v1/namespaces/${cluster.namespace}/events/counted`
  const seen = await cluster.api.call('GET', path)
  await cluster.api.call('PATCH', path, { count: 5 }, 'application/merge-patch+json')
  let left = 1
  const over = cluster.fault((request, response) => {
    if (left === 0 || request.method !== 'GET' || request.url !== path) return false
    left--
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(seen))
    return true
  })
  const before = cluster.writes.length
  const counted = await controller.call('PATCH', path, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { count: 2 },
  })
  expect(counted.status, counted.text).toBe(200)
  await eventually(() =>
    cluster.writes.slice(before).some((write) => write.startsWith(`PATCH ${path}`)),
  ).toBe(true)
  over()
  await record('After')
  await eventually(() => told('After')).toBeDefined()
  expect(await told('Counted')).toMatchObject({ count: 5 })
})

test('a status is not written over a state that was not looked at', async () => {
  const over = cluster.fault((request, response) => {
    if (!/stagelysecrets\?.*watch=true/.test(request.url ?? '')) return false
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    return true
  })
  cluster.cut()
  await cluster.api.patch('StagelySecret', 'db-url', { metadata: { labels: { unseen: 'yes' } } })
  const before = cluster.writes.length
  const path = `/api/v1/projects/${await idOf('projects', 'shop')}/secrets`
  const id = await idOf('stagelysecrets', 'db-url')
  const answer = await controller.call('PATCH', `${path}/${id}`, { body: { value: 'of-the-api' } })
  expect(answer.status, answer.text).toBe(200)
  await eventually(() =>
    cluster.writes.slice(before).some((write) => write.includes('stagelysecrets/db-url/status')),
  ).toBe(true)
  const versionOf = async (): Promise<unknown> =>
    (await cluster.api.get('StagelySecret', 'db-url'))?.status?.['version']
  expect(await versionOf()).toBeUndefined()
  over()
  cluster.cut()
  await eventually(versionOf).toBe(1)
})

test('a Secret that may not be read is told at the object that names it', async () => {
  const over = cluster.fault((request, response) => {
    if (!request.url?.includes('/secrets?')) return false
    response.writeHead(403, { 'content-type': 'application/json' })
    response.end('{"kind":"Status","reason":"Forbidden","message":"secrets is forbidden"}')
    return true
  })
  const valueFrom = { kubernetesSecret: { name: 'locked', key: 'key' } }
  await cluster.api.create(
    object('StagelySecret', 'locked', { projectRef: { name: 'shop' }, key: 'LOCKED', valueFrom }),
  )
  const accepted = async (): Promise<unknown> =>
    findCondition(
      (await cluster.api.get('StagelySecret', 'locked'))?.status?.['conditions'] as Condition[],
      'Accepted',
    )
  await eventually(accepted).toMatchObject({
    reason: 'ValueMissing',
    message: 'the Secret locked cannot be read: secrets is forbidden',
  })
  over()
  await cluster.api.putSecret('locked', { key: Buffer.from('now-readable').toString('base64') })
  await eventually(accepted, maxPauseMs + 15_000).toMatchObject({ status: 'True' })
})

test('of the cluster nothing is written but status, finalizers, events and claims, under one name', () => {
  const ours = new RegExp(
    [
      '^PATCH /apis/stagely.dev/v1alpha1/namespaces/[^/]+/[a-z]+/[^/]+/status',
      '^PATCH /apis/stagely.dev/v1alpha1/namespaces/[^/]+/stagelets/[^/]+',
      '^POST /api/v1/namespaces/[^/]+/events',
      '^PATCH /api/v1/namespaces/[^/]+/events/[^/]+',
      '^POST /apis/coordination.k8s.io/v1/namespaces/[^/]+/leases',
      '^PATCH /apis/coordination.k8s.io/v1/namespaces/[^/]+/leases/stagely-controller',
    ]
      .map((path) => `${path}\\?fieldManager=stagely-controller$`)
      .join('|'),
  )
  expect(cluster.writes.length).toBeGreaterThan(10)
  expect(cluster.writes.filter((write) => !ours.test(write))).toEqual([])
})
