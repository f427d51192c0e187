// Every route that writes × what a cluster owns and what a folder of manifests owns: it is refused with
// the owner's name, or it is on the list of those that say nothing that the owner says. The routes are
// the tables that the server mounts, so that a new one must be put here.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { kubeRoutes } from '../../../controller/http/app.ts'
import { idOf } from '../../../controller/http/rest/ids.ts'
import { restBase } from '../../../controller/http/rest/serve.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import type { Condition } from '../../../src/resources/conditions.ts'
import { annotations, requestAnnotations, type KubeObject } from '../../../src/resources/meta.ts'
import { openTestCluster, type TestCluster } from '../../support/cluster/cluster.ts'
import { startFollowing, type Following } from '../../support/cluster/following.ts'
import { runCli } from '../../support/programs/processes.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { eventually } from '../../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const kube = `/apis/${apiVersion}/namespaces/:namespace`
const kinds = {
  projects: ['Project', 'shop', { description: 'mine' }],
  agents: ['Agent', 'box', { paused: true }],
  stagelysecrets: ['StagelySecret', 'db-url', { scope: 'web' }],
  stagelets: ['Stagelet', 'prod', { paused: true }],
  notifiers: ['Notifier', 'ops', { reasons: ['Drifted'] }],
  rotations: ['Rotation', 'signing', { overlap: '20m' }],
  secretstores: ['SecretStore', 'token-store', { onMissing: 'Keep' }],
  trustedissuers: ['TrustedIssuer', 'ci', { audience: 'others' }],
  accesspolicies: ['AccessPolicy', 'guard', { afterUse: 'Rotate' }],
} as const
type Plural = keyof typeof kinds
const plurals = Object.keys(kinds) as Plural[]

interface Place {
  readonly team: string
  /** What the error names. */
  owner: string
  /** As the controller has them. */
  held: Record<string, KubeObject>
}
interface Attempt {
  readonly body?: unknown
  readonly type?: string
  readonly query?: string
  /** `shop` where not said. */
  readonly project?: string
  /** 409 where not said. */
  readonly status?: number
  /** Who the owner is, where not said. */
  readonly says?: string
}
type Attempts = (place: Place) => Attempt[]

let cluster: TestCluster
let controller: TestController
let following: Following
/** Of manifests. */
let folder: string
let places: Place[]

const notices = { reasons: ['Expired'], webhook: { url: 'https://hooks.example.com/' } }
const signing = { outputs: { current: 'sign' }, rotator: { generate: {} } }
const doppler = {
  doppler: { project: 'shop', config: 'prd' },
  auth: { secretRef: { name: 'open' } },
}
const trusted = {
  issuer: 'https://ci.example.com',
  audience: 'us',
  rules: [{ claims: { repository: 'acme/shop' }, role: 'deployer' }],
}
const theSecrets = { projectRef: { name: 'shop' } }
const manifests = (namespace: string, value: Record<string, unknown>): KubeObject[] => {
  const object = (kind: string, name: string, spec: Record<string, unknown> = {}): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec,
  })
  return [
    object('Project', 'shop'),
    object('Project', 'idle'),
    object('Agent', 'box'),
    object('StagelySecret', 'db-url', { ...theSecrets, key: 'DB_URL', ...value }),
    object('StagelySecret', 'open', { ...theSecrets, key: 'OPEN' }),
    object('Stagelet', 'prod', {
      ...theSecrets,
      agentRef: { name: 'box' },
      compose: { directory: '/srv/prod' },
      ttl: '72h',
    }),
    object('Notifier', 'ops', notices),
    object('Rotation', 'signing', { ...theSecrets, ...signing }),
    object('SecretStore', 'token-store', doppler),
    object('TrustedIssuer', 'ci', trusted),
    object('AccessPolicy', 'guard', { projects: ['idle'] }),
  ]
}
const putManifests = (value: string, ...more: KubeObject[]): Promise<void> => {
  const objects = [...manifests('red', { value }), ...more]
  const texts = objects.map((object) => stringify(object))
  return writeFile(join(folder, 'red.yaml'), texts.join('---\n'))
}
const putSecret = (value: string): Promise<void> =>
  cluster.api.putSecret('db', { url: Buffer.from(value).toString('base64') })

beforeAll(async () => {
  cluster = await openTestCluster(inject('postgresUrl'))
  following = await startFollowing(cluster)
  folder = following.folder
  await putSecret('one')
  controller = await startTestController({ argv: [...following.argv, '--manifests', folder] })
  await controller.call('POST', `${restBase}/teams`, { body: { name: 'red' } })
})
afterAll(async () => {
  await controller.remove()
  await cluster.remove()
  await following.remove()
})

/** What the sources declare in a team. */
const declared = async (team: string): Promise<KubeObject[]> => {
  const lists = plurals.map((plural) =>
    controller.call('GET', `${kube.replace(':namespace', team)}/${plural}`),
  )
  const items = (await Promise.all(lists)).map((list) => list.json<{ items: KubeObject[] }>())
  return items
    .flatMap((list) => list.items)
    .filter(({ metadata }) => metadata.annotations?.[annotations.source] !== 'api')
}
/** All of it, once it is there. */
const held = async (team: string): Promise<Record<string, KubeObject>> => {
  let found: KubeObject[] = []
  await eventually(async () => (found = await declared(team)).length).toBe(plurals.length + 2)
  return Object.fromEntries(found.map((object) => [object.metadata.name, object]))
}
/** On a busy machine the objects of one source may come in more than one revision. */
const isGiven = async (version: number): Promise<void> => {
  for (const { team } of places) {
    await eventually(async () => (await held(team))['db-url']?.status?.['version']).toBe(version)
    await eventually(async () => (await held(team))['shop']?.status?.['revision']).toBeTruthy()
  }
}
/** Of each object what its owner says: requests are anybody's. */
const said = async ({ team }: Place): Promise<unknown> =>
  (await declared(team)).map(({ kind, spec, metadata }) => {
    const { uid, labels, annotations: notes = {} } = metadata
    const asked: readonly string[] = requestAnnotations
    const kept = Object.entries(notes).filter(([name]) => !asked.includes(name))
    return { kind, uid, spec, labels, annotations: Object.fromEntries(kept) }
  })

const plain: Attempts = () => [{}]
/** What stagelets use is not deleted, whoever owns it: they come first. */
const inUse = ': stagelets prod use it: delete these first'
const withBody =
  (body: object): Attempts =>
  () => [{ body }]
const bare = ({ apiVersion, kind, metadata: { name }, spec }: KubeObject): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name },
  ...(spec === undefined ? {} : { spec }),
})

/** What edits, and how it is tried. */
const refused: Record<string, Attempts> = {
  'POST /projects': ({ team }) => [{ body: { name: 'shop', team } }],
  'PATCH /projects/:project_id': withBody({ description: 'mine' }),
  'POST /agents': ({ team }) => [{ body: { name: 'box', team } }],
  'PATCH /agents/:agent_id': withBody({ paused: true }),
  'POST /stagelets': ({ team }) => [
    {
      body: {
        name: 'prod',
        team,
        project: 'shop',
        agent: 'box',
        compose: { directory: '/srv/shop' },
      },
    },
  ],
  'PATCH /stagelets/:stagelet_id': withBody({ paused: true }),
  'POST /notifiers': ({ team }) => [{ body: { name: 'ops', team, ...notices } }],
  'PATCH /notifiers/:notifier_id': withBody({ reasons: ['Drifted'] }),
  'DELETE /notifiers/:notifier_id': plain,
  'POST /projects/:project_id/rotations': withBody({ name: 'signing', ...signing }),
  'PATCH /projects/:project_id/rotations/:rotation': withBody({ paused: true }),
  'DELETE /projects/:project_id/rotations/:rotation': plain,
  'POST /stores': ({ team }) => [
    {
      body: {
        name: 'token-store',
        team,
        doppler: { project: 'shop', config: 'prd' },
        auth: { secret: 'open' },
      },
    },
  ],
  'PATCH /stores/:store_id': withBody({ on_missing: 'Keep' }),
  'DELETE /stores/:store_id': plain,
  'POST /issuers': ({ team }) => [{ body: { name: 'ci', team, ...trusted } }],
  'PATCH /issuers/:issuer_id': withBody({ audience: 'others' }),
  'DELETE /issuers/:issuer_id': plain,
  'POST /policies': ({ team }) => [{ body: { name: 'guard', team, projects: ['idle'] } }],
  'PATCH /policies/:policy_id': withBody({ after_use: 'Rotate' }),
  'DELETE /policies/:policy_id': plain,
  'DELETE /projects/:project_id': () => [{ says: inUse }, { project: 'idle' }],
  'POST /projects/:project_id/rollout/pause': plain,
  'POST /projects/:project_id/rollback': withBody({ revision: 1 }),
  'PATCH /projects/:project_id/secrets/:secret_id': () => [
    { body: { scope: 'web' } },
    { body: { value: 'mine' } },
  ],
  'DELETE /projects/:project_id/secrets/:secret_id': plain,
  'POST /projects/:project_id/secrets/:secret_id/rollback': withBody({ version: 1 }),
  'POST /projects/:project_id/secrets/:secret_id/purge': plain,
  // A batch is refused as a whole, with the fault of each operation.
  'POST /projects/:project_id/secrets/batch': () =>
    [{ op: 'update', id: 'db-url', value: 'mine' } as const, { op: 'delete', id: 'open' }].map(
      (operation) => ({
        status: 422,
        body: { operations: [{ op: 'create', key: 'NOT_MADE', value: 'x' }, operation] },
      }),
    ),
  'DELETE /teams/:team': () => [{ says: inUse }],
  'DELETE /api/v1/namespaces/:name': ({ owner }) => [
    { says: inUse },
    { query: '?propagationPolicy=Foreground', says: ` in it is owned by ${owner}: ` },
  ],
  ...Object.fromEntries(plurals.flatMap((plural) => Object.entries(kubeEdits(plural)))),
}

function kubeEdits(plural: Plural): Record<string, Attempts> {
  const [kind, name, spec] = kinds[plural]
  const of = ({ held }: Place): KubeObject => held[name]!
  const merge = 'application/merge-patch+json'
  const notes = { 'example.com/mine': 'yes' }
  return {
    [`POST ${kube}/${plural}`]: (place) => [{ body: bare(of(place)) }],
    [`PUT ${kube}/${plural}/:name`]: (place) => [
      { body: { ...bare(of(place)), spec: { ...of(place).spec, ...spec } } },
    ],
    [`PATCH ${kube}/${plural}/:name`]: () => [
      { type: merge, body: { spec } },
      { type: merge, body: { metadata: { labels: notes } } },
      { type: merge, body: { metadata: { annotations: notes } } },
      { type: merge, body: { metadata: { annotations: { [annotations.lastApplied]: '{}' } } } },
      {
        type: 'application/json-patch+json',
        body: [{ op: 'add', path: '/metadata/labels', value: notes }],
      },
      {
        type: 'application/apply-patch+yaml',
        query: '?fieldManager=me&force=true',
        body: { apiVersion, kind, metadata: { name, labels: notes } },
      },
    ],
    [`DELETE ${kube}/${plural}/:name`]: plain,
    [`DELETE ${kube}/${plural}`]: plain,
  }
}

const statusOnly = 'only its status is taken'
/** What says nothing that the owner says, and why. */
const others: Record<string, string> = {
  'POST /projects/:project_id/secrets': 'a new secret is its own',
  'POST /projects/:project_id/secrets/:secret_id/restore': 'what was deleted is owned by nobody',
  'POST /projects/:project_id/secrets/:secret_id/reveal': 'reads',
  'POST /projects/:project_id/reveal': 'reads',
  'POST /projects/:project_id/rollout/resume': 'a request',
  'POST /projects/:project_id/rollout/retry': 'a request',
  'POST /stagelets/:stagelet_id/deploy': 'a request',
  'POST /stagelets/:stagelet_id/retry': 'a request',
  'POST /stagelets/:stagelet_id/extend': 'a request',
  'PUT /projects/:project_id/previews/:preview': 'a stagelet that the route itself makes',
  'DELETE /projects/:project_id/previews/:preview': 'a stagelet that the route itself made',
  'POST /stagelets/:stagelet_id/printed': 'reads',
  'POST /agents/:agent_id/join-token': 'who is the agent, not what it is to do',
  'POST /agents/:agent_id/revoke': 'who is the agent, not what it is to do',
  'POST /agents/:agent_id/rotate-keys': 'a request',
  'POST /projects/:project_id/rotations/:rotation/run': 'a request',
  'POST /projects/:project_id/rotations/:rotation/revoke': 'a request',
  'POST /projects/:project_id/access-requests': 'what a person asks for',
  'POST /projects/:project_id/findings': 'a fact of the status',
  'POST /projects/:project_id/fingerprints/matches': 'compares, and changes nothing',
  'POST /projects/:project_id/secrets/:secret_id/where': 'asks agents, and changes nothing',
  'POST /teams/:team/where': 'asks agents, and changes nothing',
  ...Object.fromEntries(
    ['approval', 'denial', 'cancellation', 'revocation', 'review'].map((what) => [
      `PUT /access-requests/:request_id/${what}`,
      'what a person asks for',
    ]),
  ),
  ...Object.fromEntries(
    [
      ...['POST', 'DELETE'].map((method) => `${method} ${kube}/accessrequests`),
      ...['PUT', 'PATCH', 'DELETE'].map((method) => `${method} ${kube}/accessrequests/:name`),
      ...['PUT', 'PATCH'].map((method) => `${method} ${kube}/accessrequests/:name/status`),
    ].map((route) => [route, 'what a person asks for']),
  ),
  'POST /notifiers/:notifier_id/test': 'a message',
  'POST /stores/:store_id/refresh': 'a request',
  'POST /stores/:store_id/check': 'a request',
  'POST /stores/:store_id/resume': 'a request',
  [`POST ${kube}/agents/:name/token`]: 'who is the agent, not what it is to do',
  [`POST ${kube}/agents/:name/revoke`]: 'who is the agent, not what it is to do',
  [`POST ${kube}/changesetreviews`]: 'stores nothing',
  'POST /teams': 'a team that is there stays',
  'PUT /teams/:team/members/:user': 'people',
  'DELETE /teams/:team/members/:user': 'people',
  'POST /users': 'people',
  'PATCH /users/:user': 'people',
  'DELETE /users/:user': 'people',
  'POST /tokens': 'people',
  'DELETE /tokens/:token_id': 'people',
  'POST /users/:user/tokens': 'people',
  'DELETE /users/:user/tokens/:token_id': 'people',
  'POST /teams/:team/tokens': 'machines of a team',
  'DELETE /teams/:team/tokens/:token_id': 'machines of a team',
  ...Object.fromEntries(
    [
      ...['POST /session', 'DELETE /session', 'POST /session/confirm', 'POST /session/codes'],
      ...['POST /session/codes/look', 'DELETE /me/sessions/:session_id'],
    ].map((route) => [route, 'people']),
  ),
  'POST /audit/erasures': 'people',
  'POST /keys/rotations': 'how values are sealed',
  'POST /sealing-key/rotate': 'how values are sealed',
  'POST /api/v1/namespaces': 'a team that is there stays',
  'PUT /api/v1/namespaces/:name': 'labels of a team are anybody’s',
  'PATCH /api/v1/namespaces/:name': 'labels of a team are anybody’s',
  'PUT /api/v1/namespaces/:name/status': statusOnly,
  'PATCH /api/v1/namespaces/:name/status': statusOnly,
  ...Object.fromEntries(
    plurals.flatMap((plural) => [
      [`PUT ${kube}/${plural}/:name/status`, statusOnly],
      [`PATCH ${kube}/${plural}/:name/status`, statusOnly],
    ]),
  ),
  'POST /api/v1/namespaces/:namespace/events': 'events have no owner',
  'PUT /api/v1/namespaces/:namespace/events/:name': 'events have no owner',
  'PATCH /api/v1/namespaces/:namespace/events/:name': 'events have no owner',
  'DELETE /api/v1/namespaces/:namespace/events/:name': 'events have no owner',
  'DELETE /api/v1/namespaces/:namespace/events': 'events have no owner',
}

/** Of a policy nobody writes the status. */
const statusPlurals = plurals.filter((plural) => plural !== 'accesspolicies')

/** Of those the ones that reach an owned object, and how they are tried. */
const tried: Record<string, Attempts> = {
  'POST /projects/:project_id/secrets': withBody({ key: 'MINE', value: 'mine' }),
  'POST /projects/:project_id/rollout/resume': plain,
  'POST /projects/:project_id/rollout/retry': plain,
  'POST /stagelets/:stagelet_id/deploy': plain,
  'POST /stagelets/:stagelet_id/retry': plain,
  'POST /stagelets/:stagelet_id/extend': withBody({}),
  'POST /agents/:agent_id/join-token': withBody({}),
  'POST /agents/:agent_id/revoke': plain,
  'POST /agents/:agent_id/rotate-keys': plain,
  [`POST ${kube}/agents/:name/token`]: withBody({}),
  [`POST ${kube}/agents/:name/revoke`]: withBody({}),
  'POST /keys/rotations': withBody({ kind: 'data' }),
  'POST /sealing-key/rotate': plain,
  ...Object.fromEntries(
    statusPlurals.map((plural) => [
      `PATCH ${kube}/${plural}/:name/status`,
      () => [
        {
          type: 'application/merge-patch+json',
          body: { spec: kinds[plural][2], metadata: { labels: { mine: 'yes' } }, status: {} },
        },
      ],
    ]),
  ),
}

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`

const send = (place: Place, route: string, attempt: Attempt): Promise<Answer> => {
  const [method = '', path = ''] = route.split(' ')
  const plural = plurals.find((plural) => path.includes(`/${plural}/:name`))
  const known: Record<string, string> = {
    project_id: idOf(place.held[attempt.project ?? 'shop']!),
    secret_id: idOf(place.held['db-url']!),
    stagelet_id: idOf(place.held['prod']!),
    agent_id: idOf(place.held['box']!),
    notifier_id: idOf(place.held['ops']!),
    rotation: 'signing',
    store_id: idOf(place.held['token-store']!),
    issuer_id: idOf(place.held['ci']!),
    policy_id: idOf(place.held['guard']!),
    team: place.team,
    namespace: place.team,
    name: plural === undefined ? place.team : kinds[plural][1],
  }
  const filled = path.replace(/:(\w+)/g, (_, name: string) => known[name] ?? 'none')
  return sendTo(method, (path.startsWith('/api') ? '' : restBase) + filled, attempt)
}

const sendTo = async (method: string, path: string, attempt: Attempt): Promise<Answer> => {
  const { body, type, query = '' } = attempt
  const call = (body: unknown): Promise<Answer> =>
    controller.call(method, path + query, {
      ...(body === undefined ? {} : { body }),
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    })
  if (method !== 'PUT') return call(body)
  // It names the version that it replaces, which a status moves.
  for (;;) {
    const { metadata } = (await controller.call('GET', path)).json<KubeObject>()
    const answer = await call({ ...(body as KubeObject), metadata })
    if (!answer.text.includes('the object has been modified')) return answer
  }
}

test('what both declare is there, with a second value', async () => {
  await putManifests('one')
  const valueFrom = { kubernetesSecret: { name: 'db', key: 'url' } }
  await cluster.api.create(...manifests(cluster.namespace, { valueFrom }))
  places = await Promise.all(
    [cluster.namespace, 'red'].map(async (team) => ({ team, owner: '', held: await held(team) })),
  )
  await isGiven(1)
  await Promise.all([putManifests('two'), putSecret('two')])
  await isGiven(2)
  for (const place of places) {
    place.held = await held(place.team)
    place.owner = place.held['shop']?.metadata.annotations?.[annotations.source] ?? ''
  }
  expect(places.map(({ owner }) => owner)).toEqual(['kubernetes', `folder:${folder}`])
})

test('every route that writes edits what others own, or says why it does not', () => {
  const kubeTable = kubeRoutes({} as Parameters<typeof kubeRoutes>[0])
  const writing = [...restRoutes, ...kubeTable].filter(({ method }) => method !== 'GET')
  const known = [...Object.keys(refused), ...Object.keys(others)]
  expect(writing.map(nameOf).toSorted()).toEqual(known.toSorted())
  expect(Object.keys(others)).toEqual(expect.arrayContaining(Object.keys(tried)))
})

test('a route that edits is refused with the name of the owner, and nothing has changed', async () => {
  for (const place of places) {
    const before = await said(place)
    for (const [route, attempts] of Object.entries(refused))
      for (const attempt of attempts(place)) {
        const { status, text } = await send(place, route, attempt)
        const what = `${route} ${JSON.stringify(attempt)} ${place.team}: ${text}`
        expect(status, what).toBe(attempt.status ?? 409)
        expect(text, what).toContain(attempt.says ?? `owned by ${place.owner}`)
      }
    expect(await said(place)).toEqual(before)
    const secrets = await send(place, 'GET /projects/:project_id/secrets', {})
    expect(secrets.text).not.toContain('NOT_MADE')
  }
})

test('what is open to others changes nothing that the owner says', async () => {
  for (const place of places) {
    const before = await said(place)
    for (const [route, attempts] of Object.entries(tried))
      for (const attempt of attempts(place)) {
        const { status, text } = await send(place, route, attempt)
        expect(status, `${route} ${place.team}: ${text}`).toBeLessThan(300)
        expect(await said(place), route).toEqual(before)
      }
  }
})

test('a value that the owner leaves open is given and put back by the API', async () => {
  for (const place of places) {
    const before = await said(place)
    const secret = `${restBase}/projects/${idOf(place.held['shop']!)}/secrets/open`
    const given = [
      ['PATCH', secret, { value: 'first' }],
      ['PATCH', secret, { value: 'second' }],
      ['POST', `${secret}/rollback`, { version: 1 }],
    ] as const
    for (const [method, path, body] of given) {
      const { status, text } = await controller.call(method, path, { body })
      expect(status, text).toBe(200)
    }
    expect((await controller.call('GET', secret)).json()).toMatchObject({ version: 3 })
    expect(await said(place)).toEqual(before)
  }
})

test('stagely admin adopt hands a secret from one source to the next, with its value', async () => {
  const adopt = async (...flags: string[]): Promise<void> => {
    const { code, stdout, stderr } = await runCli(
      ['adopt', 'secret/passed', '-n', cluster.namespace, ...flags],
      {
        STAGELY_SERVER: controller.url,
        STAGELY_TOKEN: controller.token,
        STAGELY_CA_FILE: join(controller.dataDir, 'ca.crt'),
      },
    )
    expect(code, stderr).toBe(0)
    const done = flags.length === 0 ? 'adopted' : 'released'
    expect(stdout).toBe(`stagelysecret.stagely.dev/passed ${done}\n`)
  }
  const declared: KubeObject = {
    apiVersion,
    kind: 'StagelySecret',
    metadata: { name: 'passed', namespace: cluster.namespace },
    spec: { ...theSecrets, key: 'PASSED' },
  }
  const secrets = `${kube.replace(':namespace', cluster.namespace)}/stagelysecrets`
  const body = { ...declared, spec: { ...declared.spec, value: 'of the API' } }
  const made = (await controller.call('POST', secrets, { body })).json<KubeObject>()
  const read = async (): Promise<KubeObject> =>
    (await controller.call('GET', `${secrets}/passed`)).json<KubeObject>()
  const becomes = async (owner: string): Promise<void> => {
    const source = async (): Promise<unknown> =>
      (await read()).metadata.annotations?.[annotations.source]
    await eventually(source).toBe(owner)
    const { metadata, status } = await read()
    expect([metadata.uid, status?.['version']]).toEqual([made.metadata.uid, 1])
  }
  const accepted = async (): Promise<unknown> => {
    const { conditions = [] } = (await cluster.api.get('StagelySecret', 'passed'))?.status ?? {}
    return (conditions as Condition[]).find(({ type }) => type === 'Accepted')
  }
  await cluster.api.create(declared)
  await eventually(accepted).toMatchObject({
    status: 'False',
    message: expect.stringContaining('stagely admin adopt --release') as string,
  })
  await adopt('--release')
  await becomes('kubernetes')
  await eventually(accepted).toMatchObject({ status: 'True' })
  await adopt()
  await becomes('api')
  await eventually(accepted).toMatchObject({ status: 'False' })
  await cluster.api.remove('StagelySecret', 'passed')
  await adopt('--release')
  await putManifests('two', declared)
  await becomes(`folder:${folder}`)
  await adopt()
  await becomes('api')
})
