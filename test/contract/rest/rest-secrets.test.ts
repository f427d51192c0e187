// Secrets by REST: the product text's examples as written, and one world with the other API. Its
// fields: rest-kube-fields.test.ts.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { secretFields } from '../../../src/kinds/secret/rest-fields.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const run = promisify(execFile)

let controller: TestController
let folder: string
let shop: string
const call = (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> =>
  controller.call(method, path, { headers, ...(body === undefined ? {} : { body }) })

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
const kubeSecrets = `${kube}/stagelysecrets`

interface Secret {
  id: string
  name: string
  [field: string]: unknown
}

interface StagelySecret {
  metadata: { name: string; uid: string }
  spec: Record<string, unknown>
  status: { version: number }
}

const makeProject = async (name: string): Promise<string> =>
  (await call('POST', '/api/v1/projects', { name })).json<{ id: string }>().id

const until = async (what: () => Promise<boolean>): Promise<void> => {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stagely-manifests-'))
  await writeFile(
    join(folder, 'owned.yaml'),
    `apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: {name: owned, namespace: default}
spec: {}
---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: closed, namespace: default}
spec: {projectRef: {name: owned}, key: CLOSED, value: said-by-the-manifest}
---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: open, namespace: default}
spec: {projectRef: {name: owned}, key: OPEN}
`,
  )
  controller = await startTestController({ argv: ['--manifests', folder] })
  shop = await makeProject('shop')
})

afterAll(async () => {
  await controller.remove()
  await rm(folder, { recursive: true, force: true })
})

/** As a person types it: curl, with the body as an argument. Resolves with status and body. */
const curl = async (
  ...args: string[]
): Promise<{ status: number; body: Record<string, unknown> }> => {
  const ca = join(controller.dataDir, 'ca.crt')
  const bearer = `Authorization: Bearer ${controller.token}`
  const { stdout } = await run('curl', [
    ...['-sS', '--cacert', ca, '-w', '\n%{http_code}', '-H', bearer],
    ...['-H', 'Content-Type: application/json'],
    ...args,
  ])
  const [body = '', status = ''] = stdout.split('\n')
  return { status: Number(status), body: JSON.parse(body) as Record<string, unknown> }
}

describe('the examples of the product text, by curl', () => {
  it('answer what is written there', async () => {
    const url = `${controller.url}/api/v1/projects/${shop}/secrets`
    const written = {
      key: 'STRIPE_SECRET_KEY',
      value: 'sk_test_abc123',
      scope: 'backend',
      type: 'env',
    }
    const anId = expect.stringMatching(/^sec_[0-9a-z]+$/) as string
    const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string
    const seen = { id: anId, key: written.key, scope: 'backend' }

    const created = await curl('-X', 'POST', url, '-d', JSON.stringify(written))
    expect(created.status).toBe(201)
    expect(created.body).toEqual({ ...seen, type: 'env', created_at: aTime })

    const listed = await curl(url)
    expect(listed.status).toBe(200)
    const times = { created_at: aTime, updated_at: aTime }
    expect(listed.body).toEqual({ secrets: [{ ...seen, type: 'env', ...times }] })

    const one = `${url}/${created.body['id'] as string}`
    const updated = await curl('-X', 'PATCH', one, '-d', '{"value":"sk_live_new_key"}')
    expect(updated.status).toBe(200)
    expect(updated.body).toEqual({ ...seen, updated_at: aTime })

    expect(await curl('-X', 'DELETE', one)).toEqual({ status: 200, body: { status: 'deleted' } })
    expect((await curl(url)).body).toEqual({ secrets: [] })
  })

  it('take a file secret by the names of the columns', async () => {
    const path = `/api/v1/projects/${shop}/secrets`
    const answer = await call('POST', path, {
      key: 'FIREBASE_CREDENTIALS',
      value: '{"type": "service_account"}',
      scope: 'backend',
      secret_type: 'file',
      file_path: './config/firebase-admin.json',
      file_permissions: '0600',
    })
    expect(answer.status).toBe(201)
    expect(answer.json()).toMatchObject({
      type: 'file',
      file_path: './config/firebase-admin.json',
      file_permissions: '0600',
    })
    expect(answer.text).not.toContain('service_account')
  })
})

describe('one world with the Kubernetes-style API', () => {
  it('names the object by key and scope, and keeps versions and managers', async () => {
    const body = { key: 'DATABASE_URL', value: 'postgres://one' }
    const path = `/api/v1/projects/${shop}/secrets`
    const { id } = (await call('POST', path, body)).json<Secret>()
    const read = async (): Promise<StagelySecret> =>
      (await call('GET', `${kubeSecrets}/database-url.global`)).json<StagelySecret>()
    expect((await read()).status.version).toBe(1)
    await call('PATCH', `${path}/${id}`, { value: 'postgres://one' })
    expect((await read()).status.version).toBe(1)
    await call('PATCH', `${path}/${id}`, { value: 'postgres://two', scope: 'backend' })
    expect(await read()).toMatchObject({ spec: { scope: 'backend' }, status: { version: 2 } })
    const { metadata } = (await read()) as unknown as {
      metadata: { managedFields: { manager: string }[] }
    }
    expect(metadata.managedFields.map((entry) => entry.manager).sort()).toEqual([
      'stagely-controller',
      'stagely-rest',
    ])
    const again = await call('POST', path, { ...body, scope: 'backend' })
    expect(again.status).toBe(422)
    expect(again.json()).toMatchObject({
      errors: [{ field: 'key', reason: 'FieldValueDuplicate' }],
    })
  })

  it('gives two projects of a team the same key', async () => {
    const other = await makeProject('blog')
    const body = { key: 'SHARED', value: 'shared-value' }
    for (const project of [shop, other])
      expect((await call('POST', `/api/v1/projects/${project}/secrets`, body)).status).toBe(201)
    const [secret] = (
      await call('GET', `/api/v1/projects/${other}/secrets?view=full&key=SHARED`)
    ).json<{ secrets: Secret[] }>().secrets
    expect(secret?.name).toBe('shared.global.blog')
    expect((await call('GET', `/api/v1/projects/${shop}/secrets/${secret!.id}`)).status).toBe(404)
  })
})

describe('a secret of a folder of manifests', () => {
  const path = '/api/v1/projects/default%2Fowned/secrets'

  it('refuses a change and says who owns it', async () => {
    await until(async () => (await call('GET', `${path}/closed`)).status === 200)
    for (const change of [{ value: 'another-value' }, { scope: 'backend' }]) {
      const answer = await call('PATCH', `${path}/closed`, change)
      expect(answer.status).toBe(409)
      expect(answer.text).toContain(`owned by folder:${folder}`)
    }
    expect((await call('DELETE', `${path}/open`)).status).toBe(409)
    expect((await call('PATCH', `${path}/open`, { scope: 'backend' })).status).toBe(409)
  })

  it('takes the value that its manifest leaves open, and keeps it', async () => {
    expect((await call('PATCH', `${path}/open`, { value: 'given-by-rest' })).status).toBe(200)
    // A line less in the manifest leaves this value open too.
    const manifest = `apiVersion: stagely.dev/v1alpha1
kind: Project
metadata: {name: owned, namespace: default}
spec: {}
---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: closed, namespace: default}
spec: {projectRef: {name: owned}, key: CLOSED}
---
apiVersion: stagely.dev/v1alpha1
kind: StagelySecret
metadata: {name: open, namespace: default}
spec: {projectRef: {name: owned}, key: OPEN}
`
    await writeFile(join(folder, 'owned.yaml'), manifest)
    await until(
      async () => (await call('PATCH', `${path}/closed`, { value: 'now-open' })).status === 200,
    )
    const open = (await call('GET', `${path}/open`)).json<Secret>()
    expect(open).toMatchObject({ version: 1, source: `folder:${folder}` })
  })
})

describe('a batch', () => {
  const batch = (operations: object[]): Promise<Answer> =>
    call('POST', '/api/v1/projects/default%2Fbatch/secrets/batch', { operations })

  it('is one revision, or nothing with every fault at its place', async () => {
    const project = await makeProject('batch')
    const revision = async (): Promise<number> =>
      (await call('GET', `/api/v1/projects/${project}`)).json<{ revision: number }>().revision
    const made = await batch([
      { op: 'create', key: 'A', value: 'value-of-a' },
      { op: 'create', key: 'B', value: 'value-of-b', scope: 'backend' },
    ])
    expect(made.status).toBe(200)
    const warnings = (answer: Answer): string[] =>
      [...(answer.headers['warning'] ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(
        ([, text]) => text!,
      )
    // Said for the first secret of a project, whichever way it came.
    expect(warnings(made)).toEqual([expect.stringMatching(/^operations\[0\]\.type: .*inspect/)])
    await until(async () => (await revision()) === 1)
    const odd = await batch([
      { op: 'create', key: 'SHORT', value: 'abc' },
      { op: 'create', key: 'FINE', value: 'long-enough-for-a-mask' },
      { op: 'create', key: 'LINES', value: `first line\n${'x'.repeat(2_000)}` },
    ])
    expect(warnings(odd)).toEqual([
      expect.stringMatching(/^operations\[0\]\.value: shorter than 8/),
      expect.stringMatching(/^operations\[2\]\.value: holds a line break/),
      expect.stringMatching(/^operations\[2\]\.value: 2011 bytes/),
    ])
    await until(async () => (await revision()) === 2)
    const [a, b] = made.json<{ results: Secret[] }>().results
    const refused = await batch([
      { op: 'update', id: a!.id, value: 'another-a' },
      { op: 'create', key: 'A', value: 'twice' },
      { op: 'delete', id: 'sec_0000000000000000000000000' },
      { op: 'update', id: b!.id, key: 'C', if_match: '1' },
    ])
    expect(refused.status).toBe(422)
    const { errors } = refused.json<{ errors: { field: string }[] }>()
    expect(errors.map((e) => e.field)).toEqual([
      'operations[1].key',
      'operations[2]',
      'operations[3]',
    ])
    const after = await call('GET', `/api/v1/projects/${project}/secrets/${a!.id}`)
    expect(after.json()).toMatchObject({ version: 1 })
    const done = await batch([
      { op: 'update', id: a!.id, value: 'another-a' },
      { op: 'delete', id: b!.id },
    ])
    expect(done.json()).toMatchObject({ results: [{ op: 'update' }, { op: 'delete', id: b!.id }] })
    await until(async () => (await revision()) === 3)
  })
})

describe('a fault', () => {
  it('speaks of fields as the request names them', async () => {
    const faults = async (path: string, body: object): Promise<string[]> => {
      const { errors } = (await call('POST', path, body)).json<{
        errors: { field: string; message: string }[]
      }>()
      return errors.map(({ field, message }) => `${field}: ${message}`)
    }
    const secrets = `/api/v1/projects/${shop}/secrets`
    expect(await faults(secrets, { key: 'TWICE', value: 'a', value_base64: 'YQ==' })).toEqual([
      'value_base64: Forbidden: give at most one of value, value_base64, sealed_value and value_from; value is given as well',
    ])
    expect(await faults(secrets, { key: 'NOWHERE', value: 'a', type: 'file' })).toEqual([
      'file_path: Required value: a file secret needs file_path or file_target',
    ])
    const past = { name: 'past', expires_at: '2020-01-01T00:00:00Z' }
    expect(await faults('/api/v1/tokens', past)).toEqual([
      'expires_at: Invalid value: must be a time to come',
    ])
  })
})

describe('bodies of all kinds', () => {
  const canary = 'canary-5f1c9a'
  const pieces: unknown[] = [
    ...[null, true, 0, -1, 1e21, '', 'x', 'GLOBAL', '0600', 'é\u0000', '\ud800', [], {}, [canary]],
    { value: canary },
    'a'.repeat(300),
    { __proto__: null, constructor: canary },
  ]

  it('never break the server, and no message repeats a value', async () => {
    const path = `/api/v1/projects/${shop}/secrets`
    const names = [...secretFields.map((field) => field.name), 'secret_type', 'unknown']
    // A fixed walk over fields and pieces: the same bodies on every run.
    const bodies = names.flatMap((name, n) =>
      pieces.map((piece, p) => ({
        key: `FUZZ_${n}_${p}`,
        value: canary,
        ...(p % 3 === 0 ? { value_base64: canary } : {}),
        [name]: piece,
      })),
    )
    const statuses = new Map<number, number>()
    for (const body of [...bodies, ...pieces]) {
      const made = await call('POST', path, body)
      statuses.set(made.status, (statuses.get(made.status) ?? 0) + 1)
      expect(made.status, JSON.stringify(body)).toBeLessThan(500)
      expect(made.text, JSON.stringify(body)).not.toContain(canary)
    }
    expect([...statuses.keys()].sort()).toEqual([201, 422])
  })
})
