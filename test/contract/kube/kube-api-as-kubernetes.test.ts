// Answers that clients of Kubernetes count on in the details: kinds of core/v1, options, and what is kept.
import { chmod, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { eventually } from '../../support/eventually.ts'
import { createKubectl, type Kubectl } from '../../support/kubectl/run.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const inNamespace = `/apis/${apiVersion}/namespaces/default`
const strategic = { 'content-type': 'application/strategic-merge-patch+json' }

interface Wire {
  metadata: {
    name: string
    uid: string
    resourceVersion: string
    generation?: number
    generateName?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    finalizers?: string[]
    ownerReferences?: object[]
  }
  spec: Record<string, unknown>
  status?: { observedGeneration?: number }
}
interface List {
  metadata: { continue?: string }
  items: Wire[]
}

const project = (name: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion,
  kind: 'Project',
  metadata: { name, ...metadata },
  spec,
})

let server: TestController
let kubectl: Kubectl
beforeAll(async () => {
  server = await startTestController()
  kubectl = await createKubectl(await server.writeKubeConfig())
})
afterAll(async () => {
  await kubectl.remove()
  await server.remove()
})

const post = (path: string, body: object, query = ''): Promise<Answer> =>
  server.call('POST', `${path}${query}`, { body })
const patch = (path: string, body: object, headers: Record<string, string>): Promise<Answer> =>
  server.call('PATCH', path, { body, headers })
const messageOf = (answer: Answer): string => answer.json<{ message: string }>().message

describe('a namespace', () => {
  const manifest = (labels: object, more: object = {}): object => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'team-s', labels, ...more },
  })
  const labelsOf = async (name: string): Promise<Record<string, string>> => {
    const { metadata } = (await server.call('GET', `/api/v1/namespaces/${name}`)).json<Wire>()
    const { 'kubernetes.io/metadata.name': _, ...labels } = metadata.labels ?? {}
    return labels
  }

  it('is applied, compared, edited and patched by kubectl', async () => {
    const first = await kubectl.manifest(manifest({ tier: 'one', gone: 'soon' }))
    expect((await kubectl('apply', '-f', first)).stdout).toBe('namespace/team-s created\n')
    expect(await kubectl('diff', '-f', first)).toEqual({ code: 0, stdout: '', stderr: '' })

    const second = await kubectl.manifest(manifest({ tier: 'two' }))
    const difference = await kubectl('diff', '-f', second)
    expect(difference.code).toBe(1)
    expect(difference.stdout).toMatch(/^-\s+gone: soon$/m)
    expect(difference.stdout).toMatch(/^\+\s+tier: two$/m)
    expect(await kubectl('apply', '-f', second)).toEqual({
      code: 0,
      stdout: 'namespace/team-s configured\n',
      stderr: '',
    })
    expect(await labelsOf('team-s')).toEqual({ tier: 'two' })
    expect((await kubectl('apply', '-f', second)).stdout).toBe('namespace/team-s unchanged\n')

    const editor = await kubectl.manifest()
    await writeFile(editor, '#!/bin/sh\nsed -i "s/tier: two/tier: three/" "$1"\n')
    await chmod(editor, 0o700)
    const edited = await kubectl.with({ EDITOR: editor }, 'edit', 'namespace', 'team-s')
    expect(edited).toMatchObject({ code: 0, stdout: 'namespace/team-s edited\n' })
    expect(await labelsOf('team-s')).toEqual({ tier: 'three' })

    const body = '{"metadata":{"labels":{"tier":null,"new":"yes"}}}'
    expect(await kubectl('patch', 'namespace', 'team-s', '-p', body)).toMatchObject({
      code: 0,
      stdout: 'namespace/team-s patched\n',
    })
    expect(await labelsOf('team-s')).toEqual({ new: 'yes' })
  })

  it('gets and loses finalizers one by one by strategic patches', async () => {
    const path = '/api/v1/namespaces/team-f'
    await post('/api/v1/namespaces', { metadata: { name: 'team-f' } })
    const finalizersAfter = async (metadata: object): Promise<string[] | undefined> =>
      (await patch(path, { metadata }, strategic)).json<Wire>().metadata.finalizers
    const [a, b] = ['example.com/a', 'example.com/b']
    expect(await finalizersAfter({ finalizers: [a] })).toEqual([a])
    expect(await finalizersAfter({ finalizers: [b] })).toEqual([a, b])
    expect(await finalizersAfter({ '$deleteFromPrimitiveList/finalizers': [a] })).toEqual([b])
  })

  it('needs no kind in its body, and no other kind may stand there', async () => {
    const made = await post('/api/v1/namespaces', { metadata: { name: 'team-n' } })
    expect(made.json()).toMatchObject({ kind: 'Namespace', apiVersion: 'v1' })
    const other = { kind: 'Project', metadata: { name: 'team-o' } }
    expect((await post('/api/v1/namespaces', other)).status).toBe(400)
    const custom = await post(`${inNamespace}/projects`, { metadata: { name: 'x' }, spec: {} })
    expect([custom.status, messageOf(custom)]).toEqual([
      400,
      expect.stringContaining("Object 'Kind' is missing"),
    ])
  })

  it('alone takes strategic patches: a kind of our own says what it takes', async () => {
    await post(`${inNamespace}/projects`, project('plain'))
    const refused = await patch(`${inNamespace}/projects/plain`, {}, strategic)
    expect(refused.json()).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' })
    expect(messageOf(refused)).toMatch(/accepted media types include: (?!.*strategic)/)
  })
})

describe('an event', () => {
  const events = '/api/v1/namespaces/default/events'
  const involvedObject = { kind: 'Project', name: 'shop', namespace: 'default' }

  it('is kept as newer programs write it, and counted on', async () => {
    const body = {
      metadata: { generateName: 'new-' },
      involvedObject,
      eventTime: '2026-11-24T14:15:47.483000Z',
      action: 'Binding',
      reason: 'Bound',
      series: { count: 2, lastObservedTime: '2026-11-24T14:15:48.000000Z' },
      reportingComponent: 'example.com/binder',
      related: { kind: 'Agent', name: 'box' },
      firstTimestamp: null,
      lastTimestamp: null,
      source: {},
    }
    const made = await post(events, body, '?fieldValidation=Strict')
    expect(made.status).toBe(201)
    const { firstTimestamp: _, lastTimestamp: __, metadata: ___, ...kept } = body
    const { name } = made.json<Wire>().metadata
    expect(made.json()).toMatchObject({ kind: 'Event', ...kept, type: 'Normal' })
    const series = { count: 3, lastObservedTime: '2026-11-24T14:15:49.000000Z' }
    const counted = await patch(`${events}/${name}`, { series }, strategic)
    expect(counted.json()).toMatchObject({ ...kept, series })
    const rows = await server.call('GET', events, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    const { rows: shown } = rows.json<{ rows: { cells: string[] }[] }>()
    expect(shown.find(({ cells }) => cells.includes('Bound'))?.cells[0]).toMatch(/^\d+[dhms]/)
  })

  it('needs nobody who tells it', async () => {
    const bare = { metadata: { name: 'bare' }, involvedObject, reason: 'R', message: 'm' }
    expect((await post(events, bare)).json()).toMatchObject({
      reportingComponent: '',
      reportingInstance: '',
      reason: 'R',
      message: 'm',
    })
    const listed = await kubectl('events')
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining('Bound') as string })
  })
})

describe('the metadata of an object', () => {
  const path = `${inNamespace}/projects`

  it('keeps labels and annotations without a value as empty texts', async () => {
    // Of an agent that never came nobody but this test writes anything.
    const object = {
      apiVersion,
      kind: 'Agent',
      spec: {},
      metadata: { name: 'empty', labels: { a: null }, annotations: { b: null } },
    }
    const made = (await post(`${inNamespace}/agents`, object)).json<Wire>().metadata
    expect(made).toMatchObject({ labels: { a: '' }, annotations: { b: '' } })
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    const apply = async (): Promise<Wire['metadata']> =>
      (await patch(`${inNamespace}/agents/empty?fieldManager=m`, object, headers)).json<Wire>()
        .metadata
    const first = await apply()
    expect(first).toMatchObject({ labels: { a: '' }, annotations: { b: '' } })
    expect((await apply()).resourceVersion).toBe(first.resourceVersion)
  })

  it('keeps the prefix of a name that was made', async () => {
    const made = await post(path, {
      ...project('x'),
      metadata: { generateName: 'made-' },
    })
    const { name, generateName } = made.json<Wire>().metadata
    expect([name, generateName]).toEqual([expect.stringMatching(/^made-.{5}$/), 'made-'])
    const read = await server.call('GET', `${path}/${name}`)
    expect(read.json<Wire>().metadata.generateName).toBe('made-')
  })

  it('keeps owners, says that nothing goes with them, and says it once', async () => {
    const uid = (await post(path, project('owner'))).json<Wire>().metadata.uid
    const ownerReferences = [{ apiVersion, kind: 'Project', name: 'owner', uid }]
    const made = await post(path, project('owned', {}, { ownerReferences }))
    expect(made.json<Wire>().metadata.ownerReferences).toEqual(ownerReferences)
    expect(made.headers['warning']).toContain('nothing is deleted with its owner')
    const merge = { 'content-type': 'application/merge-patch+json' }
    const labelled = await patch(`${path}/owned`, { metadata: { labels: { a: 'b' } } }, merge)
    expect(labelled.headers['warning']).toBeUndefined()
    expect(labelled.json<Wire>().metadata.ownerReferences).toEqual(ownerReferences)
    await server.call('DELETE', `${path}/owner`)
    expect((await server.call('GET', `${path}/owned`)).status).toBe(200)
    const bad = await post(path, project('bad', {}, { ownerReferences: [{ kind: 'X' }] }))
    expect(bad.status).toBe(422)
  })
})

describe('server-side apply by kubectl', () => {
  it('takes a block away with its defaults, and diff shows it', async () => {
    const apply = ['apply', '--server-side', '-f']
    const whole = await kubectl.manifest(
      project('block', { description: 'd', rollout: { maxConcurrent: 2 } }),
    )
    expect((await kubectl(...apply, whole)).code).toBe(0)
    const bare = await kubectl.manifest(project('block', { description: 'd' }))
    const difference = await kubectl('diff', '--server-side', '-f', bare)
    expect(difference.code).toBe(1)
    for (const field of ['rollout', 'maxConcurrent', 'onFailure', 'progressDeadlineSeconds'])
      expect(difference.stdout).toMatch(new RegExp(`^-\\s+${field}:`, 'm'))
    expect((await kubectl(...apply, bare)).code).toBe(0)
    const read = async (): Promise<Wire> =>
      (await server.call('GET', `${inNamespace}/projects/block`)).json<Wire>()
    const { spec, metadata } = await read()
    expect(spec).toEqual({ description: 'd' })
    // kubectl reads twice, and shows a status that the controller writes in between as a difference.
    await eventually(async () => (await read()).status?.observedGeneration).toBe(
      metadata.generation,
    )
    const none = { code: 0, stdout: '', stderr: '' }
    expect(await kubectl('diff', '--server-side', '-f', bare)).toEqual(none)
  })
})

describe('a request', () => {
  const path = `${inNamespace}/projects`

  it('with a time or number that is none is refused', async () => {
    await post(path, project('kept'))
    for (const [method, at, query] of [
      ['GET', '', 'timeout=abc'],
      ['GET', '/kept', 'timeout=abc'],
      ['GET', '', 'timeoutSeconds=abc'],
      ['GET', '', 'limit=abc'],
      ['DELETE', '/kept', 'gracePeriodSeconds=abc'],
      ['DELETE', '/kept', 'timeout=abc'],
    ]) {
      const answer = await server.call(method!, `${path}${at}?${query}`)
      expect([query, answer.status]).toEqual([query, 400])
    }
    expect((await server.call('GET', `${path}/kept?timeout=32s`)).status).toBe(200)
    expect((await server.call('GET', `${path}?limit=-1`)).json<List>().items).not.toEqual([])
  })

  it('to delete may say only once what becomes of dependents', async () => {
    const said = 'orphanDependents and deletionPropagation cannot be both set'
    const body = { orphanDependents: true, propagationPolicy: 'Foreground' }
    const both = await server.call('DELETE', `${path}/kept`, { body })
    expect(both.json()).toMatchObject({
      code: 422,
      message: `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Foreground": ${said}`,
    })
    const query = 'orphanDependents=false&propagationPolicy=Orphan'
    expect((await server.call('DELETE', `${path}/kept?${query}`)).status).toBe(422)
    const one = await server.call('DELETE', `${path}/kept?orphanDependents=false&dryRun=All`)
    expect(one.status).toBe(200)
  })

  it('to delete some of a collection gets a token for the rest', async () => {
    for (const name of ['c1', 'c2', 'c3'])
      await post(path, project(name, {}, { labels: { set: 'c' } }))
    const remove = async (token = ''): Promise<[string[], string | undefined]> => {
      const query = `labelSelector=set%3Dc&limit=2${token}`
      const { items, metadata } = (await server.call('DELETE', `${path}?${query}`)).json<List>()
      return [items.map((item) => item.metadata.name), metadata.continue]
    }
    const [first, token] = await remove()
    expect([first, token]).toEqual([['c1', 'c2'], expect.any(String)])
    expect(await remove(`&continue=${token}`)).toEqual([['c3'], undefined])
  })

  it('to replace names its object', async () => {
    const { metadata } = (await server.call('GET', `${path}/kept`)).json<Wire>()
    const nameless = { ...project(''), metadata: { resourceVersion: metadata.resourceVersion } }
    const answer = await server.call('PUT', `${path}/kept`, { body: nameless })
    expect([answer.status, messageOf(answer)]).toEqual([
      400,
      'the name of the object (kept based on URL) was undeterminable: name must be provided',
    ])
  })

  it('with a field that no status has is told of it', async () => {
    const body = { ...project('strict'), status: { odd: 1, revision: 1 } }
    const strict = await post(path, body, '?fieldValidation=Strict')
    expect(messageOf(strict)).toContain('strict decoding error: unknown field "status.odd"')
    const warned = await post(path, body)
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"status.odd\\""')
  })

  it('that reads may end its path with a slash, and one that deletes may not', async () => {
    // The version of a list moves with every write of the controller's own.
    const items = ({ text }: { text: string }): string => {
      const list = (JSON.parse(text) as { items?: unknown }).items
      return list === undefined ? text : JSON.stringify(list)
    }
    for (const read of [path, `${path}/kept`, '/api/v1/namespaces']) {
      const both = async (): Promise<[number, boolean]> => {
        const plain = await server.call('GET', read)
        const slashed = await server.call('GET', `${read}/`)
        return [slashed.status, items(slashed) === items(plain)]
      }
      // The controller may write a status between the two reads.
      await eventually(both).toEqual([200, true])
    }
    expect((await server.call('DELETE', `${path}/`)).status).toBe(404)
    expect((await server.call('GET', `${path}/kept`)).status).toBe(200)
  })

  it('for what discovery cannot give is told so', async () => {
    for (const at of ['/api', '/apis', '/api/v1', `/apis/${apiVersion}`]) {
      const answer = await server.call('GET', at, { headers: { accept: 'text/html' } })
      expect(answer.json()).toMatchObject({ code: 406, reason: 'NotAcceptable' })
    }
  })
})
