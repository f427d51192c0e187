// History, values and sealing over REST: what goes in, what comes out, and who is named for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseSealingKey, sealValue } from '../../../src/protocol/sealed-value.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

let controller: TestController
const canary = 'r3st-h1story-canary'
const project = '/api/v1/projects/default%2Fshop'
const secrets = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelysecrets'

const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
  controller.call(method, path, body === undefined ? {} : { body })

const write = async (name: string, spec: object): Promise<Answer> => {
  const metadata = { name, namespace: 'default' }
  const head = { apiVersion: 'stagely.dev/v1alpha1', kind: 'StagelySecret', metadata }
  const key = name.toUpperCase()
  const object = { ...head, spec: { projectRef: { name: 'shop' }, key, ...spec } }
  const made = await call('POST', secrets, object)
  if (made.status !== 409) return made
  const headers = { 'content-type': 'application/merge-patch+json' }
  return controller.call('PATCH', `${secrets}/${name}`, { headers, body: { spec } })
}

beforeAll(async () => {
  controller = await startTestController()
  await call('POST', '/api/v1/projects', { name: 'shop' })
})

afterAll(() => controller.remove())

describe('one secret', () => {
  it('shows its versions, goes back, and reveals a value to who asks for it', async () => {
    await write('db', { value: canary })
    await write('db', { value: 'two' })
    const path = `${project}/secrets/db`
    const listed = await call('GET', `${path}/versions`)
    expect(listed.json()).toMatchObject({
      versions: [
        { version: 2, current: true, bytes: 3 },
        { version: 1, current: false, created_by: 'admin' },
      ],
    })
    expect(listed.text).not.toContain(canary)
    const stale = await call('POST', `${path}/rollback`, { version: 1, expected_version: 1 })
    expect(stale.status).toBe(409)
    const back = await call('POST', `${path}/rollback`, { version: 1, expected_version: 2 })
    expect([back.status, back.json()]).toMatchObject([200, { key: 'DB', version: 3 }])
    expect(back.text).not.toContain(canary)
    const revealed = await call('POST', `${path}/reveal`, {})
    expect(revealed.json()).toMatchObject({ key: 'DB', version: 3, value: canary })
    expect(revealed.headers['cache-control']).toBe('no-store')
    const old = await call('POST', `${path}/reveal`, { version: 2 })
    expect(old.json()).toMatchObject({ version: 2, value: 'two' })
    expect((await call('POST', `${path}/reveal`, { version: 99 })).status).toBe(404)
  })

  it('is changed only while the version that the writer expects is stored', async () => {
    await write('cas', { value: canary })
    const path = `${project}/secrets/cas`
    const set = (value: string, expected_version: number): Promise<Answer> =>
      call('PATCH', path, { value, expected_version })
    const late = await set('late', 0)
    expect([late.status, late.json()]).toMatchObject([
      409,
      { detail: expect.stringContaining('version 0 was expected, version 1 is stored') as string },
    ])
    const both = await Promise.all([set('left', 1), set('right', 1)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    const batch = (expected_version: number): Promise<Answer> => {
      const operations = [
        { op: 'create', key: `BESIDE_${expected_version}`, value: 'x' },
        { op: 'update', id: 'cas', value: 'batched', expected_version },
      ]
      return call('POST', `${project}/secrets/batch`, { operations })
    }
    expect((await batch(1)).json()).toMatchObject({
      status: 422,
      errors: [
        {
          field: 'operations[1]',
          message: expect.stringContaining('version 1 was expected, version 2 is stored') as string,
        },
      ],
    })
    expect((await call('GET', `${project}/secrets/beside-1.global`)).status).toBe(404)
    expect((await batch(2)).status).toBe(200)
    expect((await call('GET', path)).json()).toMatchObject({ version: 3, bytes: 7 })
  })

  it('keeps no revealed value for a repeated request', async () => {
    await write('once', { value: canary })
    const headers = { 'idempotency-key': 'reveal-1' }
    const path = `${project}/secrets/once/reveal`
    const ask = (): Promise<Answer> => controller.call('POST', path, { headers, body: {} })
    expect((await ask()).text).toContain(canary)
    expect((await ask()).text).not.toContain(canary)
  })

  it('is restored after its deletion, and not after it was purged', async () => {
    await write('gone', { value: canary })
    await call('DELETE', `${secrets}/gone`)
    const { secrets: deleted } = (await call('GET', `${project}/deleted-secrets`)).json<{
      secrets: { id: string; name: string }[]
    }>()
    expect(deleted).toMatchObject([{ name: 'gone', key: 'GONE', deleted_by: 'admin' }])
    const path = `${project}/secrets/${deleted[0]!.id}`
    expect((await call('POST', `${path}/restore`)).json()).toMatchObject({ version: 2 })
    const purged = (await call('POST', `${project}/secrets/gone/purge`)).json()
    expect(purged).toMatchObject({ status: 'purged', name: 'gone', versions: 2 })
    expect((await call('POST', `${path}/restore`)).status).toBe(404)
    expect((await call('POST', `${path}/purge`)).status).toBe(404)
  })
})

describe('a project', () => {
  it('shows what differs between revisions, and goes back as a whole', async () => {
    const head = async (): Promise<number> => {
      const answer = await call('POST', `${project}/rollback`, { at: '2100-01-01T00:00:00Z' })
      return answer.json<{ revision: number }>().revision
    }
    await write('kept', { value: 'k' })
    await write('moved', { value: 'm', scope: 'web' })
    const [before] = await settled()
    await write('moved', { scope: 'api' })
    await write('extra', { value: 'e' })
    const [after] = await settled()
    expect(after!.revision).toBeGreaterThan(before!.revision)
    const { revision } = before!
    const diff = await call('GET', `${project}/revisions/diff?from=${revision}`)
    expect(diff.json()).toMatchObject({
      added: [{ name: 'extra' }],
      removed: [],
      changed: [
        { name: 'moved', what: ['scope'], from_version: 1, to_version: 2, from_scope: 'web' },
      ],
    })
    const dry = await call('POST', `${project}/rollback`, { revision, dry_run: true })
    expect(dry.json()).toMatchObject({ revision, removed: [{ name: 'extra' }] })
    expect((await call('GET', `${secrets}/extra`)).status).toBe(200)
    await call('POST', `${project}/rollback`, { revision })
    expect((await call('GET', `${secrets}/extra`)).status).toBe(404)
    const same = await call('GET', `${project}/revisions/diff?from=${revision}&to=head`)
    expect(same.json()).toEqual({ added: [], removed: [], changed: [] })
    expect(await head()).toBeGreaterThan(after!.revision)
    expect((await call('POST', `${project}/rollback`, { revision: 1, at: 'x' })).status).toBe(422)
  })

  it('goes back only over what a dry run has shown, where that is asked for', async () => {
    await write('steady', { value: 'a' })
    const [before] = await settled()
    await write('steady', { value: 'b' })
    const back = (body: object): Promise<Answer> =>
      call('POST', `${project}/rollback`, { revision: before!.revision, ...body })
    const plan = (await back({ dry_run: true })).json<{ set: string; changed: object[] }>()
    expect(plan.changed).toMatchObject([{ name: 'steady', what: ['value'] }])
    // Somebody else is faster, even within the same open revision.
    await write('meanwhile', { value: canary })
    const late = await back({ expected_set: plan.set })
    expect([late.status, late.json()]).toMatchObject([
      409,
      { detail: expect.stringContaining('changed since you looked') as string },
    ])
    expect((await call('GET', `${secrets}/meanwhile`)).status).toBe(200)
    const again = (await back({ dry_run: true })).json<{ set: string }>().set
    const both = await Promise.all([1, 2].map(() => back({ expected_set: again })))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    expect((await call('GET', `${secrets}/meanwhile`)).status).toBe(404)
  })

  it('takes the newest change back, also while its revision is still open', async () => {
    await call('POST', '/api/v1/projects', { name: 'undone' })
    const path = '/api/v1/projects/default%2Fundone'
    const undo = (): Promise<Answer> => call('POST', `${path}/rollback`, { revision: 'previous' })
    const secret = { key: 'A', value: 'one' }
    const { id } = (await call('POST', `${path}/secrets`, secret)).json<{ id: string }>()
    const value = async (): Promise<unknown> =>
      (await call('POST', `${path}/secrets/${id}/reveal`, {})).json<{ value: string }>().value
    // Nothing was before: it does not take everything away.
    expect((await undo()).status).toBe(404)
    // A batch closes its revision, a single write leaves it open for a moment.
    const operations = [{ op: 'update', id, value: 'two' }]
    await call('POST', `${path}/secrets/batch`, { operations })
    await call('PATCH', `${path}/secrets/${id}`, { value: 'three' })
    expect((await undo()).json()).toMatchObject({ changed: [{ key: 'A', what: ['value'] }] })
    expect(await value()).toBe('two')
  })

  it('reveals what one service sees', async () => {
    await write('shared', { value: 'for all' })
    await write('web-shared', { key: 'SHARED', value: 'for web', scope: 'web' })
    await write('bytes', { valueBase64: '/w==', type: 'file', file: { path: './x' }, scope: 'job' })
    const ask = async (body: object): Promise<Record<string, unknown>> => {
      const answer = await call('POST', `${project}/reveal`, body)
      const { secrets: all } = answer.json<{
        secrets: { key: string; value?: string; value_base64?: string }[]
      }>()
      return Object.fromEntries(all.map((s) => [s.key, s.value ?? s.value_base64]))
    }
    expect(await ask({ service: 'web', way: 'run' })).toMatchObject({ SHARED: 'for web' })
    expect(await ask({ service: 'api', way: 'run' })).toMatchObject({ SHARED: 'for all' })
    expect(await ask({ scope: 'job' })).toEqual({ BYTES: '/w==' })
  })
})

it('tells the sealing key, and opens what older ones sealed', async () => {
  const key = async (method = 'GET', path = '/api/v1/sealing-key'): Promise<string> =>
    (await call(method, path)).json<{ public_key: string }>().public_key
  const seal = (publicKey: string, name: string, value: string): string => {
    const place = { namespace: 'default', project: 'shop', key: name, scope: 'global' }
    return sealValue(parseSealingKey(publicKey), place, Buffer.from(value))
  }
  const uid = async (namespace: string): Promise<unknown> =>
    (await call('GET', `/api/v1/sealing-key?namespace=${namespace}`)).json<{
      namespace_uid?: string
    }>().namespace_uid
  const home = await call('GET', '/api/v1/namespaces/default')
  expect(await uid('default')).toBe(home.json<{ metadata: { uid: string } }>().metadata.uid)
  expect(await uid('none')).toBeUndefined()
  const old = await key()
  const renewed = await key('POST', '/api/v1/sealing-key/rotate')
  expect(renewed).not.toBe(old)
  expect(await key()).toBe(renewed)
  for (const [name, publicKey] of [['old', old] as const, ['new', renewed] as const]) {
    const answer = await write(name, { sealedValue: seal(publicKey, name.toUpperCase(), canary) })
    expect(answer.status).toBe(201)
    expect(answer.text).not.toContain('hpke1:')
    const revealed = await call('POST', `${project}/secrets/${name}/reveal`, {})
    expect(revealed.json()).toMatchObject({ value: canary })
  }
})

/** Revisions once the open one has closed. */
const settled = async (): Promise<{ revision: number }[]> => {
  for (;;) {
    const diff = await call('GET', `${project}/revisions/diff?from=head`)
    expect(diff.status).toBe(200)
    const { revisions } = (await call('GET', `${project}/revisions`)).json<{
      revisions: { revision: number }[]
    }>()
    const newest = revisions[0]?.revision ?? 0
    const open = await call('GET', `${project}/revisions/diff?from=${newest}`)
    if (Object.values(open.json<Record<string, unknown[]>>()).every((list) => list.length === 0))
      return revisions
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
