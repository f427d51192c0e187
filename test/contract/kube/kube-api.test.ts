// The Kubernetes-style API over TLS, driven by plain requests: what each answer must look like.
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { envelope, field, protobuf } from '../../support/kubectl/protobuf.ts'
import { readEvents } from '../../support/http/watch-lines.ts'

const group = '/apis/stagely.dev/v1alpha1'
const inNamespace = `${group}/namespaces/default`
const merge = { 'content-type': 'application/merge-patch+json' }
const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

interface Wire {
  apiVersion: string
  kind: string
  metadata: {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    generation: number
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  spec: Record<string, unknown>
  status?: Record<string, unknown>
}
interface List {
  kind: string
  metadata: { resourceVersion: string }
  items: Wire[]
}
const project = (name: string, labels: Record<string, string> = {}): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name, labels },
  spec: { description: name },
})
const secret = (name: string, key: string, value?: string): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name },
  spec: { projectRef: { name: 'shop' }, key, ...(value === undefined ? {} : { value }) },
})

let server: TestController
const create = (plural: string, body: object, query = ''): Promise<Answer> =>
  server.call('POST', `${inNamespace}/${plural}${query}`, { body })

beforeAll(async () => {
  server = await startTestController()
  await create('projects', project('shop'))
})
afterAll(() => server.remove())

describe('without a login', () => {
  const open = { headers: { authorization: '' } }

  it('answers probes, version and metrics', async () => {
    for (const path of ['/healthz', '/livez', '/readyz'])
      expect(await server.call('GET', path, open)).toMatchObject({ status: 200, text: 'ok' })
    const { gitVersion } = (await server.call('GET', '/version', open)).json()
    expect(gitVersion).toMatch(/^v1\.\d+\.\d+\+stagely\./)
    expect((await server.call('GET', '/metrics', open)).text).toContain(
      'stagely_http_request_seconds',
    )
  })

  it('refuses the rest with 401, and a wrong token too', async () => {
    for (const path of ['/api', '/apis', group, `${group}/projects`, '/openapi/v3'])
      for (const authorization of ['', 'Bearer wrong'])
        expect(
          (await server.call('GET', path, { headers: { authorization } })).json(),
        ).toMatchObject({
          kind: 'Status',
          code: 401,
          reason: 'Unauthorized',
          message: 'Unauthorized',
        })
  })

  it('answers discovery and version with a slash at the end too, as some clients ask', async () => {
    for (const path of ['/version', '/api', '/apis', '/api/v1', '/apis/stagely.dev', group]) {
      const [plain, slashed] = [
        await server.call('GET', path),
        await server.call('GET', `${path}/`),
      ]
      expect([slashed.status, slashed.text]).toEqual([200, plain.text])
      const stranger = await server.call('GET', `${path}/`, { headers: { authorization: '' } })
      expect(stranger.status, path).toBe(path === '/version' ? 200 : 401)
    }
    const collection = await server.call('DELETE', `${inNamespace}/projects/`)
    expect(collection.status).toBe(404)
  })

  it('does not let anybody impersonate', async () => {
    const answer = await server.call('GET', `${group}/projects`, {
      headers: { 'impersonate-user': 'x' },
    })
    expect(answer.json()).toMatchObject({ code: 403, reason: 'Forbidden' })
  })

  it('says 404 in plain text for what is not there, below /api/v1 as REST does', async () => {
    expect(await server.call('GET', '/nope', open)).toMatchObject({
      status: 404,
      text: '404 page not found',
    })
    expect(await server.call('GET', `${inNamespace}/nopes`)).toMatchObject({
      status: 404,
      text: '404 page not found',
    })
    const rest = await server.call('GET', '/api/v1/nopes/x')
    expect(rest.status).toBe(404)
    expect(rest.json<{ detail: string }>().detail).toContain('/api/docs')
  })
})

describe('objects', () => {
  it('are created with what the server sets, whatever the client sent', async () => {
    const body = {
      ...project('made'),
      status: { revision: 9 },
      metadata: { name: 'made', uid: 'mine', generation: 7 },
    }
    const answer = await create('projects', body)
    expect(answer.status).toBe(201)
    const made = answer.json<Wire>()
    expect(made.metadata).toMatchObject({ name: 'made', namespace: 'default', generation: 1 })
    expect(made.metadata.uid).not.toBe('mine')
    expect(made.metadata).toHaveProperty(
      'creationTimestamp',
      expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    )
    expect(made.status?.['revision'] ?? 0).not.toBe(9)
    expect(
      (await server.call('GET', `${inNamespace}/projects/made`)).json<Wire>().metadata.uid,
    ).toBe(made.metadata.uid)
  })

  it('cannot be made twice, under another name than the path says, or of another kind', async () => {
    await create('projects', project('twice'))
    expect((await create('projects', project('twice'))).json()).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'projects.stagely.dev "twice" already exists',
      details: { name: 'twice', group: 'stagely.dev', kind: 'projects' },
    })
    expect((await create('stagelets', project('x'))).status).toBe(400)
    expect(
      (await create('projects', { ...project('x'), metadata: { name: 'x', namespace: 'other' } }))
        .status,
    ).toBe(400)
    expect(
      (
        await server.call('POST', `${inNamespace}/projects`, {
          raw: '{',
          headers: { 'content-type': 'application/json' },
        })
      ).status,
    ).toBe(400)
    expect(
      (
        await server.call('POST', `${inNamespace}/projects`, {
          raw: 'x',
          headers: { 'content-type': 'text/plain' },
        })
      ).status,
    ).toBe(415)
  })

  it('need their namespace', async () => {
    const answer = await server.call('POST', `${group}/namespaces/absent/projects`, {
      body: project('x'),
    })
    expect(answer.json()).toMatchObject({ code: 404, message: 'namespaces "absent" not found' })
    expect(
      (await server.call('GET', `${group}/namespaces/absent/projects`)).json<List>().items,
    ).toEqual([])
  })

  it('come as YAML, read as kubectl reads it', async () => {
    const raw = stringify(project('from-yaml'))
    const headers = { 'content-type': 'application/yaml', accept: 'application/yaml' }
    const answer = await server.call('POST', `${inNamespace}/projects`, { raw, headers })
    expect(answer.status).toBe(201)
    expect(answer.text).toContain('name: from-yaml')
    const label = { body: { metadata: { labels: { y: 'on' } } } }
    const merge = { 'content-type': 'application/merge-patch+json', accept: 'application/yaml' }
    const path = `${inNamespace}/projects/from-yaml`
    const labelled = await server.call('PATCH', path, { ...label, headers: merge })
    expect(labelled.text).toContain('"y": "on"')
    expect(labelled.text).toMatch(/creationTimestamp: "/)
    const yes = raw.replace('description: from-yaml', 'description: yes')
    expect(
      (await server.call('POST', `${inNamespace}/projects`, { raw: yes, headers })).status,
    ).toBe(422)
  })

  it('name every fault at once, with its field', async () => {
    const answer = await create('stagelets', {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name: 'bad' },
      spec: { compose: { directory: 'x', onChange: 'Maybe' } },
    })
    const status = answer.json<{
      code: number
      message: string
      details: { kind: string; causes: { field: string; reason: string }[] }
    }>()
    expect(status).toMatchObject({
      code: 422,
      reason: 'Invalid',
      details: { kind: 'Stagelet', name: 'bad' },
    })
    expect(status.message).toMatch(/^Stagelet\.stagely\.dev "bad" is invalid: \[/)
    expect(status.details.causes.map((c) => c.field).sort()).toEqual([
      'spec.agentRef',
      'spec.compose.directory',
      'spec.compose.onChange',
      'spec.projectRef',
    ])
  })

  it('with options that nobody knows are refused by the name of the options', async () => {
    const path = `${inNamespace}/projects`
    const refused = async (method: string, at: string, query: string): Promise<unknown> => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const headers = { 'content-type': type }
      const answer = await server.call(method, `${path}${at}?${query}`, {
        body: project('options'),
        headers,
      })
      const { code, details } = answer.json<{
        code: number
        details: { kind: string; causes: { field: string; reason: string }[] }
      }>()
      return [code, details.kind, ...details.causes.map((c) => `${c.field} ${c.reason}`)]
    }
    const unsupported = (kind: string, field: string): unknown[] => [
      422,
      kind,
      `${field} FieldValueNotSupported`,
    ]
    expect(await refused('POST', '', 'fieldValidation=Foo')).toEqual(
      unsupported('CreateOptions', 'fieldValidation'),
    )
    expect(await refused('PUT', '/options', 'dryRun=Foo')).toEqual(
      unsupported('UpdateOptions', 'dryRun'),
    )
    expect(await refused('DELETE', '/options', 'dryRun=Foo')).toEqual(
      unsupported('DeleteOptions', 'dryRun'),
    )
    expect(await refused('PATCH', '/options', 'force=true')).toEqual([
      422,
      'PatchOptions',
      'force FieldValueForbidden',
    ])
  })

  it('with unknown fields are refused, warned of or pruned, as asked', async () => {
    const odd = (name: string): object => ({ ...project(name), spec: { description: 'd', odd: 1 } })
    const strict = await create('projects', odd('odd'), '?fieldValidation=Strict')
    expect(strict.json()).toMatchObject({
      code: 400,
      message: expect.stringContaining('strict decoding error: unknown field "spec.odd"') as string,
    })
    const warned = await create('projects', odd('odd'))
    expect(warned.status).toBe(201)
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"spec.odd\\""')
    expect(warned.json<Wire>().spec).not.toHaveProperty('odd')
    const silent = await create('projects', odd('odd2'), '?fieldValidation=Ignore')
    expect(silent.headers['warning']).toBeUndefined()
    expect((await create('projects', odd('odd3'), '?fieldValidation=Maybe')).status).toBe(422)
  })

  it('are checked and not stored in a dry run', async () => {
    const answer = await create('projects', project('dry'), '?dryRun=All')
    expect(answer.status).toBe(201)
    expect(answer.json<Wire>().metadata.uid).toBeTypeOf('string')
    expect((await server.call('GET', `${inNamespace}/projects/dry`)).status).toBe(404)
    expect((await create('projects', project('dry'), '?dryRun=Some')).status).toBe(422)
  })

  it('are not stored where the answer could not be given', async () => {
    const path = `${inNamespace}/projects`
    const html = { accept: 'text/html' }
    for (const [headers, query, code] of [
      [html, '', 406],
      [asTable, '?includeObject=Odd', 400],
    ] as const) {
      const made = await server.call('POST', path + query, { body: project('unseen'), headers })
      expect(made.status).toBe(code)
      expect((await server.call('GET', `${path}/unseen`)).status).toBe(404)
      const gone = await server.call('DELETE', path + query, { headers })
      expect(gone.status).toBe(code)
      expect((await server.call('GET', `${path}/shop`)).status).toBe(200)
    }
  })

  it('over 3 MiB are refused', async () => {
    const body = { ...project('big'), spec: { description: 'x'.repeat(4 * 1024 * 1024) } }
    expect((await create('projects', body)).json()).toMatchObject({
      code: 413,
      reason: 'RequestEntityTooLarge',
    })
  })

  it('answer 405 for a method that does not fit', async () => {
    expect(
      (await server.call('POST', `${inNamespace}/projects/shop`, { body: project('shop') })).json(),
    ).toMatchObject({ code: 405, reason: 'MethodNotAllowed' })
    expect((await server.call('PUT', `${group}/projects`, { body: {} })).status).toBe(405)
  })
})

describe('changes', () => {
  const path = (name: string): string => `${inNamespace}/projects/${name}`
  const fresh = async (name: string): Promise<Wire> =>
    (await create('projects', project(name))).json<Wire>()
  // Of an agent that never came nobody but these tests writes anything.
  const agentPath = (name: string): string => `${inNamespace}/agents/${name}`
  const agent = (name: string): object => ({
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Agent',
    metadata: { name },
    spec: {},
  })
  const freshAgent = async (name: string): Promise<Wire> =>
    (await create('agents', agent(name))).json<Wire>()

  it('by PUT need the current resourceVersion', async () => {
    const made = await freshAgent('put')
    const changed = { ...made, spec: { paused: true } }
    const answer = await server.call('PUT', agentPath('put'), { body: changed })
    expect(answer.json<Wire>()).toMatchObject({
      spec: { paused: true },
      metadata: { generation: 2 },
    })
    expect((await server.call('PUT', agentPath('put'), { body: changed })).json()).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on agents.stagely.dev "put": the object has been modified; please apply your changes to the latest version and try again',
    })
    expect(
      (await server.call('PUT', agentPath('put'), { body: agent('put') })).json(),
    ).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'metadata.resourceVersion' }] },
    })
    expect(
      (
        await server.call('PUT', agentPath('absent'), {
          body: { ...changed, metadata: { ...made.metadata, name: 'absent' } },
        })
      ).status,
    ).toBe(404)
  })

  it('that change nothing keep the resourceVersion', async () => {
    const made = await freshAgent('same')
    const answer = await server.call('PUT', agentPath('same'), { body: made })
    expect(answer.json<Wire>().metadata.resourceVersion).toBe(made.metadata.resourceVersion)
  })

  it('by merge patch remove with null and add the rest', async () => {
    await fresh('patch')
    const patch = { metadata: { labels: { a: 'b' } }, spec: { description: null } }
    const answer = (
      await server.call('PATCH', path('patch'), { body: patch, headers: merge })
    ).json<Wire>()
    expect(answer.metadata.labels).toEqual({ a: 'b' })
    expect(answer.spec).not.toHaveProperty('description')
    const stale = { metadata: { resourceVersion: '1' }, spec: { description: 'x' } }
    expect(
      (await server.call('PATCH', path('patch'), { body: stale, headers: merge })).json(),
    ).toMatchObject({ code: 409, reason: 'Conflict' })
    expect((await server.call('PATCH', path('absent'), { body: {}, headers: merge })).status).toBe(
      404,
    )
  })

  it('by JSON patch go through, by strategic merge do not', async () => {
    await fresh('json')
    const body = [{ op: 'replace', path: '/spec/description', value: 'new' }]
    const json = await server.call('PATCH', path('json'), {
      body,
      headers: { 'content-type': 'application/json-patch+json' },
    })
    expect(json.json<Wire>().spec['description']).toBe('new')
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
    expect(
      (await server.call('PATCH', path('json'), { body: {}, headers: strategic })).json(),
    ).toMatchObject({
      code: 415,
      message: expect.stringContaining('application/merge-patch+json') as string,
    })
  })

  it('of status come in by /status only, and nothing else does there', async () => {
    const made = await freshAgent('status')
    const at = `${agentPath('status')}/status`
    const body = { ...made, spec: { paused: true }, status: { version: '5' } }
    const byStatus = (await server.call('PUT', at, { body })).json<Wire>()
    expect(byStatus).toMatchObject({ status: { version: '5' }, metadata: { generation: 1 } })
    expect(byStatus.spec).toEqual(made.spec)
    const patch = (status: object): Promise<Answer> =>
      server.call('PATCH', at, { body: { status }, headers: merge })
    expect((await patch({ engineVersion: '2' })).json<Wire>().status).toEqual({
      version: '5',
      engineVersion: '2',
    })
    expect((await patch({ version: 2 })).json()).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'status.version' }] },
    })
    const bySpec = await server.call('PATCH', agentPath('status'), {
      body: { status: { version: '99' } },
      headers: merge,
    })
    expect(bySpec.json<Wire>().status).toMatchObject({ version: '5' })
  })
})

describe('secret values', () => {
  it('are in no answer, whatever is asked', async () => {
    const canary = 'canary-7Qz-value'
    const applied = JSON.stringify(secret('s', 'TOKEN', canary))
    const body = {
      ...secret('s', 'TOKEN', canary),
      metadata: {
        name: 's',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied },
      },
    }
    const path = `${inNamespace}/stagelysecrets/s`
    const watching = await server.open(`${inNamespace}/stagelysecrets?watch=true`)
    const dry = await create('stagelysecrets', body, '?dryRun=All')
    const made = await create('stagelysecrets', body)
    expect(made.status).toBe(201)
    const answers = [
      dry,
      made,
      await server.call('GET', path),
      await server.call('GET', `${inNamespace}/stagelysecrets`, { headers: asTable }),
      await server.call('GET', `${inNamespace}/stagelysecrets?includeObject=Object`, {
        headers: asTable,
      }),
      await server.call('PATCH', path, { body: { spec: { value: `${canary}2` } }, headers: merge }),
      await server.call('PATCH', path, {
        body: { spec: { value: `${canary}3` } },
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
      }),
      await create('stagelysecrets', secret('s', 'TOKEN', canary)),
      await create('stagelysecrets', {
        ...secret('t', 'T2', canary),
        spec: { key: 'T2', value: [canary] },
      }),
      await server.call('POST', `${inNamespace}/stagelysecrets`, {
        raw: `spec: {value: "${canary}`,
        headers: { 'content-type': 'application/yaml' },
      }),
      await server.call('POST', `${inNamespace}/stagelysecrets`, {
        raw: `{"spec": {"value": "${canary}"`,
        headers: { 'content-type': 'application/json' },
      }),
      await server.call('DELETE', path),
    ]
    expect(answers.map((a) => a.status)).toEqual([
      201, 201, 200, 200, 200, 200, 415, 409, 422, 400, 400, 200,
    ])
    for (const answer of answers) expect(answer.text).not.toContain(canary)
    const events = await readEvents(watching, 3)
    watching.destroy()
    expect(JSON.stringify(events)).not.toContain(canary)
    expect(made.json<Wire>().metadata.annotations).toHaveProperty([
      'kubectl.kubernetes.io/last-applied-configuration',
    ])
  })
})

describe('lists', () => {
  it('select by labels and fields, and carry their version', async () => {
    await create('projects', project('l-a', { tier: 'front' }))
    await create('projects', project('l-b', { tier: 'back' }))
    const names = async (query: string): Promise<string[]> =>
      (await server.call('GET', `${inNamespace}/projects?${query}`))
        .json<List>()
        .items.map((p) => p.metadata.name)
    expect(await names('labelSelector=tier')).toEqual(['l-a', 'l-b'])
    expect(await names('labelSelector=tier%20notin%20(back),tier&limit=500')).toEqual(['l-a'])
    expect(await names('fieldSelector=metadata.name%3Dl-b')).toEqual(['l-b'])
    expect(
      (await server.call('GET', `${group}/projects?fieldSelector=spec.x%3Dy`)).json(),
    ).toMatchObject({ code: 400, message: 'field label not supported: spec.x' })
    expect((await server.call('GET', `${group}/projects?labelSelector=a%3Db%3Dc`)).status).toBe(400)
    const list = (await server.call('GET', `${group}/projects`)).json<List>()
    expect(list).toMatchObject({ kind: 'ProjectList', apiVersion: 'stagely.dev/v1alpha1' })
    expect(Number(list.metadata.resourceVersion)).toBeGreaterThan(0)
    for (const item of list.items)
      expect(item).toMatchObject({ kind: 'Project', apiVersion: 'stagely.dev/v1alpha1' })
  })

  it('refuse versions that cannot be', async () => {
    expect((await server.call('GET', `${group}/projects?resourceVersion=abc`)).status).toBe(400)
    expect(
      (await server.call('GET', `${group}/projects?resourceVersion=999999999`)).json(),
    ).toMatchObject({ code: 504, reason: 'Timeout' })
    expect((await server.call('GET', `${group}/projects?continue=abc`)).status).toBe(400)
  })

  it('come as tables and as metadata alone', async () => {
    const table = (
      await server.call('GET', `${inNamespace}/projects?fieldSelector=metadata.name%3Dshop`, {
        headers: asTable,
      })
    ).json<{
      kind: string
      columnDefinitions: { name: string }[]
      rows: { cells: unknown[]; object: Wire }[]
    }>()
    expect(table.kind).toBe('Table')
    expect(table.columnDefinitions.map((c) => c.name)).toEqual([
      'Name',
      'Revision',
      'Secrets',
      'Stagelets',
      'In-Sync',
      'Rollout',
      'Age',
    ])
    expect(table.rows[0]!.cells[0]).toBe('shop')
    expect(table.rows[0]!.cells[6]).toMatch(/^\d+[smhd]/)
    expect(table.rows[0]!.object).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { name: 'shop' },
    })
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
    const partial = (
      await server.call('GET', `${inNamespace}/projects`, { headers: { accept } })
    ).json<List>()
    expect(partial.kind).toBe('PartialObjectMetadataList')
    expect(partial.items[0]).not.toHaveProperty('spec')
    expect(
      (
        await server.call('GET', `${inNamespace}/projects`, { headers: { accept: 'text/html' } })
      ).json(),
    ).toMatchObject({ code: 406, reason: 'NotAcceptable' })
  })
})

describe('namespaces and agents', () => {
  it('makes a namespace from kubectl’s protobuf', async () => {
    const raw = envelope('Namespace', field(1, field(1, 'team-a')))
    const answer = await server.call('POST', '/api/v1/namespaces', { raw, headers: protobuf })
    expect(answer.json<Wire>()).toMatchObject({ kind: 'Namespace', metadata: { name: 'team-a' } })
  })

  it('gives a join token once, and revokes', async () => {
    await create('agents', {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Agent',
      metadata: { name: 'box' },
      spec: {},
    })
    const answer = await server.call('POST', `${inNamespace}/agents/box/token`, {
      body: { spec: { expirationSeconds: 60 } },
    })
    expect(answer.json()).toMatchObject({
      status: {
        token: expect.stringMatching(/^sjt_/) as string,
        expirationTimestamp: expect.stringMatching(/Z$/) as string,
      },
    })
    expect(
      (
        await server.call('POST', `${inNamespace}/agents/box/token`, {
          body: { spec: { expirationSeconds: -1 } },
        })
      ).json(),
    ).toMatchObject({ code: 422 })
    expect((await server.call('POST', `${inNamespace}/agents/box/revoke`)).status).toBe(200)
    expect((await server.call('GET', `${inNamespace}/agents/box/token`)).status).toBe(405)
  })

  it('tells who one is and what one may', async () => {
    const who = await server.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    })
    expect(who).toMatchObject({ status: 201 })
    expect(who.json()).toMatchObject({
      status: { userInfo: { username: expect.any(String) as string } },
    })
  })
})
