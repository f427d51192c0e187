// What a request costs grows no faster than what it holds and what is stored: each route of both APIs, served by a
// controller with its store, with lists of n and of 8n entries, and with eight times as many secrets.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { kubeRoutes } from '../../../controller/http/app.ts'
import type { KubeRoute } from '../../../controller/http/kube/route.ts'
import type { RestRoute } from '../../../controller/http/rest/route.ts'
import { restBase } from '../../../controller/http/rest/serve.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import { apiPathOf, apiVersionOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { kinds } from '../../../src/kinds/index.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { grownOf } from '../../support/databases/grown.ts'
import { atRest, cpuMsOf, factor, leastCpuMs, tooDear } from '../../support/linear.ts'

const base = '/apis/stagely.dev/v1alpha1/namespaces/default'
/**
 * Labels, annotations and finalizers of an object, before it has eight times as many. All kinds share what reads them,
 * so two kinds have as many as may be: a loop within a loop shows there.
 */
const fewOf = ({ kind }: Kind): number => (['Stagelet', 'Namespace'].includes(kind) ? 1_200 : 100)
/** Secrets of a project, and in one batch of 500 at most. */
const fewSecrets = 150
const fewInBatch = 60
const fewReviewed = 25
/** A few seconds of CPU, on a busy machine. */
const timeout = 180_000

let controller: TestController
let secretId = ''

beforeAll(async () => {
  const argv = ['--insecure-http', '--rate-limit', '0', '--kube-rate-limit', '0']
  controller = await startTestController({ argv })
  // The controller names a request, and its spec never changes.
  for (const kind of kinds.filter((k) => k.internal !== true && k.kind !== 'AccessRequest')) {
    const path = collectionOf(kind)
    const answer = await send('POST', path, objectOf(kind, 'shop'))
    expect([kind.kind, answer.text, answer.status]).toEqual([kind.kind, answer.text, 201])
  }
  await fill(0, fewSecrets)
  const listed = await send('GET', `${restBase}/projects/default%2Fshop/secrets?limit=1`)
  secretId = (JSON.parse(listed.text) as { secrets: { id: string }[] }).secrets[0]!.id
})
afterAll(() => controller.remove())

/** Ten services that see each secret, as an agent would report them. */
const reportServices = async (): Promise<void> => {
  const services = names(10, 'service-').map((name) => ({ name, state: 'running' }))
  const path = `${base}/stagelets/shop/status`
  const type = 'application/merge-patch+json'
  expect(await send('PATCH', path, { status: { services } }, type)).toMatchObject({ status: 200 })
  const usage = await send('GET', `${restBase}/projects/default%2Fshop/usage?limit=1`)
  expect(usage.text).toContain('service-9')
}

interface Answer {
  readonly status: number
  readonly text: string
}

const send = async (
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<Answer> => {
  const answer = await fetch(controller.url + path, {
    method,
    redirect: 'manual',
    headers: { authorization: `Bearer ${controller.token}`, 'content-type': type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() }
}

const rulesOf = (n: number): object[] =>
  Array.from({ length: Math.min(n, 100) }, () => ({
    claims: { repository: 'acme/shop' },
    role: 'deployer',
    projects: ['shop'],
  }))
const names = (count: number, start: string): string[] =>
  Array.from({ length: count }, (_, i) => `${start}${i}`)
const mapOf = (keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(keys.map((key) => [key, key]))

const fill = async (from: number, to: number): Promise<void> => {
  for (let at = from; at < to; at += fewSecrets) {
    const operations = names(fewSecrets, '').map((n) => ({
      op: 'create',
      key: `KEY_${at + Number(n)}`,
      value: `a value of ${at + Number(n)}`,
    }))
    const path = `${restBase}/projects/default%2Fshop/secrets/batch`
    expect(await send('POST', path, { operations })).toMatchObject({ status: 200 })
  }
}

/** A valid spec of each kind that is served; a core Event has its fields beside it. */
const specs: Readonly<Record<string, (name: string) => object>> = {
  Namespace: () => ({}),
  Project: () => ({}),
  Agent: () => ({}),
  Stagelet: (name) => ({
    projectRef: { name: 'shop' },
    agentRef: { name: 'shop' },
    compose: { directory: '/srv/shop', projectName: name },
    ttl: '72h',
  }),
  StagelySecret: (name) => ({ projectRef: { name: 'shop' }, key: `OWN_${name}`, value: 'value' }),
  Notifier: () => ({ reasons: ['Expired'], webhook: { url: 'https://127.0.0.1/' } }),
  SecretStore: () => ({ aws: { region: 'eu-central-1' }, auth: { secretRef: { name: 'aws' } } }),
  TrustedIssuer: () => ({ issuer: 'https://ci.example.com', audience: 'us', rules: rulesOf(1) }),
  AccessPolicy: (name) => ({ projects: [`guarded-${name}`] }),
  Rotation: (name) => ({
    projectRef: { name: 'shop' },
    rotator: { generate: {} },
    outputs: { current: `${name}-current`, list: `${name}-list` },
  }),
}

/** Every list and map that the metadata of an object has. */
const listsOf = (count: number): object => ({
  labels: mapOf(names(count, 'k')),
  annotations: mapOf(names(count, 'k')),
  finalizers: names(count, 'example.com/f'),
  ownerReferences: names(count / 10, 'o').map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    name,
    uid: name,
  })),
})

const objectOf = (kind: Kind, name: string, count = 0): Record<string, unknown> => ({
  apiVersion: apiVersionOf(kind),
  kind: kind.kind,
  metadata: { name, ...(kind.namespaced && { namespace: 'default' }), ...listsOf(count) },
  ...(kind.kind === 'Event'
    ? { reason: 'Tested', involvedObject: { kind: 'Project', name: 'shop', namespace: 'default' } }
    : { spec: specs[kind.kind]?.(name) }),
})

interface Request {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly type?: string
  /** The body needs the resourceVersion of what it replaces. */
  readonly replaces?: true
}

const perform = async ({ method, path, body, type, replaces }: Request): Promise<Answer> => {
  if (replaces !== true) return send(method, path, body, type)
  const { text } = await send('GET', path)
  const { metadata } = JSON.parse(text) as { metadata: { resourceVersion: string } }
  const { resourceVersion } = metadata
  const given = body as { metadata: object }
  return send(method, path, { ...given, metadata: { ...given.metadata, resourceVersion } })
}

/** What was too dear, or failed; of the request with n entries, and of the one with 8n. */
const compared = async (name: string, small: Request, large: Request): Promise<string[]> => {
  const found: string[] = []
  const ask = (request: Request) => async (): Promise<void> => {
    const { status, text } = await perform(request)
    if (status >= 300) found.push(`${name}: ${status} ${text.slice(0, 300)}`)
  }
  const few = await cpuMsOf(ask(small))
  const many = await leastCpuMs(ask(large), few)
  return [...new Set([...found, ...tooDear(name, few, many)])]
}

const collectionOf = (kind: Kind): string =>
  `${apiPathOf(kind)}/${kind.namespaced ? 'namespaces/default/' : ''}${kind.plural}`

type Sized = (count: number) => Request

/** The ways to patch, on one kind of ours and one of Kubernetes' own; on others the dearest one. */
const patches = (
  { kind, subresource }: KubeRoute['access'],
  path: string,
): Record<string, Sized> => {
  const by = (
    word: string,
    body: (count: number) => unknown,
    query = '',
  ): Record<string, Sized> => {
    const type = `application/${word}`
    return { [word]: (n) => ({ method: 'PATCH', path: path + query, body: body(n), type }) }
  }
  const whole = (n: number): object => objectOf(kind, 'shop', n)
  const change = (n: number): object => ({ metadata: listsOf(n) })
  const operations = (n: number): object[] => [
    { op: 'add', path: '/metadata/labels', value: {} },
    ...names(n, 'k').map((key) => ({ op: 'add', path: `/metadata/labels/${key}`, value: key })),
  ]
  const isOne = ['Stagelet', 'Namespace'].includes(kind.kind) && subresource === undefined
  return {
    ...by('apply-patch+yaml', whole, '&fieldManager=tests&force=true'),
    ...(isOne && by('merge-patch+json', change)),
    ...(isOne && by('json-patch+json', operations)),
    ...(kind.kind === 'Namespace' && by('strategic-merge-patch+json', change)),
  }
}

/** Each write of the Kubernetes-style API, for so many entries. Nothing is stored. */
const kubeWrites = ({ method, access, path: pattern }: KubeRoute): Record<string, Sized> => {
  const { kind, subresource } = access
  const path = `${pattern.replace(':namespace', 'default').replace(':name', 'shop')}?dryRun=All`
  if (method === 'PATCH') return patches(access, path)
  const withBody = (body: (count: number) => object): Record<string, Sized> => ({
    whole: (n) => ({ method, path, body: body(n), ...(method === 'PUT' && { replaces: true }) }),
  })
  if (pattern.endsWith('/changesetreviews')) return withBody(reviewOf)
  if (subresource === 'token') return withBody((n) => ({ metadata: listsOf(n), spec: {} }))
  return withBody((n) => objectOf(kind, method === 'POST' ? 'new' : 'shop', n))
}

const reviewOf = (count: number): object => ({
  kind: 'ChangeSetReview',
  spec: {
    objects: names(count, 'reviewed-').map((name) => ({
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'StagelySecret',
      metadata: { name },
      spec: { projectRef: { name: 'shop' }, key: name.replace('-', '_'), value: 'value' },
    })),
  },
})

/** What revokes an agent looks at no body. */
/** The controller names requests, and alone writes what it says of policies. */
const isOfController = ({ path }: KubeRoute): boolean =>
  path.includes('/accessrequests') || path.endsWith('/accesspolicies/:name/status')

const isWrite = (route: KubeRoute): boolean =>
  ['POST', 'PUT', 'PATCH'].includes(route.method) &&
  !route.path.endsWith('/revoke') &&
  !isOfController(route)

it('a write of the Kubernetes-style API costs no more than its size', { timeout }, async () => {
  const found: string[] = []
  const all = kubeRoutes({} as Parameters<typeof kubeRoutes>[0]).filter((one) => isWrite(one))
  for (const route of all)
    for (const [how, sized] of Object.entries(kubeWrites(route))) {
      const isReview = route.path.endsWith('/changesetreviews')
      const few = isReview ? fewReviewed : fewOf(route.access.kind)
      const name = `${route.method} ${route.path} ${how}`
      found.push(...(await compared(name, sized(few), sized(few * factor))))
    }
  expect(found).toEqual([])
})

const exempt = (n: number): object => ({
  secret_policy: { max_age: '90d', exempt: names(125 * n, 'KEY_') },
})
const warns = { at: '2099-01-01T00:00:00Z', warn: ['30d', '7d'] }
const told = { reasons: ['Expired', 'Drifted'], webhook: { url: 'https://127.0.0.1/' } }
const rotates = { rotator: { generate: {} }, outputs: { current: 'a', list: 'b' } }
const store = { aws: { region: 'eu-central-1' }, auth: { secret: 'aws' } }

const composeLists = (n: number): object => ({
  files: names(32 * n, 'f'),
  profiles: names(32 * n, 'p'),
  env_files: names(32 * n, 'e'),
  requires: names(32 * n, 'R'),
  variables: names(32 * n, 'V'),
  file_targets: names(32 * n, '/t'),
  writable_folders: names(32 * n, '/w'),
  adopt: names(128 * n, 'volume'),
})

/**
 * A body for each route with a list or a map, with `n` times as many entries: 1, and then as many as it may have. The
 * lists of tokens, addresses and times hold few; they are here so that a new list is not forgotten.
 */
const bodies: Readonly<Record<string, (n: number, nth: number) => object>> = {
  createProject: (n, nth) => ({ name: `project-${nth}`, ...exempt(n) }),
  updateProject: exempt,
  createToken: (_, nth) => ({ name: `token-${nth}`, teams: ['default'] }),
  createTokenOfUser: (_, nth) => ({ name: `token-${nth}`, teams: ['default'] }),
  batchSecrets: (n) => ({
    dry_run: true,
    operations: names(fewInBatch * n, 'NEW_').map((key) => ({ op: 'create', key, value: 'value' })),
  }),
  createSecret: (_, nth) => ({ key: `MORE_${nth}`, value: 'value', expiry: warns }),
  updateSecret: () => ({ expiry: warns }),
  createStagelet: (n, nth) => ({
    name: `stagelet-${nth}`,
    project: 'shop',
    agent: 'shop',
    compose: { directory: '/srv/shop', project_name: `stagelet-${nth}`, ...composeLists(n) },
  }),
  updateStagelet: (n) => ({ compose: composeLists(n) }),
  createNotifier: (n, nth) => ({ name: `told-${nth}`, ...told, projects: names(12 * n, 'p') }),
  updateNotifier: (n) => ({ projects: names(12 * n, 'p') }),
  createRotation: (_, nth) => ({ name: `rotation-${nth}`, ...rotates }),
  updateRotation: () => ({ schedule: { every: '30d' } }),
  createStore: (n, nth) => ({
    name: `store-${nth}`,
    ...store,
    allow: { projects: names(12 * n, 'p'), remote: names(12 * n, 'r') },
  }),
  updateStore: (n) => ({ allow: { projects: names(12 * n, 'p'), remote: names(12 * n, 'r') } }),
  createIssuer: (n, nth) => ({
    name: `issuer-${nth}`,
    issuer: 'https://ci.example.com',
    audience: 'us',
    rules: rulesOf(n),
  }),
  updateIssuer: (n) => ({ rules: rulesOf(n) }),
  createPolicy: (n, nth) => ({ name: `policy-${nth}`, projects: names(12 * n, `guarded-${nth}-`) }),
  updatePolicy: (n) => ({ machines: names(12 * n, 'm') }),
  requestAccess: (n) => ({ reason: 'to see', secrets: names(6 * n, 'K').map((key) => ({ key })) }),
  reportFindings: (n) => ({
    repository: 'acme/shop',
    findings: names(10 * n, 'file-').map((path) => ({
      secret_id: secretId,
      version: 1,
      path,
      line: 1,
    })),
  }),
  matchFingerprints: (n) => ({ macs: names(100 * n, '').map((i) => i.padStart(32, '0')) }),
  putPreview: (n) => ({ images: mapOf(names(6 * n, 's')), set: mapOf(names(6 * n, 'V')) }),
  whereIsValue: () => ({ value: 'to-be-found-somewhere' }),
  refreshStore: (n) => ({ keys: names(12 * n, 'k') }),
  rollbackProject: () => ({ revision: 1, dry_run: true }),
  rollbackSecret: () => ({ version: 1 }),
  erasePerson: () => ({ person: 'admin', dry_run: true }),
  createTeam: (_, nth) => ({ name: `team-${nth}` }),
  putMember: () => ({ role: 'viewer' }),
  createUser: (_, nth) => ({ name: `user-${nth}` }),
  createTokenOfTeam: (_, nth) => ({ name: `token-${nth}`, role: 'viewer' }),
  createAgent: (_, nth) => ({ name: `agent-${nth}` }),
}

/** Streams that do not end, what waits for an agent, and what begins work that goes on after the answer. */
const left: readonly string[] = [
  ...[
    'stream',
    'streamProject',
    'streamStageletLogs',
    'countPrinted',
    'rotateKeys',
    'rotateSealingKey',
  ],
]

/** What only a browser, an agent, a store elsewhere, a policy or a template could make succeed. */
const refused: readonly string[] = [
  ...['openSession', 'lookAtSessionCode', 'getSession', 'confirmSession', 'endSession'],
  ...['endMySession', 'beginWebLogin', 'findStoreKeys'],
  ...['revokeRotation', 'restoreSecret', 'putPreview'],
  ...['approveAccess', 'denyAccess', 'cancelAccess', 'revokeAccess', 'reviewAccess'],
  ...['getAccessRequest', 'requestAccess', 'accessReach'],
]

/** What these do to what they name cannot be done again: they name what is not there. */
const destroys = ({ id, method }: RestRoute): boolean =>
  method === 'DELETE' || ['purgeSecret', 'revokeAgent', 'rotateAgentKeys'].includes(id)

const restPath = (route: RestRoute): string => {
  const shop = destroys(route) ? 'default%2Fnone' : 'default%2Fshop'
  const ids = [
    'project_id',
    'stagelet_id',
    'agent_id',
    'notifier_id',
    'store_id',
    'issuer_id',
    'policy_id',
  ]
  const known: Record<string, string> = {
    ...Object.fromEntries(ids.map((id) => [id, shop])),
    team: 'default',
    user: 'admin',
    revision: '1',
    version: '1',
    rotation: 'shop',
    secret_id: destroys(route) ? 'none' : secretId,
  }
  const path = route.path.replace(/:(\w+)/g, (_, one: string) => known[one] ?? 'none')
  const queries: Record<string, string> = {
    search: '?q=key',
    diffRevisions: '?from=0&to=1',
    listRevealed: '?by=admin',
  }
  return restBase + path + (queries[route.id] ?? '')
}

it(
  'a request of REST costs no more than its size, and than what is stored',
  { timeout },
  async () => {
    const withLists = restRoutes.filter(
      ({ body }) =>
        body !== undefined && grownOf(body).some(({ field }) => field !== 'unknown fields'),
    )
    expect(withLists.map(({ id }) => id).filter((id) => bodies[id] === undefined)).toEqual([])
    const routes = restRoutes.filter(({ id }) => !left.includes(id))
    const failed = new Set<string>()
    let nth = 0
    const ask = (route: RestRoute, n: number) => async (): Promise<void> => {
      const body = bodies[route.id]?.(n, nth++) ?? (route.body === undefined ? undefined : {})
      const answer = await send(route.method, restPath(route), body)
      const mayFail = destroys(route) || refused.includes(route.id)
      if (answer.status >= (mayFail ? 500 : 400))
        failed.add(`${route.id}: ${answer.status} ${answer.text.slice(0, 300)}`)
    }
    await reportServices()
    const few = new Map<string, number>()
    for (const route of routes) few.set(route.id, await cpuMsOf(ask(route, 1)))
    await fill(fewSecrets, fewSecrets * factor)
    await reportServices()
    await atRest()
    const found: string[] = []
    for (const route of routes) {
      const small = few.get(route.id)!
      const many = await leastCpuMs(ask(route, factor), small)
      found.push(...tooDear(route.id, small, many))
    }
    expect([...found, ...failed]).toEqual([])
  },
)
