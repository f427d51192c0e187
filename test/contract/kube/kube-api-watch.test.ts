// Watches over TLS: what comes, in which order, and how a stream ends.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { readEvents, readUntil } from '../../support/http/watch-lines.ts'

const inNamespace = '/apis/stagely.dev/v1alpha1/namespaces/default'
const merge = { 'content-type': 'application/merge-patch+json' }
const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

const project = (name: string, labels: Record<string, string> = {}): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name, labels },
  spec: { description: name },
})

let server: TestController
const create = (plural: string, body: object): Promise<Answer> =>
  server.call('POST', `${inNamespace}/${plural}`, { body })

beforeAll(async () => {
  server = await startTestController()
  await create('projects', project('l-a', { tier: 'front' }))
  await create('projects', project('l-b', { tier: 'back' }))
})
afterAll(() => server.remove())

describe('watches', () => {
  const from = (query: string): Promise<IncomingMessage> =>
    server.open(`${inNamespace}/projects?watch=true&${query}`)
  const versionNow = async (): Promise<string> =>
    (await server.call('GET', `${inNamespace}/projects`)).json<{
      metadata: { resourceVersion: string }
    }>().metadata.resourceVersion

  it('without a version begin with what exists', async () => {
    const stream = await from('')
    const [first] = await readEvents(stream, 1)
    stream.destroy()
    expect(first).toMatchObject({ type: 'ADDED', object: { kind: 'Project' } })
  })

  it('from a version replay and follow, in order', async () => {
    const version = await versionNow()
    await create('projects', project('w'))
    const stream = await from(`resourceVersion=${version}&fieldSelector=metadata.name%3Dw`)
    await server.call('PATCH', `${inNamespace}/projects/w`, {
      body: { spec: { description: '2' } },
      headers: merge,
    })
    await server.call('DELETE', `${inNamespace}/projects/w`)
    const all = await readUntil(stream, (event) => event.type === 'DELETED')
    // A reconciler may write the status in between.
    const events = all.filter((e) => e.type !== 'MODIFIED' || e.object.spec['description'] === '2')
    stream.destroy()
    expect([...new Set(events.map((e) => e.type))]).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
    const versions = events.map((e) => Number(e.object.metadata.resourceVersion))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(new Set(versions).size).toBe(versions.length)
  })

  it('send headers before any event', async () => {
    const stream = await from(
      `resourceVersion=${await versionNow()}&fieldSelector=metadata.name%3Dnever`,
    )
    expect(stream.statusCode).toBe(200)
    stream.destroy()
  })

  it('show an object that enters or leaves a selection as added or deleted', async () => {
    const stream = await from(`resourceVersion=${await versionNow()}&labelSelector=in%3Dyes`)
    await create('projects', project('sel'))
    const label = (value: string | null): Promise<Answer> =>
      server.call('PATCH', `${inNamespace}/projects/sel`, {
        body: { metadata: { labels: { in: value } } },
        headers: merge,
      })
    await label('yes')
    await label(null)
    const all = await readUntil(stream, (event) => event.type === 'DELETED')
    const events = all.filter((e) => e.type !== 'MODIFIED')
    stream.destroy()
    expect(events.map((e) => e.type)).toEqual(['ADDED', 'DELETED'])
    expect(events[1]!.object.metadata.labels).toEqual({ in: 'yes' })
  })

  it('show an object whose selected field changes as deleted, as it was', async () => {
    const of = (agent: string): object => ({
      projectRef: { name: 'l-a' },
      agentRef: { name: agent },
    })
    const compose = { directory: '/srv/moving' }
    const stream = await server.open(
      `${inNamespace}/stagelets?watch=true&resourceVersion=${await versionNow()}&fieldSelector=spec.agentRef.name%3Da1`,
    )
    await create('stagelets', {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Stagelet',
      metadata: { name: 'moving' },
      spec: { ...of('a1'), compose },
    })
    await server.call('PATCH', `${inNamespace}/stagelets/moving`, {
      body: { spec: of('a2') },
      headers: merge,
    })
    const events = await readUntil(stream, (event) => event.type === 'DELETED')
    stream.destroy()
    expect(events[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'moving' } } })
    expect(events.at(-1)!.object.spec).toMatchObject(of('a1'))
    const versions = events.map((e) => Number(e.object.metadata.resourceVersion))
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
  })

  it('end cleanly after timeoutSeconds', async () => {
    const stream = await from(`resourceVersion=${await versionNow()}&timeoutSeconds=1`)
    stream.resume()
    await once(stream, 'end')
    expect(stream.complete).toBe(true)
  })

  it('are asked for in the words of other clients too, and end in time', async () => {
    for (const query of ['watch=True&timeoutSeconds=1', 'watch=&timeout=500ms']) {
      const path = `${inNamespace}/projects?resourceVersion=${await versionNow()}&${query}`
      const { status, text } = await server.call('GET', path)
      expect([status, text]).toEqual([200, expect.not.stringContaining('ProjectList')])
    }
    const unclear = await server.call('GET', `${inNamespace}/projects?watch=1&timeoutSeconds=soon`)
    expect([unclear.status, unclear.text]).toEqual([400, expect.stringContaining('timeoutSeconds')])
  })

  it.each(['timeoutSeconds=0', 'timeout=0s', 'timeoutSeconds=2147484&timeout=99999h'])(
    'stay open with %s',
    async (query) => {
      const name = `open-${query.replaceAll(/\W/g, '').toLowerCase()}`
      const only = `fieldSelector=metadata.name%3D${name}`
      const stream = await from(`resourceVersion=${await versionNow()}&${only}&${query}`)
      await create('projects', project(name))
      const [first] = await readEvents(stream, 1)
      stream.destroy()
      expect(first).toMatchObject({ type: 'ADDED', object: { metadata: { name } } })
    },
  )

  it('mark where the list ends with a bookmark of the kind that they show', async () => {
    const shapes = {
      'application/json': { kind: 'Project', apiVersion: 'stagely.dev/v1alpha1' },
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1': {
        kind: 'PartialObjectMetadata',
        apiVersion: 'meta.k8s.io/v1',
      },
      [asTable.accept]: { kind: 'Table', apiVersion: 'meta.k8s.io/v1' },
    }
    const version = await versionNow()
    for (const [accept, of] of Object.entries(shapes)) {
      const query = 'watch=true&allowWatchBookmarks=true&labelSelector=tier'
      const stream = await server.open(`${inNamespace}/projects?${query}`, { accept })
      const events = await readUntil(stream, ({ type }) => type === 'BOOKMARK')
      stream.destroy()
      for (const { object } of events) expect(object).toMatchObject(of)
      const { metadata } = events.at(-1)!.object
      expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(version))
    }
  })

  it('stream the list with sendInitialEvents, and refuse half of its parameters', async () => {
    const stream = await from(
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=tier',
    )
    const events = await readEvents(stream, 3)
    stream.destroy()
    expect(events.map((e) => e.type)).toEqual(['ADDED', 'ADDED', 'BOOKMARK'])
    expect(events[2]!.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
    const refused = (query: string): Promise<Answer> =>
      server.call('GET', `${inNamespace}/projects?watch=true&${query}`)
    const why = (message: string): object => ({
      code: 422,
      message: `ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: ${message}`,
      details: { kind: 'ListOptions', causes: [{ field: 'resourceVersionMatch' }] },
    })
    expect((await refused('sendInitialEvents=true')).json()).toMatchObject(
      why('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    )
    expect((await refused('resourceVersionMatch=NotOlderThan')).json()).toMatchObject(
      why('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
    )
    expect(
      (await refused('sendInitialEvents=true&resourceVersionMatch=Exact')).json(),
    ).toMatchObject({ code: 422, details: { causes: [{ reason: 'FieldValueNotSupported' }] } })
  })

  it('do not stream a list that is older than it was asked for', async () => {
    const query =
      'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99999999'
    const early = await server.call('GET', `${inNamespace}/projects?watch=true&${query}`)
    expect(early.json()).toMatchObject({
      code: 504,
      reason: 'Timeout',
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    })
  })

  it.each(['', '&resourceVersion=0'])('begin now with sendInitialEvents=false%s', async (more) => {
    const stream = await from(
      `sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true${more}`,
    )
    const name = `now${more.length}`
    await create('projects', project(name))
    const events = await readUntil(stream, ({ object }) => object.metadata.name === name)
    stream.destroy()
    // A reconciler may write the status of another meanwhile.
    const added = events.filter(({ type }) => type === 'ADDED')
    expect(added.map(({ object }) => object.metadata.name)).toEqual([name])
  })

  it('come as tables, with columns in the first event only', async () => {
    const stream = await server.open(
      `${inNamespace}/projects?watch=true&labelSelector=tier`,
      asTable,
    )
    const events = await readEvents(stream, 2)
    stream.destroy()
    const tables = events.map(
      (e) =>
        e.object as unknown as {
          kind: string
          columnDefinitions: unknown[] | null
          rows: unknown[]
        },
    )
    expect(tables.map((t) => [t.kind, t.columnDefinitions === null, t.rows.length])).toEqual([
      ['Table', false, 1],
      ['Table', true, 1],
    ])
  })
})
