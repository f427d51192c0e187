// Random requests over the wire: whatever comes, the answer is one of the client's faults, it comes soon,
// and no secret value is in it.
import { request } from 'node:https'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { runs } from '../../support/soak.ts'
import { codePoint } from '../../support/code-point.ts'
import { passes } from '../../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const base = `/apis/${apiVersion}/namespaces/default`
const canary = 'canary-Zq81-never-shown'
const plurals = ['projects', 'agents', 'stagelets', 'stagelysecrets']
const kinds = [
  'Project',
  'Agent',
  'Stagelet',
  'StagelySecret',
  'Namespace',
  'Event',
  'Observation',
  'X',
]

let server: TestController
/** Of the admin, and of a viewer of the team `default`. */
let tokens: Record<'admin' | 'viewer', string>
beforeAll(async () => {
  server = await startTestController()
  await server.call('POST', `${base}/agents`, {
    body: { apiVersion, kind: 'Agent', metadata: { name: 'shop' }, spec: {} },
  })
  await plant()
  await server.call('POST', '/api/v1/users', { body: { name: 'ann' } })
  await server.call('PUT', '/api/v1/teams/default/members/ann', { body: { role: 'viewer' } })
  const made = await server.call('POST', '/api/v1/users/ann/tokens', { body: { name: 'fuzz' } })
  tokens = { admin: server.token, viewer: made.json<{ token: string }>().token }
})
afterAll(() => server.remove())

/** Applies an object, whoever owns its fields; it is one that stays. */
const force = async (plural: string, kind: string, spec: object): Promise<void> => {
  const body = { apiVersion, kind, metadata: { name: 'shop' }, spec }
  const headers = { 'content-type': 'application/apply-patch+yaml' }
  const at = `${base}/${plural}/shop`
  const answer = await server.call('PATCH', `${at}?fieldManager=test&force=true`, { body, headers })
  // Key and project of a secret that took the name stay what they are.
  if (answer.status === 422) await server.call('DELETE', at)
  expect(answer.status, answer.text).toBeLessThan(300)
  expect(answer.json<{ metadata: object }>().metadata).not.toHaveProperty('deletionTimestamp')
}

/** The secret that must not be seen, there again whatever a request did to it. */
const plant = (): Promise<void> =>
  passes(async () => {
    await force('projects', 'Project', {})
    const spec = { projectRef: { name: 'shop' }, key: 'CANARY', value: canary }
    await force('stagelysecrets', 'StagelySecret', spec)
  })

const revealed = async (): Promise<unknown> => {
  const at = '/api/v1/projects/default%2Fshop/secrets/shop/reveal'
  return (await server.call('POST', at, { body: {} })).json()
}

interface Sent {
  readonly token: string
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Buffer
}
interface Got {
  readonly status: number
  readonly text: string
}

/** A watch is cut after a moment; anything else must end by itself. */
const send = ({ token, method, path, headers, body }: Sent): Promise<Got> =>
  new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, server.url),
      {
        method,
        ca: server.ca,
        headers: {
          authorization: `Bearer ${token}`,
          'content-length': String(body.length),
          ...headers,
        },
      },
      (response) => {
        let text = JSON.stringify(response.headers)
        const finish = (): void => {
          resolve({ status: response.statusCode ?? 0, text })
        }
        response.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
        response.once('end', finish)
        response.once('close', finish)
        if (path.includes('watch=')) setTimeout(() => sent.destroy(), 50)
      },
    )
    sent.setTimeout(10_000, () => sent.destroy(new Error(`hangs: ${method} ${path}`)))
    sent.once('error', reject)
    sent.end(body)
  })

const text = fc.oneof(
  fc.string({ unit: codePoint, maxLength: 20 }),
  fc.constantFrom('', 'shop', 'default', '__proto__', 'constructor', 'a\0b', '\ud800', canary),
)
const name = fc.oneof(fc.constantFrom('shop', 'new', 'x'.repeat(300), '__proto__', '%', '..'), text)
const values = fc.jsonValue({ maxDepth: 4 })
const fields = (names: readonly string[], other: fc.Arbitrary<unknown>): fc.Arbitrary<object> =>
  fc.dictionary(fc.oneof(fc.constantFrom(...names), text), fc.oneof(other, values, text), {
    maxKeys: 6,
  })
const metadata = fields(
  [
    'name',
    'namespace',
    'labels',
    'annotations',
    'finalizers',
    'uid',
    'resourceVersion',
    'managedFields',
    'generateName',
  ],
  fc.oneof(name, fc.array(text, { maxLength: 3 }), fc.dictionary(text, text, { maxKeys: 3 })),
)
const spec = fields(
  [
    'resourceAttributes',
    'nonResourceAttributes',
    'objects',
    'projectRef',
    'agentRef',
    'compose',
    'key',
    'scope',
    'type',
    'value',
    'valueBase64',
    'file',
    'paused',
  ],
  fc.oneof(fc.record({ name }), fc.constantFrom('file', 'env', canary)),
)
const object = fc.record(
  {
    apiVersion: fc.oneof(fc.constant(apiVersion), fc.constant('v1'), values),
    kind: fc.oneof(fc.constantFrom(...kinds), values),
    metadata: fc.oneof(metadata, values),
    spec: fc.oneof(spec, values),
    status: fc.oneof(fields(['conditions', 'services', 'lastRollout'], fc.array(values)), values),
  },
  { requiredKeys: [] },
)
const pointer = fc
  .array(
    fc.oneof(
      fc.constantFrom('metadata', 'spec', 'status', 'labels', '0', '-', 'managedFields'),
      text,
    ),
    { maxLength: 4 },
  )
  .map((steps) => steps.map((s) => `/${s}`).join(''))
const jsonPatch = fc.array(
  fc.record(
    {
      op: fc.oneof(fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), text),
      path: pointer,
      from: pointer,
      value: values,
    },
    { requiredKeys: ['op', 'path'] },
  ),
  { maxLength: 6 },
)
/** The fields of both objects in one: of those that both have the last counts. */
const twice = fc
  .tuple(object, object)
  .map((both) => `{${both.map((v) => JSON.stringify(v).slice(1, -1) || '"kind":1').join()}}`)
const raw = fc.oneof(
  fc.oneof(object, jsonPatch, values).map((v) => Buffer.from(JSON.stringify(v))),
  twice.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from('k8s\0'), bytes])),
  fc
    .integer({ min: 1, max: 3_000 })
    .map((n) => Buffer.from('{"spec":'.repeat(n) + '1' + '}'.repeat(n))),
  fc.constantFrom(
    Buffer.from('a: &a [*a]'),
    Buffer.from('a: &x [1,1,1]\nb: &y [*x,*x,*x]\nc: [*y,*y,*y]'),
    Buffer.from(`{"spec":{"description":"${'x'.repeat(200_000)}"}}`),
  ),
)
const selector = fc.oneof(
  fc.constantFrom(
    'a=b',
    'a in (b,c)',
    '!a',
    'a,,b',
    'metadata.name=shop',
    '((((',
    'a in (',
    'spec.value=x',
  ),
  text,
)
const query = fc.dictionary(
  fc.constantFrom(
    'watch',
    'limit',
    'continue',
    'resourceVersion',
    'resourceVersionMatch',
    'labelSelector',
    'fieldSelector',
    'timeoutSeconds',
    'sendInitialEvents',
    'allowWatchBookmarks',
    'fieldManager',
    'fieldValidation',
    'force',
    'dryRun',
    'includeObject',
    'propagationPolicy',
    'pretty',
    'timeout',
  ),
  fc.oneof(
    selector,
    fc.constantFrom(
      'true',
      '0',
      '1',
      '-1',
      '99999999999999',
      'NotOlderThan',
      'Exact',
      'Strict',
      'All',
      '1h',
      '1e9',
    ),
    fc.base64String({ maxLength: 40 }),
  ),
  { maxKeys: 4 },
)
const objectPath = fc
  .tuple(
    fc.constantFrom(...plurals),
    fc.constantFrom('', '/shop', '/new', '/shop/status', '/shop/token'),
  )
  .map(([plural, rest]) => `${base}/${plural}${rest}`)
const group = `/apis/${apiVersion}`
const otherPath = fc.constantFrom(
  ...plurals.map((plural) => `${group}/${plural}`),
  `${group}/namespaces/new/projects`,
  `${base}/changesetreviews`,
  ...['', '/new', '/shop', '/a%00b'].map((rest) => `/api/v1/namespaces${rest}`),
  ...['', '/shop'].map((rest) => `/api/v1/namespaces/default/events${rest}`),
  '/api/v1/events',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
  '/apis/authentication.k8s.io/v1/selfsubjectreviews',
  ...['/api', '/api/v1', '/apis', '/apis/stagely.dev', group, '/version', '/nosuch'],
  ...['', '/api/v1', group].map((rest) => `/openapi/v3${rest}`),
  '/openapi/v2',
)
const path = fc
  .tuple(fc.oneof({ weight: 2, arbitrary: objectPath }, otherPath), query)
  .map(([at, q]) => {
    const parameters = Object.entries(q).map(
      ([k, v]) => `${k}=${encodeURIComponent(v.replace(/\p{Surrogate}/gu, '?'))}`,
    )
    return `${at}?${parameters.join('&')}`
  })
const headerText = fc.string({ maxLength: 30 }).filter((s) => /^[\x20-\x7e]*$/.test(s))
const headers = fc.record(
  {
    'content-type': fc.oneof(
      fc.constantFrom(
        'application/json',
        'application/yaml',
        'application/merge-patch+json',
        'application/json-patch+json',
        'application/apply-patch+yaml',
        'application/vnd.kubernetes.protobuf',
      ),
      headerText,
    ),
    accept: fc.oneof(
      fc.constantFrom(
        'application/json;as=Table;v=v1;g=meta.k8s.io',
        'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
        'application/yaml',
      ),
      headerText,
    ),
    'user-agent': headerText,
    'stagely-change-set': headerText,
    'if-none-match': headerText,
  },
  { requiredKeys: [] },
)

describe('requests of any kind', () => {
  it('are answered, never with a fault of the server, and never with a value', async () => {
    const before = process.memoryUsage().rss
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('admin', 'viewer'),
        fc.tuple(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'), path),
        headers,
        raw,
        async (who, [method, at], head, body) => {
          // What holds the canary is sent back to nobody but as a name, a key or a description.
          const own = body.includes(canary) || at.includes(canary)
          const sent = { token: tokens[who], method, path: at, headers: head, body }
          const { status, text: answer } = await send(sent)
          expect(status).toBeGreaterThanOrEqual(200)
          // A future version is answered by 504, as in Kubernetes.
          if (status !== 504) expect(status).toBeLessThan(500)
          // A watch says so in its text.
          expect(answer).not.toMatch(/"code":500\b|internal error/)
          if (!own) expect(answer).not.toContain(canary)
          if (method !== 'GET' && status < 300) await plant()
        },
      ),
      runs(100, 12_000),
    )
    // It was there to leak, to the end.
    expect(await revealed()).toMatchObject({ value: canary })
    // Requests of up to 200 KB each leave nothing behind that grows with them.
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
    expect((await server.call('GET', '/readyz')).status).toBe(200)
  })

  it('that give a value in a good place and a bad one never read it back', async () => {
    await fc.assert(
      fc.asyncProperty(spec, fc.constantFrom('POST', 'PUT', 'PATCH'), async (odd, method) => {
        const at = `${base}/stagelysecrets${method === 'POST' ? '' : '/shop'}`
        const given = { projectRef: { name: 'shop' }, key: 'CANARY', ...odd, value: canary }
        const body = { apiVersion, kind: 'StagelySecret', metadata: { name: 'shop' }, spec: given }
        // Elsewhere than in the value it is text like any other: stored, and shown from then on.
        fc.pre(!JSON.stringify(odd).includes(canary))
        const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
        const answer = await server.call(method, at, { body, headers: { 'content-type': type } })
        expect(answer.status).toBeLessThan(500)
        expect(answer.text + JSON.stringify(answer.headers)).not.toContain(canary)
      }),
      runs(30, 1_500),
    )
  })
})
