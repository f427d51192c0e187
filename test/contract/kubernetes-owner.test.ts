// Whose an object of a cluster is: the whole controller follows a cluster here, and what comes by REST and
// by the Kubernetes-style API meets what came from there.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { idOf as restIdOf } from '../../controller/http/rest/ids.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { openTestCluster, type TestCluster } from '../support/cluster/cluster.ts'
import { startTestController, type Answer, type TestController } from '../support/controller.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const former = process.env['KUBECONFIG']
let cluster: TestCluster
let controller: TestController
let folder: string

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  folder = await mkdtemp(join(tmpdir(), 'stagely-owner-'))
  process.env['KUBECONFIG'] = join(folder, 'kubeconfig')
  await writeFile(join(folder, 'kubeconfig'), cluster.kubeConfig.exportConfig())
  const argv = ['--kubernetes', '--kubernetes-namespace', cluster.namespace]
  controller = await startTestController({ argv })
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
  await rm(folder, { recursive: true, force: true })
  if (former === undefined) delete process.env['KUBECONFIG']
  else process.env['KUBECONFIG'] = former
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
const eventually = <T>(read: () => Promise<T> | T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(read, { timeout: 15_000, interval: 50 })
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

test('spec, labels and annotations of the cluster are changed there', async () => {
  const here = /owned by kubernetes; change it in the cluster/
  const notes = { annotations: { 'example.com/note': 'x' } }
  const specs = {
    projects: { description: 'mine' },
    agents: { paused: true },
    stagelysecrets: { scope: 'web' },
    stagelets: { paused: true },
  }
  for (const [plural, name] of all) {
    const before = await held(plural, name)
    for (const body of [
      { metadata: { labels: { mine: 'yes' } } },
      { metadata: notes },
      { spec: specs[plural] },
    ]) {
      const answer = await patch(plural, name, body)
      expect({ status: answer.status, text: answer.text }).toMatchObject({
        status: 409,
        text: expect.stringMatching(here) as string,
      })
    }
    const after = await held(plural, name)
    expect(after?.spec).toEqual(before?.spec)
    expect(after?.metadata.labels).toEqual(before?.metadata.labels)
  }
  const project = await controller.call(
    'PATCH',
    `/api/v1/projects/${await idOf('projects', 'shop')}`,
    {
      body: { description: 'mine' },
    },
  )
  expect({ status: project.status, text: project.text }).toMatchObject({
    status: 409,
    text: expect.stringMatching(here) as string,
  })
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

test('a team or a project is not deleted over the head of the cluster', async () => {
  const created = await controller.call('POST', pathOf('projects').replace(/\/$/, ''), {
    body: object('Project', 'mine'),
  })
  expect(created.status).toBe(201)
  await cluster.api.create(
    object('Project', 'mine'),
    object('StagelySecret', 'theirs', { projectRef: { name: 'mine' }, key: 'THEIRS' }),
  )
  await eventually(() => held('stagelysecrets', 'theirs')).toBeDefined()
  const attempts = [
    `/api/v1/projects/${await idOf('projects', 'mine')}`,
    pathOf('projects', 'mine'),
  ]
  for (const path of attempts) {
    const answer = await controller.call('DELETE', path)
    expect({ status: answer.status, text: answer.text }).toMatchObject({
      status: 409,
      text: expect.stringMatching(/theirs.* owned by kubernetes: delete it there first/) as string,
    })
  }
  expect(await held('projects', 'mine')).toMatchObject({ metadata: { name: 'mine' } })
  await cluster.api.remove('StagelySecret', 'theirs')
  await eventually(() => held('stagelysecrets', 'theirs')).toBeUndefined()
  expect((await controller.call('DELETE', attempts[0]!)).status).toBeLessThan(300)
})
