// Two controllers as two pods of one cluster and one Postgres, each logged in by its own service account.
// The cluster is this project's own API server, by TLS, with the rights that the chart gives; what each
// pod writes there is known by its token.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFailed } from 'vitest'
import { itAsRoot } from '../support/as-root.ts'
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import type { KubeObject } from '../../src/resources/meta.ts'
import { ClusterApi } from '../support/cluster/api.ts'
import { installCrds } from '../support/cluster/cluster.ts'
import {
  bearerOf,
  startOwnServer,
  type Handle,
  type OwnServer,
} from '../support/cluster/own-server.ts'
import { putToken, startPod, type Pod } from '../support/cluster/pod.ts'
import { rightFor, rightsOf } from '../support/cluster/rights.ts'
import { renderChart } from '../support/kube/helm.ts'
import { createClient, namespaced, type Client } from '../support/replicas/client.ts'
import { freshDatabase } from '../support/databases/fresh-database.ts'
import type { TestDatabase } from '../support/databases/test-database.ts'
import { eventually } from '../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const events = '/api/v1/namespaces/default/events'

let folder: string
let database: TestDatabase
let cluster: OwnServer
let api: ClusterApi
const clients: Client[] = []
const pods: Pod[] = []
/** The pod that each good token is of. */
const owners = new Map<string, number>()
/** All writes to the cluster that were not made by this test. */
const writes: { pod: number; what: string }[] = []
let hold: Handle = () => false
let rights: readonly string[]
const used = new Set<string>()

const before: Handle = (request, response) => {
  const pod = owners.get(bearerOf(request))
  if (pod === undefined) return false
  if (request.method !== 'GET')
    writes.push({ pod, what: `${request.method} ${request.url?.split('?')[0]}` })
  const right = rightFor(request)
  used.add(right)
  if (rights.includes(right)) return hold(request, response)
  response.writeHead(403, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: right, code: 403 }))
  return true
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stagely-pods-'))
  database = await freshDatabase()
  const role = (await renderChart()).find(
    ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'default-stagely',
  )
  rights = rightsOf(role!['rules'] as Parameters<typeof rightsOf>[0])
  cluster = await startOwnServer(inject('postgresUrl'), { tokens: owners, before })
  api = new ClusterApi(cluster.kubeConfig, 'default')
  await installCrds(api)
  for (const pod of [0, 1]) {
    owners.set(`first-${pod}`, pod)
    pods.push(await startPod(podOf(pod)))
  }
  const token = (await readFile(join(folder, '0', 'data', 'admin-token'), 'utf8')).trim()
  const ca = await readFile(join(folder, '0', 'data', 'ca.crt'), 'utf8')
  for (const { url } of pods) clients.push(createClient({ url, ca, token }))
})
afterAll(async () => {
  for (const client of clients) client.close()
  for (const { program } of pods) await program.kill('SIGKILL')
  await cluster?.remove()
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

beforeEach(() => {
  onTestFailed(() => {
    for (const { program } of pods) console.error(program.output())
    console.error(JSON.stringify(writes.slice(-60)))
  })
})

const podOf = (pod: number): Parameters<typeof startPod>[0] => ({
  dir: join(folder, String(pod)),
  cluster: cluster.kubeConfig,
  token: `first-${pod}`,
  databaseUrl: database.url,
})
const object = (kind: string, name: string, spec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default' },
  spec,
})
const secret = (name: string): KubeObject =>
  object('StagelySecret', name, {
    projectRef: { name: 'shop' },
    key: name.toUpperCase().replaceAll('-', '_'),
  })
/** A StagelySecret that was carried in, judged, and has its status back. */
const isJudged = async (name: string): Promise<boolean> => {
  const { status } = (await api.get('StagelySecret', name)) ?? {}
  return findCondition((status?.['conditions'] ?? []) as Condition[], 'InSync') !== undefined
}
/** The pods in the order of their terms. One that gets no processor for seconds loses its lease. */
const leaders = (): number[] =>
  pods
    .flatMap(({ program }, pod) =>
      program
        .output()
        .split('\n')
        .filter((line) => line.includes('"this replica leads"'))
        .map((line) => ({ pod, term: (JSON.parse(line) as { term: number }).term })),
    )
    .sort((a, b) => a.term - b.term)
    .map(({ pod }) => pod)
const leader = (): number => leaders().at(-1)!
/** Each pod wrote to the cluster in its terms, and who leads has written. */
const expectInTurns = (): void => {
  const turns = writes.map(({ pod }) => pod).filter((pod, i, all) => pod !== all[i - 1])
  const [led, isOf] = [leaders(), { term: 0 }]
  for (const pod of turns) {
    isOf.term = led.indexOf(pod, isOf.term)
    expect(isOf.term, `${turns.join()} in the terms of ${led.join()}`).toBeGreaterThanOrEqual(0)
  }
  expect(turns.at(-1)).toBe(leader())
}

interface Told {
  readonly metadata: { readonly name: string }
  readonly count: number
}
const told = async (name: string): Promise<Told | undefined> =>
  api.call<Told & KubeObject>('GET', `${events}/${name}`)
const now = (): string => new Date().toISOString().replace(/\.\d+/, '')
/** As one of the controller's own is stored. */
const record = (by: Client, name: string): Promise<unknown> =>
  by.must('POST', events, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { apiVersion, kind: 'Project', namespace: 'default', name: 'shop' },
    reason: 'Waited',
    message: 'it happened',
    type: 'Warning',
    count: 1,
    firstTimestamp: now(),
    lastTimestamp: now(),
    source: { component: 'stagely' },
    reportingComponent: 'stagely',
    reportingInstance: 'stagely',
  })
const countTo = (by: Client, name: string, count: number): Promise<unknown> =>
  by.must('PATCH', `${events}/${name}`, { count, lastTimestamp: now() })
/** The next request of a pod for a path is kept without an answer, until the caller gives one. */
const holdNext = (pod: number, path: string): Promise<{ answer(body: unknown): void }> =>
  new Promise((resolve) => {
    hold = (request, response) => {
      if (owners.get(bearerOf(request)) !== pod || request.url !== path) return false
      hold = () => false
      resolve({
        answer: (body) => {
          response.writeHead(200, { 'content-type': 'application/json' })
          response.end(JSON.stringify(body))
        },
      })
      return true
    }
  })

itAsRoot(
  'a pod follows its cluster by its service account, also when the token is replaced',
  async () => {
    // One that the cluster's cannot be carried over: it says so in its status.
    await clients[0]!.must('POST', `${namespaced}/agents`, object('Agent', 'box'))
    const hook = { reasons: ['Expired'], webhook: { url: 'https://hooks.example.com/s' } }
    await clients[0]!.must('POST', `${namespaced}/notifiers`, object('Notifier', 'ops', hook))
    const signing = {
      projectRef: { name: 'shop' },
      outputs: { current: 'sign' },
      rotator: { generate: {} },
    }
    await clients[0]!.must(
      'POST',
      `${namespaced}/rotations`,
      object('Rotation', 'signing', signing),
    )
    const doppler = {
      doppler: { project: 'shop', config: 'prd' },
      auth: { secretRef: { name: 'token' } },
    }
    await clients[0]!.must(
      'POST',
      `${namespaced}/secretstores`,
      object('SecretStore', 'dp', doppler),
    )
    const ci = {
      issuer: 'https://ci.example.com',
      audience: 'us',
      rules: [{ claims: { repository: 'acme/shop' }, role: 'deployer' }],
    }
    await clients[0]!.must(
      'POST',
      `${namespaced}/trustedissuers`,
      object('TrustedIssuer', 'ci', ci),
    )
    const policy = object('AccessPolicy', 'guard', { projects: ['shop'] })
    await clients[0]!.must('POST', `${namespaced}/accesspolicies`, policy)
    await api.putSecret('keys', { key: Buffer.from('of-the-cluster').toString('base64') })
    const valueFrom = { kubernetesSecret: { name: 'keys', key: 'key' } }
    await api.create(
      object('Project', 'shop'),
      object('Agent', 'box'),
      object('Notifier', 'ops', hook),
      object('Rotation', 'signing', signing),
      object('SecretStore', 'dp', doppler),
      object('TrustedIssuer', 'ci', ci),
      policy,
      object('StagelySecret', 'before', { projectRef: { name: 'shop' }, key: 'BEFORE', valueFrom }),
      object('Stagelet', 'prod', {
        projectRef: { name: 'shop' },
        agentRef: { name: 'box' },
        compose: { directory: '/srv/prod' },
      }),
    )
    await eventually(async () => (await api.get('StagelySecret', 'before'))?.status).toMatchObject({
      version: 1,
    })
    owners.clear()
    for (const pod of [0, 1]) {
      owners.set(`second-${pod}`, pod)
      await putToken(podOf(pod).dir, `second-${pod}`)
    }
    await api.create(secret('after'))
    await eventually(() => isJudged('after')).toBe(true)
    expectInTurns()
  },
)

itAsRoot('a leader that wakes from a pause writes nothing more to the cluster', async () => {
  const old = leader()
  const other = clients[1 - old]!
  await record(other, 'waited')
  await eventually(() => told('waited')).toMatchObject({ count: 1 })
  const earlier = await told('waited')
  const asked = holdNext(old, `${events}/waited`)
  await countTo(other, 'waited', 2)
  const held = await asked
  const { program } = pods[old]!
  program.child.kill('SIGSTOP')
  await api.create(secret('meanwhile'))
  await eventually(() => isJudged('meanwhile')).toBe(true)
  expect(leader()).toBe(1 - old)
  await eventually(() => told('waited')).toMatchObject({ count: 2 })
  await countTo(other, 'waited', 3)
  await eventually(() => told('waited')).toMatchObject({ count: 3 })
  // It wakes with what it was about to do. Requests that it had sent before the pause have arrived.
  const before = writes.length
  held.answer(earlier)
  program.child.kill('SIGCONT')
  await eventually(() => program.output()).toContain('this replica leads no more')
  await api.create(secret('afterwards'))
  await eventually(() => isJudged('afterwards')).toBe(true)
  expect(writes.slice(before).filter(({ pod }) => pod === old)).toEqual([])
  expect(await told('waited')).toMatchObject({ count: 3 })
})

itAsRoot(
  'a leader that is killed is followed by the other, and then the cluster sees no write',
  async () => {
    const old = leader()
    const next = 1 - old
    await pods[old]!.program.kill('SIGKILL')
    await api.create(secret('late'))
    await eventually(() => isJudged('late')).toBe(true)
    await eventually(async () => {
      const seen = writes.length
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      return writes.length - seen
    }).toBe(0)
    expectInTurns()
    expect(leader()).toBe(next)
    // Nothing was told twice.
    const list = await api.call<{ items: Told[] }>('GET', events)
    const posts = writes.filter(({ what }) => what === `POST ${events}`)
    expect(list!.items).toHaveLength(posts.length)
    expect(await told('waited')).toMatchObject({ count: 3 })
  },
)

itAsRoot('the chart gives a pod the rights that it uses, and no other', async () => {
  for (const [kind, name] of [
    ['Agent', 'box'],
    ['Notifier', 'ops'],
    ['Rotation', 'signing'],
    ['SecretStore', 'dp'],
    ['TrustedIssuer', 'ci'],
  ] as const)
    await eventually(async () => (await api.get(kind, name))?.status).toMatchObject({
      conditions: [{ type: 'Accepted', reason: 'Conflict' }],
    })
  // This cluster says of a policy itself whether it is usable, beside what the pod says.
  await eventually(() => [...used].sort()).toEqual(rights.toSorted())
})
