// Dry runs of changes by REST, and which services they reach. The agent is played by the test, which
// writes its reports where the controller would.
import { createPublicKey, verify } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../../src/kernel/canonical-json.ts'
import { apiVersion, type KubeObject } from '../../../src/resources/meta.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import { aService, anObservation } from '../../support/builders.ts'
import {
  connectAgent,
  openStoreOf,
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import {
  api,
  createAs,
  objectOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import { passes } from '../../support/eventually.ts'

const ns = 'default'
const shop = '/api/v1/projects/default%2Fshop'
const services = ['backend', 'web', 'sidecar']

let database: TestDatabase
let server: TestController
let opened: Opened

interface Told {
  readonly results: readonly { op: string; id?: string; change: string }[]
  readonly set: string
  readonly revision?: number
  readonly warnings: readonly { operation: number; field: string; message: string }[]
  readonly impact: {
    readonly affected: readonly { stagelet: string; service: string; keys: string[] }[]
    readonly cascaded: readonly { stagelet: string; service: string; with: string[] }[]
    readonly held: readonly { stagelet: string; why: string; since?: string }[]
    readonly untouched: number
  }
}

const ok = async (method: string, path: string, body?: unknown): Promise<Answer> => {
  const answer = await server.call(method, path, body === undefined ? {} : { body })
  expect([200, 201], answer.text).toContain(answer.status)
  return answer
}
const batch = async (operations: object[], more: object = {}): Promise<Told> =>
  (await ok('POST', `${shop}/secrets/batch`, { operations, ...more })).json<Told>()
const reached = ({ impact }: Told): string[] =>
  impact.affected.map((hit) => `${hit.stagelet}/${hit.service} ${hit.keys.join(',')}`)
const stagelet = (name: string): Promise<KubeObject | undefined> =>
  opened.store.get({ kind: 'Stagelet', namespace: ns, name })
const uidOfShop = async (): Promise<string> =>
  (await opened.store.get({ kind: 'Project', namespace: ns, name: 'shop' }))!.metadata.uid!

let seq = 0
/** The agent reports that each service runs the newest set; resolves when the report is taken in. */
const report = async (name: string, pendingEdits: string[] = []): Promise<void> => {
  const projectUid = await uidOfShop()
  const { epoch, closed } = await opened.store.revisionsOf(projectUid)
  const entries = environmentSet(await opened.store.readSet(projectUid, 'head'), name)
  const seen = services.map((service) =>
    aService({
      name: service,
      since: '2026-01-02T03:04:05Z',
      digests: [serviceDigest(visibleTo(service, name, entries)) ?? ''],
      ...(service === 'sidecar' ? { sharesWith: ['backend'] } : {}),
    }),
  )
  const spec = anObservation({
    stageletUid: (await stagelet(name))!.metadata.uid!,
    seq: ++seq,
    epoch,
    revision: closed,
    services: seen,
    pendingEdits,
    passed: Object.fromEntries(seen.map((one) => [one.name, one.digests[0]!])),
  })
  await opened.store.write(system, {}, (tx) =>
    tx.putInternal({ apiVersion, kind: 'Observation', metadata: { name, namespace: ns }, spec }),
  )
  await passes(async () => {
    const { services: known = [] } = (await stagelet(name))!.status as {
      services?: { name: string; wantedDigest?: string; runningDigest?: string }[]
    }
    expect(known.map((one) => one.name)).toEqual([...services].sort())
    expect(known.every((one) => one.wantedDigest === one.runningDigest)).toBe(true)
  })
}

beforeAll(async () => {
  database = await freshDatabase()
  server = await startTestController({ databaseUrl: database.url })
  opened = await openStoreOf(server, database.url)
  await createAs(opened.store, api, objectOf('Project', ns, 'shop'))
  await connectAgent(opened, { namespace: ns, name: 'box' })
  for (const name of ['prod', 'test']) await createAs(opened.store, api, stageletOf(ns, name))
  await batch([
    { op: 'create', key: 'PASSWORD', value: 'first-password' },
    {
      op: 'create',
      key: 'URL',
      value: 'db://${PASSWORD}@host',
      references: true,
      scope: 'backend',
    },
    { op: 'create', key: 'LEVEL', value: 'level-info', scope: 'web' },
    { op: 'create', key: 'LEVEL', value: 'level-warn', scope: 'web', stagelet: 'prod' },
  ])
  await report('prod')
  await report('test')
})
afterAll(async () => {
  await opened?.close()
  await server?.remove()
  await database?.drop()
})

describe('a dry run of a batch', () => {
  const level = { op: 'update', id: 'level.web', value: 'level-debug' }

  it('tells what each operation does, and whom all of it reaches, and stores nothing', async () => {
    const before = await opened.store.readSet(await uidOfShop(), 'head')
    const told = await batch(
      [
        level,
        { op: 'update', id: 'password.global', value: 'first-password' },
        { op: 'update', id: 'url.backend', scope: 'web' },
        { op: 'create', key: 'SHORT', value: 'x', scope: 'nobody' },
        { op: 'delete', id: 'level.web.prod' },
      ],
      { dry_run: true },
    )
    expect(told.results.map(({ change }) => change)).toEqual([
      ...['value', 'unchanged', 'place', 'created', 'deleted'],
    ])
    expect(told.results[3]!.id).toBeUndefined()
    expect(reached(told)).toEqual([
      'prod/backend URL',
      'prod/web LEVEL,URL',
      'test/backend URL',
      'test/web LEVEL,URL',
    ])
    expect(told.impact.cascaded.map((one) => [one.stagelet, one.service, one.with])).toEqual([
      ['prod', 'sidecar', ['backend']],
      ['test', 'sidecar', ['backend']],
    ])
    expect(told.impact).toMatchObject({ held: [], untouched: 0 })
    expect(told.warnings.map(({ operation, field }) => [operation, field])).toEqual([
      [3, 'value'],
      [3, 'scope'],
    ])
    expect(told.revision).toBeUndefined()
    expect(await opened.store.readSet(await uidOfShop(), 'head')).toEqual(before)
  })

  it('follows a value through references, and leaves out who has another of that key', async () => {
    const told = await batch([{ op: 'update', id: 'password.global', value: 'second-password' }], {
      dry_run: true,
    })
    expect(reached(told)).toEqual(
      ['prod', 'test'].flatMap((name) => [
        `${name}/backend PASSWORD,URL`,
        `${name}/sidecar PASSWORD`,
        `${name}/web PASSWORD`,
      ]),
    )
    expect(reached(await batch([level], { dry_run: true }))).toEqual(['test/web LEVEL'])
  })

  it('is refused with the faults of the batch itself', async () => {
    const operations = [
      { op: 'delete', id: 'password.global' },
      { op: 'delete', id: 'nothing' },
    ]
    const body = { operations, dry_run: true }
    expect((await server.call('POST', `${shop}/secrets/batch`, { body })).status).toBe(422)
    const broken = { operations: operations.slice(0, 1), dry_run: true }
    const answer = await server.call('POST', `${shop}/secrets/batch`, { body: broken })
    expect([answer.status, answer.text]).toEqual([409, expect.stringContaining('would break')])
  })

  it('names a set, on which alone the batch may be done', async () => {
    const { set } = await batch([level], { dry_run: true })
    await batch([{ op: 'create', key: 'OTHER', value: 'of-somebody', scope: 'api' }])
    const body = { operations: [level], expected_set: set }
    const refused = await server.call('POST', `${shop}/secrets/batch`, { body })
    expect(refused.status).toBe(409)
    const { set: now } = await batch([level], { dry_run: true })
    const done = await batch([level], { expected_set: now })
    expect(done).toMatchObject({ set: now, revision: expect.any(Number) as number })
    expect(reached(done)).toEqual(['test/web LEVEL'])
    await report('test')
  })
})

describe('a batch', () => {
  it('says its revision, and none where all of it is equal', async () => {
    const { closed } = await opened.store.revisionsOf(await uidOfShop())
    const change = { op: 'update', id: 'level.web', value: 'level-error' }
    expect((await batch([change])).revision).toBe(closed + 1)
    const again = await batch([change])
    expect(again.results[0]!.change).toBe('unchanged')
    expect([again.revision, reached(again), again.impact.untouched]).toEqual([undefined, [], 6])
    await report('test')
  })

  it('joins others to one change set', async () => {
    const { closed } = await opened.store.revisionsOf(await uidOfShop())
    const part = (value: string, last: boolean): Promise<Told> =>
      batch([{ op: 'update', id: 'level.web', value }], { change_set: { id: 'my.set', last } })
    expect((await part('level-one', false)).revision).toBe(closed + 1)
    expect((await opened.store.revisionsOf(await uidOfShop())).closed).toBe(closed)
    expect((await part('level-two', true)).revision).toBe(closed + 1)
    expect((await opened.store.revisionsOf(await uidOfShop())).closed).toBe(closed + 1)
    await report('test')
  })

  it('keeps why it was made with the revision, each reason once', async () => {
    const part = (value: string, last: boolean, note: string): Promise<Told> => {
      const operations = [{ op: 'update', id: 'level.web', value }]
      return batch(operations, { note, change_set: { id: 'why', last } })
    }
    const tried = { dry_run: true, note: 'never said' }
    await batch([{ op: 'update', id: 'level.web', value: 'level-tried' }], tried)
    await part('level-three', false, 'rotate after INC-42')
    await part('level-four', false, 'rotate after INC-42')
    const { revision } = await part('level-five', true, ' and for the audit ')
    await batch([{ op: 'update', id: 'level.web', value: 'level-six' }])
    const [newest, before] = (await ok('GET', `${shop}/revisions`)).json<{
      revisions: { revision: number; note?: string }[]
    }>().revisions
    expect(before).toMatchObject({ revision, note: 'rotate after INC-42\nand for the audit' })
    expect(newest).not.toHaveProperty('note')
    await report('test')
  })

  it('tells what holds a stagelet, and since when', async () => {
    const paused = (value: boolean) =>
      opened.store.write(api, {}, async (tx) => {
        const object = (await tx.get({ kind: 'Stagelet', namespace: ns, name: 'test' }))!
        await tx.update({ ...object, spec: { ...object.spec, paused: value } })
      })
    await paused(true)
    await expect
      .poll(async () => (await stagelet('test'))!.status?.['pausedSince'])
      .toBeTypeOf('string')
    const told = await batch([{ op: 'update', id: 'password.global', value: 'third-password' }], {
      dry_run: true,
    })
    expect(told.impact).toMatchObject({
      held: [
        {
          stagelet: 'test',
          why: 'Paused',
          since: (await stagelet('test'))!.status!['pausedSince'],
          services: [{ service: 'backend' }, { service: 'sidecar' }, { service: 'web' }],
        },
      ],
      untouched: 0,
    })
    expect(new Set(told.impact.affected.map((hit) => hit.stagelet))).toEqual(new Set(['prod']))
    await paused(false)
    await expect.poll(async () => (await stagelet('test'))!.status?.['pausedSince']).toBeUndefined()
  })
})

describe('a dry run of one change', () => {
  const level = `${shop}/secrets/level.web`
  const tried = async (method: string, path: string, body?: unknown): Promise<Told> => {
    const before = await opened.store.readSet(await uidOfShop(), 'head')
    const told = (await ok(method, path, body)).json<Told>()
    expect(await opened.store.readSet(await uidOfShop(), 'head')).toEqual(before)
    return told
  }

  it('tells whom it reaches: a new value, a deletion, an erasure', async () => {
    const web = ['test/web LEVEL']
    const patched = await tried('PATCH', `${level}?dry_run=true`, { value: 'level-other' })
    expect(reached(patched)).toEqual(web)
    const equal = await tried('PATCH', `${level}?dry_run=true`, { scope: 'web' })
    expect(reached(equal)).toEqual([])
    const deleted = await tried('DELETE', `${level}?dry_run=true`)
    expect([deleted, reached(deleted)]).toMatchObject([{ status: 'dry_run' }, web])
    const purged = await tried('POST', `${level}/purge?dry_run=true`)
    expect([purged, reached(purged)]).toMatchObject([{ status: 'dry_run', name: 'level.web' }, web])
  })

  it('tells whom a way back reaches', async () => {
    const dry_run = true
    const back = await tried('POST', `${level}/rollback`, { version: 1, dry_run })
    expect([back, reached(back)]).toMatchObject([{ name: 'level.web' }, ['test/web LEVEL']])
    const project = await tried('POST', `${shop}/rollback`, { revision: 1, dry_run })
    expect(reached(project)).toEqual(['test/web LEVEL'])
    await ok('DELETE', level)
    await report('test')
    const restored = await tried('POST', `${level}/restore?dry_run=true`)
    expect(reached(restored)).toEqual(['test/web LEVEL'])
    const done = (await ok('POST', `${level}/restore`)).json<Told>()
    expect([reached(done), done.set]).toEqual([['test/web LEVEL'], restored.set])
    await report('test')
    expect(reached((await ok('POST', `${shop}/rollback`, { revision: 1 })).json<Told>())).toEqual([
      'test/web LEVEL',
    ])
    await report('test')
  })

  it('of a deployment tells which edits of the compose file are pending', async () => {
    const { id } = (await ok('GET', '/api/v1/stagelets/default%2Fprod')).json<{ id: string }>()
    const deploy = `/api/v1/stagelets/${id}/deploy?dry_run=true`
    const none = (await ok('POST', deploy)).json<Told>()
    expect(none.impact).toEqual({ affected: [], cascaded: [], held: [], widened: [], untouched: 3 })
    await report('prod', ['backend'])
    const told = (await ok('POST', deploy)).json<Told>()
    expect(reached(told)).toEqual(['prod/backend '])
    expect(told.impact).toMatchObject({ cascaded: [{ service: 'sidecar' }], untouched: 1 })
    expect((await stagelet('prod'))!.metadata.annotations ?? {}).not.toHaveProperty(
      'stagely.dev/redeploy',
    )
  })
})

describe('the history', () => {
  it('tells of one revision why it was made, and which stagelets run it since when', async () => {
    const operations = [{ op: 'update', id: 'level.web', value: 'level-history' }]
    const { revision } = await batch(operations, { note: 'for the history' })
    const one = async (number: number) =>
      (await ok('GET', `${shop}/revisions/${number}`)).json<{ stagelets: object[] }>()
    await report('prod')
    await report('test')
    const since = '2026-01-02T03:04:05Z'
    expect(await one(revision!)).toMatchObject({
      revision,
      note: 'for the history',
      by: ['admin'],
      keys: ['LEVEL'],
      stagelets: [
        { name: 'prod', state: 'running', since },
        { name: 'test', state: 'running', since },
      ],
    })
    expect((await one(revision! - 1)).stagelets).toMatchObject([
      { name: 'prod', state: 'newer' },
      { name: 'test', state: 'newer' },
    ])
    expect((await server.call('GET', `${shop}/revisions/999`)).status).toBe(404)
    expect((await server.call('GET', `${shop}/revisions/none`)).status).toBe(404)
  })

  it('gives a receipt that the key of the audit log has signed', async () => {
    const { receipt, signature, public_key } = (
      await ok('GET', `${shop}/revisions/1/receipt`)
    ).json<{ receipt: { head: object }; signature: string; public_key: string }>()
    expect(receipt).toMatchObject({ project: 'shop', team: ns, revision: 1, by: ['admin'] })
    expect(receipt.head).toMatchObject({ type: 'head', public_key })
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: public_key },
      format: 'jwk',
    })
    const isSigned = (told: object): boolean => {
      const text = JSON.stringify(['stagely audit receipt 1', canonicalJson(told)])
      return verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
    }
    expect([isSigned(receipt), isSigned({ ...receipt, by: ['bob'] })]).toEqual([true, false])
  })

  it('tells where a secret was before it moved', async () => {
    await batch([{ op: 'create', key: 'MOVES', value: 'moves-about', scope: 'api' }])
    const { revision } = await batch([
      { op: 'update', id: 'moves.api', scope: 'web', stagelet: 'prod' },
    ])
    const path = `${shop}/revisions/diff?from=${revision! - 1}&to=${revision!}`
    expect((await ok('GET', path)).json()).toMatchObject({
      changed: [{ what: ['scope', 'stagelet'], from_scope: 'api', from_stagelet: null }],
    })
  })
})

describe('value classes', () => {
  it('tell which secrets of one key hold the same value', async () => {
    const { results } = await batch([
      { op: 'create', key: 'STRIPE', value: 'live-key', scope: 'api' },
      { op: 'create', key: 'STRIPE', value: 'live-key', stagelet: 'test' },
      { op: 'create', key: 'STRIPE', value: 'test-key', scope: 'web' },
    ])
    const [live, test, own] = results.map(({ id }) => id!)
    const answer = (await ok('GET', `${shop}/value-classes?key=STRIPE`)).json<{
      keys: { key: string; classes: string[][] }[]
    }>()
    expect(answer.keys.map(({ key }) => key)).toEqual(['STRIPE'])
    expect(new Set(answer.keys[0]!.classes.map((ids) => ids.join()))).toEqual(
      new Set([[live!, test!].sort().join(), own]),
    )
  })
})

describe('the list of secrets', () => {
  const list = async (query: string): Promise<Record<string, unknown>[]> => {
    const { secrets } = (await ok('GET', `${shop}/secrets?view=compact&${query}`)).json<{
      secrets: Record<string, unknown>[]
    }>()
    return secrets
  }
  const names = async (query: string): Promise<unknown[]> =>
    (await list(query)).map((s) => s['name'])

  it('tells of each secret its version, author, state and what is odd about it', async () => {
    await batch([
      { op: 'create', key: 'TINY', value: 'abc', scope: 'wbe' },
      { op: 'create', key: 'CERT', value: 'certificate', type: 'file', file_target: '/c.pem' },
    ])
    for (const name of ['prod', 'test']) await report(name)
    await passes(async () => {
      const rows = await list('')
      expect(rows.find(({ key }) => key === 'TINY')).toMatchObject({
        version: 1,
        updated_by: 'admin',
        service_count: 0,
        state: 'unseen',
        warnings: ['unmaskable', 'unknown_scope', 'unseen'],
      })
      expect(rows.find(({ key }) => key === 'URL')).toMatchObject({
        references: true,
        refers_to: ['PASSWORD'],
        service_count: 2,
        in_sync: true,
        state: 'in_sync',
        source: 'api',
        warnings: [],
      })
    })
    expect((await list(''))[0]).not.toHaveProperty('conditions')
  })

  it('is narrowed by words, place, type and state', async () => {
    expect(await names('q=lev')).toEqual(['level.web', 'level.web.prod'])
    expect(await names('q=LEVEL&stagelet=prod')).toEqual(['level.web.prod'])
    expect(await names('q=level&stagelet=')).toEqual(['level.web'])
    expect(await names('type=file')).toEqual(['cert.global'])
    expect(await names('state=unseen')).toContain('tiny.wbe')
    await batch([{ op: 'update', id: 'level.web', value: 'level-behind' }])
    expect(await names('state=behind')).toContain('level.web')
  })

  it('says which moment it shows, and is compressed where it is long', async () => {
    const get = async (): Promise<{ coding: string | undefined; bytes: Buffer }> => {
      const path = `${shop}/secrets?view=full`
      const answer = await server.open(path, { 'accept-encoding': 'gzip' })
      const chunks = (await answer.toArray()) as Buffer[]
      return { coding: answer.headers['content-encoding'], bytes: Buffer.concat(chunks) }
    }
    const short = await get()
    expect(short.coding).toBeUndefined()
    const { resource_version } = JSON.parse(short.bytes.toString()) as { resource_version: string }
    expect(Number(resource_version)).toBeGreaterThan(0)
    const many = Array.from({ length: 300 }, (_, i) => ({
      op: 'create',
      key: `MANY_${i}`,
      value: `value-of-${i}`,
      scope: 'nobody',
    }))
    await batch(many)
    const long = await get()
    expect(long.coding).toBe('gzip')
    const { secrets } = JSON.parse(gunzipSync(long.bytes).toString()) as { secrets: object[] }
    expect(secrets.length).toBeGreaterThan(300)
  })
})

describe('a dry run of a stack', () => {
  const stacks = '/api/v1/stagelets'
  const tell = (method: string, path: string, body: object): Promise<Answer> =>
    server.call(method, `${path}?dry_run=true`, { body })

  it('tells which containers an edit re-creates, and stores nothing', async () => {
    await ok('POST', '/api/v1/projects', { name: 'empty' })
    const before = await stagelet('test')
    const moved = await tell('PATCH', `${stacks}/default%2Ftest`, { project: 'empty' })
    const { project, impact } = moved.json<{ project: string } & Pick<Told, 'impact'>>()
    expect([moved.status, project]).toEqual([200, 'empty'])
    expect(impact.affected.map(({ service }) => service).sort()).toEqual([...services].sort())
    const same = await tell('PATCH', `${stacks}/default%2Ftest`, { delete_volumes: true })
    expect(same.json<Told>().impact).toMatchObject({ affected: [], untouched: 3 })
    const elsewhere = [{ agent: 'box-2' }, { compose: { project_name: 'other' } }]
    for (const place of elsewhere)
      expect(
        (await tell('PATCH', `${stacks}/default%2Ftest`, place)).json<Partial<Told>>().impact,
      ).toBeUndefined()
    expect(await stagelet('test')).toEqual(before)
  })

  it('makes one only where it is no dry run, and names all faults by the fields of the request', async () => {
    const stack = {
      name: 'new',
      project: 'shop',
      agent: 'box',
      compose: { directory: '/srv/new', project_name: 'new' },
    }
    const tried = await tell('POST', stacks, stack)
    expect([tried.status, await stagelet('new')]).toEqual([200, undefined])
    expect((await ok('POST', stacks, stack)).json()).toMatchObject({ deletion_policy: 'Retain' })
    expect((await stagelet('new'))!.spec).toMatchObject({ agentRef: { name: 'box' } })
    const broken = await tell('POST', stacks, {
      name: 'Bad',
      agent: 'box',
      compose: { directory: 'srv', files: [] },
    })
    const { errors } = broken.json<{ errors: { field: string }[] }>()
    expect(errors.map(({ field }) => field).sort()).toEqual([
      ...['compose.directory', 'compose.files', 'name', 'project'],
    ])
  })
})
