// What every route of the REST API does the same way: errors, paging, preconditions, repeats, limits.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Spec } from '../../../dashboard/actions/kinds.ts'
import { givenOf, restPatchOf } from '../../../dashboard/pages/forms/values.ts'
import { forms } from '../../../src/generated/forms.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

let controller: TestController
const call = (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> =>
  controller.call(method, path, { headers, ...(body === undefined ? {} : { body }) })

interface Problem {
  reason: string
  detail: string
  request_id: string
  errors?: { field: string; reason: string; message: string }[]
}

const makeProject = async (name: string): Promise<string> =>
  (await call('POST', '/api/v1/projects', { name })).json<{ id: string }>().id

beforeAll(async () => {
  controller = await startTestController()
})

afterAll(() => controller.remove())

describe('errors', () => {
  it('are problem+json with every fault and its field', async () => {
    const body = { name: 'No Name', description: 7, colour: 'red' }
    const answer = await call('POST', '/api/v1/projects?limit=2', body)
    expect(answer.status).toBe(422)
    const problem = answer.json<Problem>()
    expect(problem.errors?.map((e) => e.field)).toEqual(['limit', 'name', 'description', 'colour'])
    expect(problem.request_id).toBe(answer.headers['x-request-id'])
  })

  it('of the Kubernetes-style API stay Status objects', async () => {
    const answer = await call('GET', '/api/v1/namespaces/none')
    expect(answer.json()).toMatchObject({ kind: 'Status', code: 404 })
    expect((await call('GET', '/api/v1')).json()).toMatchObject({ kind: 'APIResourceList' })
    expect((await call('GET', '/api/v1/events')).json()).toMatchObject({ kind: 'EventList' })
  })

  it('say what is wrong with the request itself', async () => {
    const send = (headers: Record<string, string>, raw: string | Buffer): Promise<Answer> =>
      controller.call('POST', '/api/v1/projects', { headers, raw })
    const json = { 'content-type': 'application/json' }
    expect((await send({ 'content-type': 'text/plain' }, 'name')).status).toBe(415)
    expect((await send(json, '{"name":')).status).toBe(400)
    expect((await send(json, Buffer.from([0x7b, 0xff, 0x7d]))).status).toBe(400)
    expect((await send(json, `"${'x'.repeat(4 << 20)}"`)).status).toBe(413)
    expect((await send(json, '[]')).json<Problem>().errors).toHaveLength(1)
    expect((await call('GET', '/api/v1/projects', undefined, { authorization: '' })).status).toBe(
      401,
    )
    expect((await call('GET', '/api/v1/projects/default%2Fnone')).status).toBe(404)
    expect((await call('GET', '/api/v1/projects/a/b/c')).status).toBe(404)
  })

  it('name the methods of a path', async () => {
    const answer = await call('PUT', '/api/v1/projects', {})
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, POST, HEAD')
  })
})

describe('projects', () => {
  it('are made, read by id and by name, changed and deleted', async () => {
    const made = await call('POST', '/api/v1/projects', { name: 'shop', description: 'the shop' })
    expect(made.status).toBe(201)
    const project = made.json<{ id: string }>()
    expect(project).toMatchObject({ name: 'shop', team: 'default', description: 'the shop' })
    expect(project.id).toMatch(/^proj_[0-9a-z]{25}$/)
    for (const id of [project.id, 'default%2Fshop'])
      expect((await call('GET', `/api/v1/projects/${id}`)).json()).toMatchObject({ id: project.id })
    const path = `/api/v1/projects/${project.id}`
    const changed = await call('PATCH', path, { description: null })
    expect(changed.json()).not.toHaveProperty('description')
    expect((await call('POST', '/api/v1/projects', { name: 'shop' })).status).toBe(409)
    expect((await call('DELETE', path)).json()).toEqual({ status: 'deleted' })
    expect((await call('GET', path)).status).toBe(404)
  })
})

describe('rotations', () => {
  it('take an edit of their outputs as the form of the dashboard sends it, and leave all else', async () => {
    const project = `/api/v1/projects/${await makeProject('signed')}`
    const path = `${project}/rotations/signing`
    const form = forms.Rotation
    const read = async (): Promise<Spec> => givenOf(form, (await call('GET', path)).json<Spec>())
    const outputs = { current: 'sign-current', list: 'sign-list' }
    const rotation = { name: 'signing', outputs, rotator: { generate: {} }, paused: true }
    expect((await call('POST', `${project}/rotations`, rotation)).status).toBe(201)
    for (const next of [{ current: 'sign-other', list: 'sign-list' }, { current: 'sign-other' }]) {
      const before = await read()
      const edited = { ...before, outputs: next }
      const patch = restPatchOf(form, before, edited)
      expect(patch).toEqual({ outputs: next })
      expect((await call('PATCH', `${path}?dry_run=true`, patch)).status).toBe(200)
      expect(await read()).toEqual(before)
      expect((await call('PATCH', path, patch)).status).toBe(200)
      expect(await read()).toEqual(edited)
    }
    await call('DELETE', project)
  })
})

describe('If-Match', () => {
  it('refuses to overwrite what the caller has not seen', async () => {
    const path = `/api/v1/projects/${await makeProject('etag')}`
    // The status settles within moments of the creation; the tag is that of what was read last.
    const { etag = '' } = (await call('PATCH', path, { description: 'one' })).headers
    const two = await call('PATCH', path, { description: 'two' }, { 'if-match': '"1"' })
    expect(two.status).toBe(412)
    expect(two.json<Problem>().reason).toBe('PreconditionFailed')
    expect((await call('GET', path)).json()).toMatchObject({ description: 'one' })
    expect(etag).toMatch(/^"\d+"$/)
    expect((await call('DELETE', path, undefined, { 'if-match': 'W/"1"' })).status).toBe(400)
    expect((await call('DELETE', path, undefined, { 'if-match': '*' })).status).toBe(200)
  })
})

describe('If-Match of every route', () => {
  const kube = '/apis/stagely.dev/v1alpha1/namespaces/heeding'
  const object = (kind: string, spec: object = {}): object => ({
    apiVersion: 'stagely.dev/v1alpha1',
    kind,
    metadata: { name: 'one' },
    spec,
  })

  it('is heeded where the table says so, described there, and refused elsewhere', async () => {
    await call('POST', '/api/v1/teams', { name: 'heeding' })
    await call('POST', `${kube}/projects`, object('Project'))
    await call('POST', `${kube}/agents`, object('Agent'))
    const projectRef = { name: 'one' }
    const compose = { directory: '/srv/one' }
    const stagelet = object('Stagelet', {
      projectRef,
      agentRef: { name: 'one' },
      compose,
      ttl: '72h',
    })
    await call('POST', `${kube}/stagelets`, stagelet)
    const secret = object('StagelySecret', { projectRef, key: 'ONE', value: 'x' })
    await call('POST', `${kube}/stagelysecrets`, secret)
    const webhook = { url: 'https://hooks.example.com/' }
    const notifier = object('Notifier', { reasons: ['Expired'], webhook })
    await call('POST', `${kube}/notifiers`, notifier)
    const store = object('SecretStore', {
      doppler: { project: 'shop', config: 'prd' },
      auth: { secretRef: { name: 'token' } },
    })
    await call('POST', `${kube}/secretstores`, store)
    const rules = [{ claims: { repository: 'acme/shop' }, role: 'deployer' }]
    const issuer = object('TrustedIssuer', {
      issuer: 'https://ci.example.com',
      audience: 'us',
      rules,
    })
    await call('POST', `${kube}/trustedissuers`, issuer)
    await call('POST', `${kube}/accesspolicies`, object('AccessPolicy', { projects: ['one'] }))
    const asked = { secrets: [{ key: 'ONE' }], duration: '10m', reason: 'to read it' }
    const request = await call('POST', '/api/v1/projects/heeding%2Fone/access-requests', asked)
    const outputs = { current: 'sign' }
    const rotation = object('Rotation', { projectRef, outputs, rotator: { generate: {} } })
    await call('POST', `${kube}/rotations`, rotation)
    const { paths } = (await call('GET', '/api/v1/openapi.json')).json<{
      paths: Record<string, Record<string, { parameters: { name: string }[] }>>
    }>()
    const named: Record<string, string> = {
      team: 'heeding',
      secret_id: 'one',
      rotation: 'one',
      user: 'admin',
      request_id: request.json<{ id: string }>().id,
    }
    // A token gets no further than to the right at routes for sessions.
    const forTokens = restRoutes.filter(({ access }) => access.in !== 'session')
    for (const { id, method, path, heedsIfMatch } of forTokens) {
      const filled = path.replace(/:(\w+)/g, (_, name: string) => named[name] ?? 'heeding%2Fone')
      const body = ['PATCH', 'PUT'].includes(method) ? {} : undefined
      const answer = await call(method, `/api/v1${filled}`, body, { 'if-match': '"0"' })
      expect([id, answer.status]).toEqual([id, heedsIfMatch === true ? 412 : 400])
      if (heedsIfMatch !== true)
        expect(answer.json<Problem>().detail).toContain('If-Match is not heeded here')
      const operation = paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
      const described = operation?.parameters.some(({ name }) => name === 'If-Match')
      expect([id, described]).toEqual([id, heedsIfMatch === true])
    }
  })
})

describe('Idempotency-Key', () => {
  it('answers a repeat as the first time, and does nothing again', async () => {
    const headers = { 'idempotency-key': 'once-1' }
    const send = (): Promise<Answer> => call('POST', '/api/v1/projects', { name: 'once' }, headers)
    const answers = await Promise.all([send(), send(), send()])
    expect(answers.map((a) => a.status)).toEqual([201, 201, 201])
    expect(new Set(answers.map((a) => a.text)).size).toBe(1)
    expect(answers.filter((a) => a.headers['idempotency-replayed'] === 'true')).toHaveLength(2)
    const other = await call('POST', '/api/v1/projects', { name: 'twice' }, headers)
    expect(other.status).toBe(422)
    expect((await call('GET', '/api/v1/projects/default%2Ftwice')).status).toBe(404)
  })

  it('may be used again after a refusal, which changed nothing', async () => {
    const headers = { 'idempotency-key': 'retry-1' }
    const body = { name: 'later', team: 'later-team' }
    expect((await call('POST', '/api/v1/projects', body, headers)).status).toBe(404)
    const metadata = { name: 'later-team' }
    await call('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
    expect((await call('POST', '/api/v1/projects', body, headers)).status).toBe(201)
  })
})

describe('the OpenAPI document', () => {
  interface Operation {
    operationId: string
    parameters: { name: string; in: string; required?: boolean; schema: object }[]
    responses: Record<string, object>
  }

  it('is 3.1, is there without a login, and describes every route of the table', async () => {
    const answer = await call('GET', '/api/v1/openapi.json', undefined, { authorization: '' })
    expect(answer.status).toBe(200)
    const document = answer.json<{
      openapi: string
      paths: Record<string, Record<string, Operation>>
      components: { schemas: Record<string, object> }
    }>()
    expect(document.openapi).toBe('3.1.0')
    const described: string[] = []
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        described.push(`${method.toUpperCase()} ${path} ${operation.operationId}`)
        const inPath = operation.parameters.filter((p) => p.in === 'path')
        expect(inPath.map((p) => `{${p.name}}`)).toEqual(path.match(/\{[a-z_]+\}/g) ?? [])
        expect(inPath.every((p) => p.required === true)).toBe(true)
        expect(Object.keys(operation.responses)).toContain('default')
      }
    }
    const table = restRoutes.map(
      (r) => `${r.method} ${r.path.replace(/:([a-z_]+)/g, '{$1}')} ${r.id}`,
    )
    expect(described.sort()).toEqual(table.sort())
    expect(new Set(described.map((text) => text.split(' ')[2])).size).toBe(table.length)
    const refs = [...answer.text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref)
    expect(new Set(refs)).toEqual(new Set(['#/components/schemas/Problem']))
    expect(document.components.schemas).toHaveProperty('Problem')
  })

  it('can be browsed, with everything from here and nothing inline', async () => {
    const page = await call('GET', '/api/docs', undefined, { authorization: '' })
    expect(page.headers['content-security-policy']).toContain("script-src 'self'")
    expect(page.text).not.toMatch(/<script(?! src="\/)|https?:|style=/)
    for (const [, path = ''] of page.text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect((await call('GET', path, undefined, { authorization: '' })).status, path).toBe(200)
  })
})

it('a Notifier for an address that nobody calls is taken with a warning, by both APIs', async () => {
  const spec = { reasons: ['LeakFound'], webhook: { url: 'http://127.0.0.1:9000/s' } }
  const byRest = await call('POST', '/api/v1/notifiers', { name: 'near', ...spec })
  expect([byRest.status, byRest.headers['warning']]).toEqual([
    201,
    expect.stringMatching(/^299 - "webhook\.url: 127\.0\.0\.1 is a loopback address: .*allow/),
  ])
  const object = { apiVersion: 'stagely.dev/v1alpha1', kind: 'Notifier', metadata: { name: 'by' } }
  const path = '/apis/stagely.dev/v1alpha1/namespaces/default/notifiers'
  const byKube = await call('POST', path, { ...object, spec })
  expect(byKube.headers['warning']).toContain('spec.webhook.url: 127.0.0.1 is a loopback address')
  const body = { webhook: { url: 'https://hooks.example.com/s' } }
  const moved = await call('PATCH', '/api/v1/notifiers/default%2Fnear', body)
  expect([moved.status, moved.headers['warning']]).toEqual([200, undefined])
})

describe('agents', () => {
  it('are made, let in by a token that is shown once, drained, asked for keys and locked out', async () => {
    const made = await call('POST', '/api/v1/agents', { name: 'machine' })
    expect(made.status).toBe(201)
    expect(made.json()).toMatchObject({ name: 'machine', paused: false, drained: false })
    expect((await call('POST', '/api/v1/agents', { name: 'machine' })).status).toBe(409)
    expect((await call('POST', '/api/v1/agents', { name: 'x', team: 'none' })).status).toBe(404)
    const path = '/api/v1/agents/default%2Fmachine'
    const drained = await call('PATCH', path, { drained: true })
    expect(drained.json()).toMatchObject({ drained: true, paused: false })
    expect((await call('PATCH', path, { drained: null })).json()).toMatchObject({ drained: false })
    const key = { 'idempotency-key': 'join-once' }
    const join = await call('POST', `${path}/join-token`, { ttl_seconds: 60 }, key)
    const { token, command, expires_at } = join.json<Record<string, string>>()
    expect(token).toMatch(/^sjt_/)
    expect(command).toBe(
      `printf '%s' '${token}' | sudo stagely agent install --join-file - --allow-dir /srv`,
    )
    expect(Date.parse(expires_at ?? '') - Date.now()).toBeLessThanOrEqual(60_000)
    const again = await call('POST', `${path}/join-token`, { ttl_seconds: 60 }, key)
    expect(again.text).not.toContain(token)
    expect((await call('POST', `${path}/join-token`, { ttl_seconds: 0 })).status).toBe(422)
    expect((await call('POST', `${path}/rotate-keys`)).status).toBe(202)
    const stored = await call('GET', '/apis/stagely.dev/v1alpha1/namespaces/default/agents/machine')
    expect(stored.text).toMatch(/"stagely.dev\/rotate-keys":"\d{4}-/)
    const revoked = await call('POST', `${path}/revoke`)
    expect(revoked.json<{ conditions: object[] }>().conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'Revoked' },
    ])
  })
})

describe('a pause of a rollout', () => {
  const rolloutOf = async (name: string): Promise<unknown> =>
    (await call('GET', `/api/v1/projects/default%2F${name}`)).json<{ rollout?: unknown }>().rollout
  const steer = async (name: string, verb: string): Promise<void> => {
    expect((await call('POST', `/api/v1/projects/default%2F${name}/rollout/${verb}`)).status).toBe(
      200,
    )
  }

  it.each([
    ['without turns', undefined, undefined],
    ['with turns by default', {}, undefined],
    ['that gets turns meanwhile', undefined, { max_concurrent: 2 }],
  ])('leaves a project %s with what was declared', async (_what, declared, meanwhile) => {
    const name = `paused-${randomUUID().slice(0, 8)}`
    const body = { team: 'default', name, ...(declared === undefined ? {} : { rollout: declared }) }
    expect((await call('POST', '/api/v1/projects', body)).status).toBe(201)
    const before = await rolloutOf(name)
    await steer(name, 'pause')
    expect(await rolloutOf(name)).toMatchObject({ paused: true })
    const path = `/api/v1/projects/default%2F${name}`
    if (meanwhile !== undefined)
      expect((await call('PATCH', path, { rollout: meanwhile })).status).toBe(200)
    await steer(name, 'pause')
    await steer(name, 'resume')
    const after = await rolloutOf(name)
    if (meanwhile === undefined) expect(after).toEqual(before)
    else expect(after).toMatchObject(meanwhile)
  })
})

describe('stagelets', () => {
  it('are listed and read with their services, and deployed by hand', async () => {
    await makeProject('deployed')
    const object = (kind: string, name: string, spec: object): object => ({
      apiVersion: 'stagely.dev/v1alpha1',
      kind,
      metadata: { name, namespace: 'default' },
      spec,
    })
    const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
    await call('POST', `${kube}/agents`, object('Agent', 'box', {}))
    const spec = {
      projectRef: { name: 'deployed' },
      agentRef: { name: 'box' },
      compose: { directory: '/srv/deployed' },
    }
    await call('POST', `${kube}/stagelets`, object('Stagelet', 'prod', spec))
    const list = await call('GET', '/api/v1/stagelets?project=deployed')
    const [stagelet] = list.json<{ stagelets: { id: string; agent: string }[] }>().stagelets
    expect(stagelet).toMatchObject({ name: 'prod', agent: 'box', services: [] })
    const path = `/api/v1/stagelets/${stagelet!.id}`
    expect((await call('POST', `${path}/deploy`)).status).toBe(202)
    const stored = await call('GET', `${kube}/stagelets/prod`)
    expect(stored.text).toMatch(/"stagely.dev\/redeploy":"\d{4}-/)
    expect((await call('GET', '/api/v1/agents/default%2Fbox')).json()).toMatchObject({
      name: 'box',
    })
    const paused = await call('PATCH', path, { paused: true })
    expect(paused.json()).toMatchObject({
      paused: true,
      directory: '/srv/deployed',
      compose: { directory: '/srv/deployed', on_change: 'Hold' },
      quarantine: [],
    })
    const changed = { paused: null, compose: { profiles: ['web'], on_change: 'Deploy' } }
    expect((await call('PATCH', path, changed)).json()).toMatchObject({
      paused: false,
      compose: { directory: '/srv/deployed', profiles: ['web'], on_change: 'Deploy' },
    })
    const wrong = await call('PATCH', path, { compose: { directory: 'srv' } })
    expect(wrong.json<Problem>().errors).toMatchObject([{ field: 'compose.directory' }])
    const secret = { key: 'USED', value: 'used-value' }
    await call('POST', '/api/v1/projects/default%2Fdeployed/secrets', secret)
    const usage = await call('GET', '/api/v1/projects/default%2Fdeployed/usage?key=USED')
    expect(usage.json()).toMatchObject({ usage: [{ key: 'USED', version: 1, consumers: [] }] })
    expect((await call('GET', '/api/v1/projects/default%2Fdeployed/events')).status).toBe(200)
    // Nothing is known of a stack that no agent has told of.
    expect((await call('GET', `${path}/logs?service=wbe`)).status).toBe(503)
    const db = { name: 'db', state: 'exited', exitCode: 3, containers: 1, composeKeys: ['TZ'] }
    const failed = { service: 'db', digest: 'd', revision: 1, retry: '', message: 'exit 3' }
    const status = {
      status: { services: [db, { name: 'web' }], quarantine: [failed], healthyRevision: 4 },
    }
    const merge = { 'content-type': 'application/merge-patch+json' }
    let told: { quarantine?: unknown; healthy_revision?: unknown } = {}
    // The controller, which has no report of an agent, takes such a status back at any moment.
    const read = async (): Promise<unknown> => {
      await call('PATCH', `${kube}/stagelets/prod/status`, status, merge)
      const answer = (await call('GET', path)).json<typeof told & { services: unknown }>()
      told = answer
      return answer.services
    }
    await expect
      .poll(read)
      .toMatchObject([
        { name: 'db', exit_code: 3, containers: 1, compose_keys: ['TZ'] },
        { name: 'web' },
      ])
    expect([told.healthy_revision, told.quarantine]).toEqual([
      4,
      [{ service: 'db', revision: 1, message: 'exit 3' }],
    ])
    const misspelt = await call('GET', `${path}/logs?service=web,wbe`)
    expect(misspelt.json<Problem>().errors).toEqual([
      {
        field: 'service',
        reason: 'FieldValueInvalid',
        message: 'Invalid value: "wbe": no service of stagelet prod; there are: db, web',
      },
    ])
  })
})

describe('search', () => {
  const search = async (query: string, headers = {}): Promise<Record<string, string>[]> => {
    const answer = await controller.call('GET', `/api/v1/search?${query}`, { headers })
    expect(answer.status, answer.text).toBe(200)
    return answer.json<{ results: Record<string, string>[] }>().results
  }

  it('finds all kinds by their names, the best first, and nothing by a value', async () => {
    await call('POST', '/api/v1/projects', { team: 'default', name: 'sought' })
    const secrets = '/api/v1/projects/default%2Fsought/secrets'
    await call('POST', secrets, { key: 'SOUGHT_TOKEN', scope: 'web', value: 'unsought-canary' })
    await call('POST', '/api/v1/agents', { team: 'default', name: 'the-sought-box' })
    const found = await search('q=SOUGHT')
    expect(found.map(({ kind, name, key }) => [kind, key ?? name])).toEqual([
      ['project', 'sought'],
      ['secret', 'SOUGHT_TOKEN'],
      ['agent', 'the-sought-box'],
    ])
    expect(found[1]).toMatchObject({ team: 'default', project: 'sought', scope: 'web' })
    expect(await search('q=sought%20web%20TOKEN')).toMatchObject([{ key: 'SOUGHT_TOKEN' }])
    expect(await search('q=sought&limit=1')).toHaveLength(1)
    expect(await search('q=unsought-canary')).toEqual([])
    for (const bad of ['q=', 'q=%20', 'q=x&limit=101', ''])
      expect((await call('GET', `/api/v1/search?${bad}`)).status).toBe(422)
  })

  it('shows nobody what is in a team of others', async () => {
    await call('POST', '/api/v1/teams', { name: 'elsewhere' })
    const body = { name: 'seeker', role: 'viewer' }
    const { token } = (await call('POST', '/api/v1/teams/elsewhere/tokens', body)).json<{
      token: string
    }>()
    expect(await search('q=sought', { authorization: `Bearer ${token}` })).toEqual([])
  })
})

describe('the stream', () => {
  /** Reads until `enough` frames are there. */
  const read = async (path: string, enough: number | string, headers = {}): Promise<string[]> => {
    const response = await controller.open(path, headers)
    expect(response.headers['content-type']).toBe('text/event-stream')
    let text = ''
    for await (const chunk of response as AsyncIterable<Buffer>) {
      text += chunk.toString()
      const found = typeof enough === 'string' && text.includes(enough)
      if (found || (typeof enough === 'number' && text.split('\n\n').length > enough)) break
    }
    response.destroy()
    return text.split('\n\n').slice(0, typeof enough === 'number' ? enough : undefined)
  }

  it('tells of each change of a project, without values, and goes on where it ended', async () => {
    const id = await makeProject('streamed')
    const path = `/api/v1/projects/${id}`
    const [ready = ''] = await read(`${path}/stream`, 1)
    const from = /^id: (\d+)\nevent: ready/.exec(ready)![1]!
    const body = { key: 'STREAMED', value: 'value-that-no-stream-shows' }
    await call('POST', `${path}/secrets`, body)
    const frames = await read(`${path}/stream`, 2, { 'last-event-id': from })
    expect(frames[1]).toMatch(/\nevent: (secret|project)\ndata: \{"action":"(added|modified)"/)
    // Other changes may come before it; without it this never ends.
    const all = await read('/api/v1/stream', '"key":"STREAMED"', { 'last-event-id': from })
    expect(all.join()).not.toContain(body.value)
  })

  it('tells only of the kinds that are asked for, from the version that the address names', async () => {
    const first = await read('/api/v1/stream', 1)
    const from = /^id: (\d+)\nevent: ready\nretry: [1-4]\d{3}\n/.exec(first[0] ?? '')?.[1] ?? ''
    const path = `/api/v1/projects/${await makeProject('kinds')}`
    await call('POST', `${path}/secrets`, { key: 'OF_A_KIND', value: 'a value' })
    const asked = `/api/v1/stream?kinds=secret,stagelet&after=${from}`
    const frames = await read(asked, '"key":"OF_A_KIND"')
    expect(frames.join('\n\n')).not.toMatch(/^event: (project|event)$/m)
    // What a browser sends when it connects again is newer than its address.
    const [ready] = await read(asked, 1, { 'last-event-id': `${Number(from) + 1}` })
    expect(ready).toMatch(new RegExp(`^id: ${Number(from) + 1}\n`))
    for (const wrong of ['kinds=secrets', 'kinds=', 'after=-1'])
      expect((await call('GET', `/api/v1/stream?${wrong}`)).status).toBe(422)
  })

  it('tells of rotations, stores and notifiers too', async () => {
    const [ready = ''] = await read('/api/v1/stream', 1)
    const from = /^id: (\d+)/.exec(ready)?.[1] ?? ''
    const project = await makeProject('all-kinds')
    await call('POST', `/api/v1/projects/${project}/rotations`, {
      name: 'turned',
      outputs: { current: 'turned' },
      rotator: { generate: {} },
    })
    const vault = { address: 'https://vault.example.com' }
    await call('POST', '/api/v1/stores', {
      team: 'default',
      name: 'told-store',
      vault,
      auth: { secret: 'none' },
    })
    const webhook = { url: 'https://hooks.example.com/told' }
    await call('POST', '/api/v1/notifiers', {
      team: 'default',
      name: 'told-notifier',
      reasons: ['Expired'],
      webhook,
    })
    const asked = `/api/v1/stream?kinds=rotation,store,notifier&after=${from}`
    const frames = await read(asked, '"name":"told-notifier"')
    const told = frames.flatMap((frame) => /event: (\w+)/.exec(frame)?.[1] ?? [])
    expect(new Set(told)).toEqual(new Set(['ready', 'rotation', 'store', 'notifier']))
  })

  it('says to read everything again after an id that is yet to come, as of another controller', async () => {
    const headers = { 'last-event-id': '999999999999' }
    const [, reset = ''] = await read('/api/v1/stream', 2, headers)
    const from = /^id: (\d+)\nevent: reset/.exec(reset)?.[1]
    await makeProject('streamed-after-reset')
    // Without it this never ends.
    await read('/api/v1/stream', '"name":"streamed-after-reset"', { 'last-event-id': from })
  })
})
