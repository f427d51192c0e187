// Who sees a key, with the version that runs there. The agent is played by the test, which writes its
// reports where the controller would.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { apiVersion } from '../../../src/resources/meta.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import { aService, anObservation } from '../../support/builders.ts'
import {
  connectAgent,
  openStoreOf,
  startTestController,
  type TestController,
} from '../../support/programs/controller.ts'
import {
  api,
  createAs,
  objectOf,
  secretOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'

const ns = 'default'
let database: TestDatabase
let server: TestController
let opened: Opened

interface Usage {
  readonly key: string
  readonly scope: string
  readonly version: number
  readonly consumers: readonly {
    readonly stagelet: string
    readonly service: string
    readonly running_version?: number
    readonly in_sync: boolean
  }[]
}

/**
 * One line for each service that sees a secret of `key`: who, what runs there, and whether that will do.
 * Sorted: of equal key and scope the ids, which are random, make the order.
 */
const usage = async (key: string): Promise<string[]> => {
  const answer = await server.call('GET', `/api/v1/projects/default%2Fshop/usage?key=${key}`)
  expect(answer.status).toBe(200)
  return answer
    .json<{ usage: Usage[] }>()
    .usage.flatMap(({ scope, version, consumers }) =>
      consumers.map(
        (c) =>
          `${c.stagelet}/${c.service} of ${scope} v${version}: ` +
          `${c.running_version ?? 'unknown'} ${c.in_sync ? 'in sync' : 'late'}`,
      ),
    )
    .toSorted()
}

let seq = 0
/** What the agent reports that runs the closed revision everywhere; resolves when it is taken in. */
const report = async (stagelet: string, state: 'running' | 'exited' = 'running') => {
  const project = await opened.store.get({ kind: 'Project', namespace: ns, name: 'shop' })
  const projectUid = project!.metadata.uid!
  const { epoch, closed } = await opened.store.revisionsOf(projectUid)
  const set = await opened.store.readSet(projectUid, closed)
  const ref = { kind: 'Stagelet', namespace: ns, name: stagelet }
  const services = ['backend', 'web'].map((name) =>
    aService({
      name,
      state,
      digests: [serviceDigest(visibleTo(name, stagelet, environmentSet(set, stagelet))) ?? ''],
    }),
  )
  const spec = anObservation({
    stageletUid: (await opened.store.get(ref))!.metadata.uid!,
    seq: ++seq,
    epoch,
    revision: closed,
    services,
    passed: Object.fromEntries(services.map(({ name, digests }) => [name, digests[0]!])),
  })
  const metadata = { name: stagelet, namespace: ns }
  await opened.store.write(system, {}, (tx) =>
    tx.putInternal({ apiVersion, kind: 'Observation', metadata, spec }),
  )
  await expect
    .poll(async () => (await opened.store.get(ref))!.status?.['services'])
    .toMatchObject(services.map(({ name }) => ({ name, state, revision: closed })))
  return closed
}

const setValue = (name: string, value: string): Promise<void> =>
  opened.store.write(api, { changeSet: { id: value, last: true } }, async (tx) => {
    const secret = (await tx.get({ kind: 'StagelySecret', namespace: ns, name }))!
    await tx.update({ ...secret, spec: { ...secret.spec, value } })
  })

beforeAll(async () => {
  database = await freshDatabase()
  server = await startTestController({ databaseUrl: database.url })
  opened = await openStoreOf(server, database.url)
  await createAs(opened.store, api, objectOf('Project', ns, 'shop'))
  await connectAgent(opened, { namespace: ns, name: 'box' })
  await createAs(opened.store, api, stageletOf(ns, 'prod'))
  await createAs(opened.store, api, stageletOf(ns, 'test'))
  const url = { key: 'URL', value: 'db://${PASSWORD}@host', references: true, scope: 'backend' }
  await opened.store.write(api, { changeSet: { id: 'first', last: true } }, async (tx) => {
    await tx.create(secretOf(ns, 'level', { value: 'info' }))
    const own = { key: 'LEVEL', value: 'warn', stageletRef: { name: 'prod' } }
    await tx.create(secretOf(ns, 'level-of-prod', own))
    await tx.create(secretOf(ns, 'password', { value: 'first-password' }))
    await tx.create(secretOf(ns, 'url', url))
  })
})
afterAll(async () => {
  await opened?.close()
  await server?.remove()
  await database?.drop()
})

it('names nobody before a service is reported', async () => {
  expect(await usage('LEVEL')).toEqual([])
})

it('names each service with the secret that wins there, and the version that it runs', async () => {
  await report('prod')
  await report('test')
  expect(await usage('LEVEL')).toEqual([
    'prod/backend of global v1: 1 in sync',
    'prod/web of global v1: 1 in sync',
    'test/backend of global v1: 1 in sync',
    'test/web of global v1: 1 in sync',
  ])
  expect(await usage('URL')).toEqual([
    'prod/backend of backend v1: 1 in sync',
    'test/backend of backend v1: 1 in sync',
  ])
})

it('tells which stagelet runs an older version', async () => {
  await setValue('level', 'debug')
  expect(await usage('LEVEL')).toEqual([
    'prod/backend of global v1: 1 in sync',
    'prod/web of global v1: 1 in sync',
    'test/backend of global v2: 1 late',
    'test/web of global v2: 1 late',
  ])
  await report('test')
  expect(await usage('LEVEL')).toContain('test/web of global v2: 2 in sync')
})

it('tells that a stopped container runs no version', async () => {
  await report('test', 'exited')
  expect(await usage('LEVEL')).toContain('test/web of global v2: unknown late')
})

it('tells that a template is late where what it refers to is', async () => {
  await setValue('password', 'second-password')
  await report('test')
  expect(await usage('URL')).toEqual([
    'prod/backend of backend v1: 1 late',
    'test/backend of backend v1: 1 in sync',
  ])
  await report('prod')
  expect(await usage('URL')).toContain('prod/backend of backend v1: 1 in sync')
})

it('tells that a service is late which an override that is gone now still gives its value', async () => {
  await opened.store.write(api, { changeSet: { id: 'gone', last: true } }, async (tx) => {
    await tx.remove({ kind: 'StagelySecret', namespace: ns, name: 'level-of-prod' })
  })
  await report('test')
  expect(await usage('LEVEL')).toEqual([
    'prod/backend of global v2: 2 late',
    'prod/web of global v2: 2 late',
    'test/backend of global v2: 2 in sync',
    'test/web of global v2: 2 in sync',
  ])
})
