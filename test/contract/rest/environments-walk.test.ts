// Every place that tells of a secret for whom it is: what it says of one stagelet, it says of environments too. The
// commands are walked in cli/cli-environments.test.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { passes } from '../../support/eventually.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const shop = '/api/v1/projects/default%2Fshop'
const objects = '/apis/stagely.dev/v1alpha1/namespaces/default'
const apiVersion = 'stagely.dev/v1alpha1'

let folder: string
let server: TestController

const ok = async (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Answer> => {
  const answer = await server.call(method, path, {
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  })
  expect([200, 201], answer.text).toContain(answer.status)
  return answer
}

/** Two secrets that differ in nothing but for whom they are. Their names say nothing of that. */
const audiences = {
  a: { stageletRef: { name: 'stagelet-there' } },
  b: { environments: ['env-there'] },
}
const names = Object.keys(audiences) as (keyof typeof audiences)[]
const said = { a: 'stagelet-there', b: 'env-there' }

const project = (name: string): object => ({
  apiVersion,
  kind: 'Project',
  metadata: { name },
  spec: { environments: [{ name: 'env-there' }, { name: 'env-other' }] },
})

const secretNamed = (name: keyof typeof audiences, key: string, more: object): object => ({
  apiVersion,
  kind: 'StagelySecret',
  metadata: { name: `${key.toLowerCase()}-${name}` },
  spec: { projectRef: { name: 'shop' }, key, scope: 'web', ...audiences[name], ...more },
})
const create = (object: object): Promise<Answer> => ok('POST', `${objects}/stagelysecrets`, object)

interface Items {
  readonly secrets: readonly { readonly name: string }[]
}

const asTable = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

/** What each place says of the secret with this name, as text. */
const places: Record<string, (name: keyof typeof audiences) => Promise<unknown>> = {
  ...Object.fromEntries(
    ['basic', 'compact', 'full'].map((view) => [
      `REST: the list, ${view}`,
      async (name: string) =>
        (await ok('GET', `${shop}/secrets?view=${view}`))
          .json<{ secrets: { key: string; id: string }[] }>()
          .secrets.filter(({ id }) => id === ids.get(`key-${name}`)),
    ]),
  ),
  'REST: one secret': async (name) => (await ok('GET', `${shop}/secrets/key-${name}`)).text,
  'REST: the list, filtered': async (name) => {
    const query = name === 'a' ? 'stagelet=stagelet-there' : 'environment=env-there'
    const { secrets } = (await ok('GET', `${shop}/secrets?view=full&${query}`)).json<Items>()
    expect(secrets.map((secret) => secret.name)).toContain(`key-${name}`)
    expect(secrets.every((secret) => secret.name.endsWith(`-${name}`))).toBe(true)
    return secrets
  },
  'REST: a batch': async (name) => {
    const place = name === 'a' ? { stagelet: said.a } : { environments: [said.b] }
    const operation = { op: 'create', key: 'BATCH', value: 'v', ...place }
    const answer = await ok('POST', `${shop}/secrets/batch`, { operations: [operation] })
    return answer.json<{ results: object[] }>().results
  },
  'REST: one value': async (name) =>
    (await ok('POST', `${shop}/secrets/key-${name}/reveal`, {})).text,
  'REST: all values, with what they refer to': async (name) => {
    const viewer = name === 'a' ? { stagelet: said.a } : { environment: said.b }
    const body = { service: 'web', ...viewer }
    const { secrets } = (await ok('POST', `${shop}/reveal`, body)).json<{
      secrets: { name: string; key: string; value: string }[]
    }>()
    const valueOf = (key: string) => secrets.find((secret) => secret.key === key)?.value
    expect([valueOf('KEY'), valueOf('URL')]).toEqual([`value-${name}`, `at value-${name}`])
    return secrets.filter((secret) => secret.name === `key-${name}`)
  },
  'REST: the difference of two revisions': async (name) =>
    (await ok('GET', `${shop}/revisions/diff?from=0&to=head`))
      .json<{ added: { name: string }[] }>()
      .added.filter((secret) => secret.name === `key-${name}`),
  'REST: who is reached by a wider secret': async (name) => {
    const operations = [{ op: 'create', key: `KEPT${name.toUpperCase()}`, value: 'v' }]
    const { impact } = (
      await ok('POST', `${shop}/secrets/batch`, { operations, dry_run: true })
    ).json<{ impact: { widened: { before: object[] }[] } }>()
    return impact.widened[0]?.before
  },
  'REST: deleted secrets, and one that is restored': async (name) => {
    await server.call('DELETE', `${shop}/secrets/gone-${name}`)
    const { secrets } = (await ok('GET', `${shop}/deleted-secrets`)).json<{
      secrets: { id: string; name: string }[]
    }>()
    const deleted = secrets.find((secret) => secret.name === `gone-${name}`)!
    await ok('POST', `${shop}/secrets/${deleted.id}/restore`)
    expect((await ok('GET', `${shop}/secrets/gone-${name}`)).text).toContain(said[name])
    return deleted
  },
  'a rollback': async (name) => {
    const answer = await ok('POST', `${shop}/rollback`, { revision: 0, dry_run: true })
    return answer
      .json<{ removed: { name: string }[] }>()
      .removed.filter((secret) => secret.name === `key-${name}`)
  },
  'a report of compliance': async (name) => {
    const report = (await ok('GET', `${shop}/compliance`)).json<{
      report?: Items
      secrets?: Items['secrets']
    }>()
    const { secrets = [] } = report.report ?? report
    return secrets.filter((secret) => secret.name === `key-${name}`)
  },
  'kubectl: the object': async (name) =>
    (await ok('GET', `${objects}/stagelysecrets/key-${name}`)).text,
  'a folder of manifests': async (name) => {
    await passes(async () => {
      const answer = await server.call('GET', `${objects}/stagelysecrets/folder-${name}`)
      expect(answer.status).toBe(200)
    })
    return (await ok('GET', `${shop.replace('shop', 'other')}/secrets/folder-${name}`)).text
  },
  ...Object.fromEntries(
    ['stored', 'rotated'].map((source) => [
      `a secret that is ${source}`,
      async (name: string) => (await ok('GET', `${shop}/secrets/${source}-${name}`)).text,
    ]),
  ),
}

const ids = new Map<string, string>()

describe('for whom a secret is', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stagely-walk-'))
    for (const name of names)
      await writeFile(
        join(folder, `${name}.json`),
        JSON.stringify(secretNamed(name, 'FOLDER', { projectRef: { name: 'other' }, value: 'v' })),
      )
    server = await startTestController({ argv: ['--manifests', folder] })
    for (const name of ['shop', 'other']) await ok('POST', `${objects}/projects`, project(name))
    const external = { store: 'vault', key: 'a/b' }
    const rotation = { name: 'db', output: 'password' }
    for (const name of names)
      for (const [key, more] of Object.entries({
        KEY: { value: `value-${name}` },
        URL: { value: 'at ${KEY}', references: true },
        [`KEPT${name.toUpperCase()}`]: { value: 'v', scope: 'global' },
        GONE: { value: 'v' },
        STORED: { valueFrom: { external } },
        ROTATED: { valueFrom: { rotation } },
      }))
        await create(secretNamed(name, key, more))
    const { secrets } = (await ok('GET', `${shop}/secrets?view=full`)).json<{
      secrets: { name: string; id: string }[]
    }>()
    for (const { name, id } of secrets) ids.set(name, id)
  })
  afterAll(async () => {
    await server?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  it.each(Object.entries(places))('is told by %s', async (_, read) => {
    for (const name of names) {
      const told = await read(name)
      const text = typeof told === 'string' ? told : JSON.stringify(told)
      expect(text).toContain(said[name])
      expect(text).not.toContain(said[name === 'a' ? 'b' : 'a'])
    }
  })

  it('is judged by a folder file by file: what is equal is refused, and the others are written', async () => {
    const environments = [
      { name: 'env-there' },
      { name: 'env-other', inherits: 'Nothing', differsFrom: ['env-there'] },
    ]
    const body = { ...project('other'), spec: { environments } }
    const stored = (await ok('GET', `${objects}/projects/other`)).json<{ metadata: object }>()
    await ok('PUT', `${objects}/projects/other`, { ...stored, ...body, metadata: stored.metadata })
    const of = (key: string, value: string, environment: string): object =>
      secretNamed('b', key, {
        projectRef: { name: 'other' },
        environments: [environment],
        value,
      })
    const files = {
      live: of('LIVE', 'value-of-production', 'env-there'),
      copied: of('COPIED', 'value-of-production', 'env-other'),
      other: of('OTHER', 'value-of-a-preview', 'env-other'),
    }
    for (const [name, object] of Object.entries(files))
      await writeFile(join(folder, `${name}.json`), JSON.stringify(object))
    await passes(async () => {
      for (const name of ['live-b', 'other-b'])
        expect((await server.call('GET', `${objects}/stagelysecrets/${name}`)).status).toBe(200)
      expect((await ok('GET', '/api/v1/namespaces/default/events')).text).toMatch(
        /COPIED.*would have the value of/,
      )
    })
    expect((await server.call('GET', `${objects}/stagelysecrets/copied-b`)).status).toBe(404)
  })

  it('has a column in the table of kubectl', async () => {
    const table = (await ok('GET', `${objects}/stagelysecrets/key-b`, undefined, asTable)).json<{
      columnDefinitions: { name: string }[]
      rows: { cells: unknown[] }[]
    }>()
    const at = table.columnDefinitions.findIndex(({ name }) => name === 'Environments')
    expect(JSON.stringify(table.rows[0]?.cells[at])).toContain('env-there')
  })
})
