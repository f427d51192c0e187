// Lists over the wire: pages that show one moment, versions, and compressed answers.
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import pg from 'pg'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import { soak } from '../../support/soak.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'
import { passes } from '../../support/eventually.ts'

const group = '/apis/stagely.dev/v1alpha1'
const collection = `${group}/namespaces/default/projects`
const merge = { 'content-type': 'application/merge-patch+json' }

interface Item {
  metadata: { name: string; resourceVersion: string }
  spec: { description: string }
}
interface List {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: Item[]
}

/** On Postgres, and in the long form on the embedded database, too. */
const databases = ['postgres', 'embedded'].slice(0, soak(1, 2))
let database: TestDatabase
let servers: TestController[]

beforeAll(async () => {
  database = await freshDatabase()
  servers = await Promise.all(
    databases.map((kind) =>
      startTestController(kind === 'embedded' ? { embedded: true } : { databaseUrl: database.url }),
    ),
  )
})
afterAll(async () => {
  for (const server of servers) await server.remove()
  await database.drop()
})

const make = (
  server: TestController,
  name: string,
  labels: Record<string, string> = {},
): Promise<unknown> =>
  server.call('POST', collection, {
    body: {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name, labels },
      spec: { description: 'first' },
    },
  })
const describeAs = (server: TestController, name: string, description: string): Promise<unknown> =>
  server.call('PATCH', `${collection}/${name}`, { body: { spec: { description } }, headers: merge })
const list = async (server: TestController, query = ''): Promise<List> =>
  (await server.call('GET', `${collection}?${query}`)).json<List>()
const names = ({ items }: List): string[] => items.map((item) => item.metadata.name)
const token = ({ metadata }: List): string => `continue=${encodeURIComponent(metadata.continue!)}`

describe.each(databases)('pages on %s', (kind) => {
  let server: TestController
  beforeAll(async () => {
    server = servers[databases.indexOf(kind)]!
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      await make(server, name, { half: name < 'd' ? 'one' : 'two' })
  })
  const restore = async (): Promise<void> => {
    await server.call('DELETE', `${collection}/bb`)
    for (const name of ['d', 'e', 'f']) {
      await server.call('DELETE', `${collection}/${name}`)
      await make(server, name, { half: 'two' })
    }
  }

  it('show what was there at the first one, whatever happens between them', async () => {
    const first = await list(server, 'limit=2')
    expect(names(first)).toEqual(['a', 'b'])
    expect(first.metadata.remainingItemCount).toBe(5)
    await make(server, 'bb')
    await describeAs(server, 'd', 'second')
    await describeAs(server, 'd', 'third')
    await server.call('DELETE', `${collection}/e`)
    await server.call('DELETE', `${collection}/f`)
    await make(server, 'f')
    const second = await list(server, `limit=3&${token(first)}`)
    expect(names(second)).toEqual(['c', 'd', 'e'])
    expect(second.items.map((p) => p.spec.description)).toEqual(['first', 'first', 'first'])
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    expect(second.metadata.remainingItemCount).toBe(2)
    const third = await list(server, `limit=3&${token(second)}`)
    expect(names(third)).toEqual(['f', 'g'])
    expect(third.metadata).not.toHaveProperty('continue')
    expect(third.metadata).not.toHaveProperty('remainingItemCount')
    expect(names(await list(server))).toEqual(['a', 'b', 'bb', 'c', 'd', 'f', 'g'])
    await restore()
  })

  it('of a selection tell no count, and miss nothing', async () => {
    const first = await list(server, 'limit=1&labelSelector=half%3Dtwo')
    expect(names(first)).toEqual(['d'])
    expect(first.metadata).not.toHaveProperty('remainingItemCount')
    const second = await list(server, `limit=9&labelSelector=half%3Dtwo&${token(first)}`)
    expect(names(second)).toEqual(['e', 'f', 'g'])
  })

  it('are as the list was at an exact version', async () => {
    const { metadata } = await list(server)
    await describeAs(server, 'a', 'later')
    const query = `resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=`
    const exact = await list(server, `${query}Exact&limit=1`)
    expect(exact.items[0]!.spec.description).toBe('first')
    expect(exact.metadata.resourceVersion).toBe(metadata.resourceVersion)
    const newer = await list(server, `${query}NotOlderThan&limit=1`)
    expect(newer.items[0]!.spec.description).toBe('later')
    await server.call('DELETE', `${collection}/a`)
    await make(server, 'a', { half: 'one' })
  })

  it('are one whole where any version will do', async () => {
    const any = await list(server, 'limit=2&resourceVersion=0')
    expect(any.items).toHaveLength(7)
    expect(any.metadata).not.toHaveProperty('continue')
  })

  it('are refused where the parameters do not fit', async () => {
    const first = await list(server, 'limit=2')
    const refused = async (query: string): Promise<unknown> =>
      (await server.call('GET', `${collection}?${query}`)).json()
    expect(await refused(`resourceVersion=1&${token(first)}`)).toMatchObject({
      code: 400,
      message: 'specifying resource version is not allowed when using continue',
    })
    expect(await refused('continue=garbage')).toMatchObject({
      code: 400,
      message: 'invalid continue token: continue key is not valid',
    })
    expect(await refused('limit=x')).toMatchObject({ code: 400 })
    expect(await refused('resourceVersionMatch=Exact')).toMatchObject({
      code: 422,
      message:
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    })
    expect(await refused('resourceVersion=0&resourceVersionMatch=Exact')).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'resourceVersionMatch' }] },
    })
    for (const [query, field] of [
      ['sendInitialEvents=true', 'sendInitialEvents'],
      ['resourceVersion=1&resourceVersionMatch=Newest', 'resourceVersionMatch'],
      [`resourceVersionMatch=Exact&${token(first)}`, 'resourceVersionMatch'],
    ])
      expect(await refused(query!)).toMatchObject({ code: 422, details: { causes: [{ field }] } })
    expect(await refused('labelSelector=half>some')).toMatchObject({ code: 400 })
  })

  it('are not older than they were asked to be, nor is a single object', async () => {
    for (const path of [collection, `${collection}/b`]) {
      const future = await server.call('GET', `${path}?resourceVersion=99999999`)
      expect(future.headers['retry-after']).toBe('1')
      expect(future.json()).toMatchObject({
        code: 504,
        reason: 'Timeout',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
      })
      expect((await server.call('GET', `${path}?resourceVersion=x`)).status).toBe(400)
      expect((await server.call('GET', `${path}?resourceVersion=1`)).status).toBe(200)
    }
  })
})

describe('what is no longer kept', () => {
  it('answers 410 with a token to go on inconsistently', async () => {
    const server = servers[0]!
    const first = await list(server, 'limit=2')
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query('UPDATE counters SET rv = rv + 1, compacted_rv = rv + 1')
    await client.end()
    // A controller that is alone asks the database once a second.
    const expired = await passes(async () => {
      const answer = await server.call('GET', `${collection}?limit=2&${token(first)}`)
      const status = answer.json<List & { code: number; reason: string }>()
      expect(status).toMatchObject({ code: 410, reason: 'Expired' })
      return status
    })
    const rest = await list(server, token(expired))
    expect(names(rest)).toEqual(['c', 'd', 'e', 'f', 'g'])
    const version = first.metadata.resourceVersion
    const exact = await server.call(
      'GET',
      `${collection}?resourceVersion=${version}&resourceVersionMatch=Exact`,
    )
    expect(exact.json()).toMatchObject({
      code: 410,
      message: 'The resourceVersion for the provided list is too old.',
    })
  })
})

describe('big answers', () => {
  it('are packed for those who ask', async () => {
    const server = servers[0]!
    const big = 'x'.repeat(200_000)
    await server.call('POST', collection, {
      body: {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Project',
        metadata: { name: 'big', annotations: { big } },
        spec: {},
      },
    })
    const open = await server.open(`${collection}/big`, { 'accept-encoding': 'gzip, deflate' })
    const chunks: Buffer[] = []
    for await (const chunk of open as AsyncIterable<Buffer>) chunks.push(chunk)
    expect(open.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' })
    const packed = Buffer.concat(chunks)
    expect(packed.length).toBeLessThan(10_000)
    expect(gunzipSync(packed).toString()).toContain(big)
    expect((await server.call('GET', `${collection}/big`)).headers).not.toHaveProperty(
      'content-encoding',
    )
    const small = await server.call('GET', `${collection}/a`, {
      headers: { 'accept-encoding': 'gzip' },
    })
    expect(small.headers).not.toHaveProperty('content-encoding')
  })
})

describe('a dry run', () => {
  it('answers the version that is stored, and none for what is not', async () => {
    const server = servers[0]!
    // The reconciler may write the status of the project between the reading and the dry run.
    const made = await passes(async () => {
      const read = (await server.call('GET', `${collection}/a`)).json<Item>()
      const patched = await server.call('PATCH', `${collection}/a?dryRun=All`, {
        body: { spec: { description: 'dry' } },
        headers: merge,
      })
      expect(patched.json<Item>()).toMatchObject({
        metadata: { resourceVersion: read.metadata.resourceVersion, generation: 2 },
        spec: { description: 'dry' },
      })
      const replaced = await server.call('PUT', `${collection}/a?dryRun=All`, {
        body: { ...read, spec: { description: 'dry' } },
      })
      expect(replaced.json<Item>().metadata.resourceVersion).toBe(read.metadata.resourceVersion)
      return read
    })
    const created = await server.call('POST', `${collection}?dryRun=All`, {
      body: { ...made, metadata: { name: 'dry' } },
    })
    expect(created.json<Item>().metadata).not.toHaveProperty('resourceVersion')
    expect((await list(server)).items[0]!.spec.description).toBe('first')
  })
})
