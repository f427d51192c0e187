// Server-side apply and the owners of fields, by plain requests and by real kubectl.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { createKubectl, type Kubectl } from '../../support/kubectl/run.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const inNamespace = `/apis/${apiVersion}/namespaces/default`
const apply = { 'content-type': 'application/apply-patch+yaml' }

interface Entry {
  manager: string
  operation: string
  subresource?: string
  fieldsV1: object
}
interface Wire {
  metadata: {
    resourceVersion: string
    generation: number
    managedFields: Entry[]
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  spec: Record<string, unknown>
  status?: Record<string, unknown>
}

let server: TestController
beforeAll(async () => {
  server = await startTestController()
  await applyAs('setup', project('shop', { description: 'Shop' }))
})
afterAll(() => server.remove())

const manifest = (kind: string, name: string, spec: object, metadata: object = {}) => ({
  apiVersion,
  kind,
  metadata: { name, ...metadata },
  spec,
})
const project = (name: string, spec: object, metadata: object = {}) =>
  manifest('Project', name, spec, metadata)
const stagelet = (name: string, compose: object, metadata: object = {}) =>
  manifest(
    'Stagelet',
    name,
    { projectRef: { name: 'shop' }, agentRef: { name: 'box' }, compose },
    metadata,
  )
const pathOf = ({ kind, metadata }: ReturnType<typeof manifest>): string =>
  `${inNamespace}/${kind.toLowerCase()}s/${metadata.name}`
const applyAs = (
  manager: string,
  object: ReturnType<typeof manifest>,
  query = '',
): Promise<Answer> =>
  server.call('PATCH', `${pathOf(object)}?fieldManager=${manager}${query}`, {
    body: object,
    headers: apply,
  })
const reporting = 'stagely-controller Update status'
const allOwners = (answer: Answer): string[] =>
  answer
    .json<Wire>()
    .metadata.managedFields.map((m) => `${m.manager} ${m.operation} ${m.subresource ?? ''}`.trim())
/** Without the controller, which reports when it has something to say. */
const owners = (answer: Answer): string[] => allOwners(answer).filter((o) => o !== reporting)

describe('an apply request', () => {
  it('creates, changes, and writes nothing when nothing changes', async () => {
    const one = project('one', { description: 'a' }, { labels: { x: '1' } })
    const made = await applyAs('alice', one)
    expect(made.status).toBe(201)
    expect(made.json<Wire>().metadata.managedFields).toMatchObject([
      {
        manager: 'alice',
        operation: 'Apply',
        apiVersion,
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:x': {} } },
          'f:spec': { 'f:description': {} },
        },
      },
    ])
    // The project's loop may write status meanwhile: so of a kind that has none to write.
    const note = manifest('Agent', 'quiet', {})
    const { metadata } = (await applyAs('alice', note)).json<Wire>()
    expect((await applyAs('alice', note)).json<Wire>().metadata).toEqual(metadata)
    const same = await applyAs('alice', one)
    expect(same.status).toBe(200)
    expect(same.json<Wire>().metadata.managedFields[0]).toEqual(
      made.json<Wire>().metadata.managedFields[0],
    )
    const changed = await applyAs('alice', project('one', { description: 'b' }))
    expect(changed.json<Wire>()).toMatchObject({
      spec: { description: 'b' },
      metadata: { generation: 2 },
    })
    expect(changed.json<Wire>().metadata).not.toHaveProperty('labels')
  })

  it('is told of every field that others own, and may take them', async () => {
    await applyAs('alice', stagelet('c', { directory: '/c', files: ['a.yaml'] }))
    const mine = stagelet('c', { directory: '/d', files: ['b.yaml'] })
    const refused = await applyAs('bob', mine)
    expect(refused.json()).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'Apply failed with 2 conflicts: conflicts with "alice":\n- .spec.compose.directory\n- .spec.compose.files',
      reason: 'Conflict',
      details: {
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "alice"',
            field: '.spec.compose.directory',
          },
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "alice"',
            field: '.spec.compose.files',
          },
        ],
      },
      code: 409,
    })
    const forced = await applyAs('bob', mine, '&force=true')
    expect(forced.json<Wire>().spec).toMatchObject({ compose: { directory: '/d' } })
    expect(owners(forced)).toEqual(['alice Apply', 'bob Apply'])
  })

  it('conflicts with what was patched meanwhile, by the name of the client', async () => {
    const object = project('patched', { description: 'a' })
    await applyAs('alice', object)
    const patched = await server.call('PATCH', pathOf(object), {
      body: { spec: { description: 'b' } },
      headers: { 'content-type': 'application/merge-patch+json', 'user-agent': 'robot/1.0 (x)' },
    })
    expect(owners(patched)).toEqual(['robot Update'])
    expect((await applyAs('alice', object)).json()).toMatchObject({
      message: `Apply failed with 1 conflict: conflict with "robot" using ${apiVersion}: .spec.description`,
    })
  })

  it('is refused with the reason when it cannot be one', async () => {
    const object = project('one', { description: 'a' })
    const send = (body: object, query = 'fieldManager=m'): Promise<Answer> =>
      server.call('PATCH', `${pathOf(object)}?${query}`, { body, headers: apply })
    expect((await send(object, '')).json()).toMatchObject({
      code: 422,
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      details: { causes: [{ field: 'fieldManager', reason: 'FieldValueRequired' }] },
    })
    const managed = { ...object, metadata: { name: 'one', managedFields: [] } }
    expect((await send(managed)).json()).toMatchObject({
      code: 400,
      message: 'metadata.managedFields must be nil',
    })
    expect((await send({ ...object, metadata: { name: 'zzz' } })).json()).toMatchObject({
      code: 400,
      message: 'the name of the object (zzz) does not match the name on the URL (one)',
    })
    expect((await send({ metadata: { name: 'one' } })).json()).toMatchObject({
      code: 400,
      message: expect.stringContaining('invalid object type') as string,
    })
    expect((await send(project('one', { odd: 1 }))).json()).toMatchObject({
      code: 400,
      message:
        'failed to create typed patch object (default/one; stagely.dev/v1alpha1, Kind=Project): .spec.odd: field not declared in schema',
    })
    const stale = project('one', { description: 'z' }, { resourceVersion: '1' })
    expect((await send(stale)).json()).toMatchObject({ code: 409, reason: 'Conflict' })
    const gone = project('gone', {}, { uid: '11111111-1111-4111-8111-111111111111' })
    const again = await server.call('PATCH', `${pathOf(gone)}?fieldManager=m`, {
      body: gone,
      headers: apply,
    })
    expect(again.json()).toMatchObject({ code: 409, reason: 'Conflict' })
    expect(
      (await send(project('one', { description: 7 }), 'fieldManager=m&force=true')).json(),
    ).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'spec.description' }] },
    })
    const json = await server.call('PATCH', `${pathOf(object)}?force=true`, {
      body: {},
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(json.status).toBe(422)
  })

  it('may be YAML, and is read as kubectl reads it', async () => {
    const raw = `apiVersion: ${apiVersion}\nkind: Project\nmetadata: {name: yaml}\nspec: {description: by hand}\n`
    const answer = await server.call('PATCH', `${inNamespace}/projects/yaml?fieldManager=me`, {
      raw,
      headers: apply,
    })
    expect(answer.json<Wire>().spec).toEqual({ description: 'by hand' })
  })

  it('stores nothing in a dry run', async () => {
    const dry = await applyAs('alice', project('dry', {}), '&dryRun=All')
    expect(dry.status).toBe(201)
    expect(dry.json<Wire>().metadata).not.toHaveProperty('resourceVersion')
    expect((await server.call('GET', `${inNamespace}/projects/dry`)).status).toBe(404)
  })

  it('of status owns conditions one by one', async () => {
    const path = `${inNamespace}/agents/box`
    await applyAs('setup', manifest('Agent', 'box', {}))
    const condition = (type: string, status: string): object => ({
      type,
      status,
      reason: 'R',
      message: 'm',
      lastTransitionTime: '2026-11-24T12:00:00Z',
    })
    const send = (manager: string, conditions: object[], query = ''): Promise<Answer> =>
      server.call('PATCH', `${path}/status?fieldManager=${manager}${query}`, {
        body: { apiVersion, kind: 'Agent', metadata: { name: 'box' }, status: { conditions } },
        headers: apply,
      })
    await send('a', [condition('One', 'True')])
    const both = await send('b', [condition('Two', 'True')])
    expect(both.json<Wire>().status).toMatchObject({
      conditions: [{ type: 'One' }, { type: 'Two' }],
    })
    expect(owners(both).sort()).toEqual(['a Apply status', 'b Apply status', 'setup Apply'])
    expect((await send('b', [condition('One', 'False')])).json()).toMatchObject({
      message:
        'Apply failed with 1 conflict: conflict with "a" with subresource "status": .status.conditions[type="One"].status',
    })
    const gone = await send('a', [])
    expect(gone.json<Wire>().status).toMatchObject({ conditions: [{ type: 'Two' }] })
  })

  it('finds the controller as the owner of what it reports', async () => {
    await applyAs('setup', project('reported', {}))
    const secret = { projectRef: { name: 'reported' }, key: 'KEY', value: 'a long enough value' }
    const made = await applyAs('setup', manifest('StagelySecret', 'reported', secret))
    expect(allOwners(made)).toEqual(['setup Apply', reporting])
    const entry = made.json<Wire>().metadata.managedFields[1]!
    expect(entry.fieldsV1).toMatchObject({
      'f:status': {
        'f:version': {},
        'f:conditions': { 'k:{"type":"Accepted"}': { 'f:reason': {} } },
      },
    })
    const path = `${inNamespace}/stagelysecrets/reported/status`
    const body = {
      apiVersion,
      kind: 'StagelySecret',
      metadata: { name: 'reported' },
      status: { bytes: 1 },
    }
    const refused = await server.call('PATCH', `${path}?fieldManager=ann`, { body, headers: apply })
    expect(refused.status).toBe(409)
    expect(refused.json()).toMatchObject({
      message: `Apply failed with 1 conflict: conflict with "stagely-controller" with subresource "status" using ${apiVersion}: .status.bytes`,
    })
    const forced = await server.call('PATCH', `${path}?fieldManager=ann&force=true`, {
      body,
      headers: apply,
    })
    expect(owners(forced)).toContain('ann Apply status')
    // What the controller then says anew is its own again.
    const value = { ...secret, value: 'another, longer value' }
    const again = await applyAs('setup', manifest('StagelySecret', 'reported', value))
    expect(again.json<Wire>().status).toMatchObject({ version: 2, bytes: 21 })
    expect(allOwners(again)).toEqual(['setup Apply', reporting])
  })

  it('leaves what was there before the first one to "before-first-apply"', async () => {
    const object = project('older', { description: 'a' })
    await server.call('POST', `${inNamespace}/projects`, { body: object })
    const cleared = await server.call('PATCH', pathOf(object), {
      body: { metadata: { managedFields: [{}] } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(cleared.json<Wire>().metadata).not.toHaveProperty('managedFields')
    expect((await applyAs('me', project('older', { description: 'b' }))).json()).toMatchObject({
      message: `Apply failed with 1 conflict: conflict with "before-first-apply" using ${apiVersion}: .spec.description`,
    })
  })
})

describe('an applied secret', () => {
  const secret = (value?: string): ReturnType<typeof manifest> =>
    manifest('StagelySecret', 'token', {
      projectRef: { name: 'shop' },
      key: 'TOKEN',
      ...(value === undefined ? {} : { value }),
    })
  const version = (answer: Answer): unknown => answer.json<Wire>().status?.['version']

  it('owns its value by name, shows it nowhere, and keeps it when it is no longer said', async () => {
    const canary = 'canary-ssa-51c'
    const made = await applyAs('alice', secret(canary))
    expect(made.json<Wire>().metadata.managedFields[0]!.fieldsV1).toMatchObject({
      'f:spec': { 'f:value': {} },
    })
    const same = await applyAs('alice', secret(canary))
    expect(same.json<Wire>().metadata.generation).toBe(1)
    expect(version(same)).toBe(1)
    const shared = await applyAs('bob', secret(canary))
    expect(shared.status).toBe(200)
    const refused = await applyAs('bob', secret(`${canary}-2`))
    expect(refused.json()).toMatchObject({
      message: 'Apply failed with 1 conflict: conflict with "alice": .spec.value',
    })
    const forced = await applyAs('bob', secret(`${canary}-2`), '&force=true')
    expect(version(forced)).toBe(2)
    const silent = await applyAs('bob', secret())
    expect(version(silent)).toBe(2)
    const [alice, bob] = silent.json<Wire>().metadata.managedFields
    for (const entry of [alice, bob])
      expect(JSON.stringify(entry!.fieldsV1)).not.toContain('f:value')
    for (const answer of [made, same, shared, refused, forced, silent])
      expect(answer.text).not.toContain(canary)
  })
})

describe('kubectl', () => {
  let kubectl: Kubectl
  beforeAll(async () => {
    kubectl = await createKubectl(await server.writeKubeConfig())
  })
  afterAll(() => kubectl.remove())

  it('applies on the server, and gives its advice on a conflict', async () => {
    const first = await kubectl.manifest(project('k', { description: 'one' }))
    const done = { code: 0, stdout: 'project.stagely.dev/k serverside-applied\n', stderr: '' }
    expect(await kubectl('apply', '--server-side', '-f', first)).toEqual(done)
    expect(await kubectl('apply', '--server-side', '-f', first)).toEqual(done)
    const second = await kubectl.manifest(project('k', { description: 'two' }))
    const args = ['apply', '--server-side', '--field-manager=bob', '-f', second]
    const { code, stderr } = await kubectl(...args)
    expect(code).toBe(1)
    expect(stderr).toContain(
      'error: Apply failed with 1 conflict: conflict with "kubectl": .spec.description\nPlease review the fields above',
    )
    expect(await kubectl(...args, '--force-conflicts')).toEqual(done)
    expect((await kubectl('get', 'project', 'k', '-o', 'yaml')).stdout).not.toContain('managed')
    expect(
      (await kubectl('get', 'project', 'k', '-o', 'yaml', '--show-managed-fields')).stdout,
    ).toContain('manager: bob')
    expect(await kubectl('diff', '--server-side', '--field-manager=bob', '-f', second)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  })

  it('takes over what it applied from the client, secrets too, and can go back', async () => {
    const canary = 'canary-migrate'
    const secret = (value: string): object =>
      manifest('StagelySecret', 'moved', {
        projectRef: { name: 'shop' },
        key: 'MOVED',
        value,
      })
    for (const [name, make] of [
      ['project', (text: string) => project('moved', { description: text })],
      ['stagelysecret', secret],
    ] as const) {
      expect((await kubectl('apply', '-f', await kubectl.manifest(make('one')))).stdout).toContain(
        'created',
      )
      const moved = await kubectl(
        'apply',
        '--server-side',
        '-f',
        await kubectl.manifest(make(canary)),
      )
      expect(moved).toMatchObject({ code: 0, stderr: '' })
      const { stdout } = await kubectl('get', name, 'moved', '-o', 'json', '--show-managed-fields')
      const { metadata } = JSON.parse(stdout) as Wire
      const appliers = metadata.managedFields.filter((m) => m.subresource !== 'status')
      expect(appliers.map((m) => `${m.manager} ${m.operation}`).sort()).toEqual([
        'kubectl Apply',
        'kubectl-last-applied Apply',
      ])
      const applied = metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration']
      if (name === 'project') expect(applied).toContain(canary)
      else expect(stdout).not.toContain(canary)
      const back = await kubectl('apply', '-f', await kubectl.manifest(make('the third value')))
      expect(back).toMatchObject({ code: 0, stderr: '' })
      expect(back.stdout).toContain('configured')
    }
    expect(
      (await kubectl('get', 'stagelysecret', 'moved', '-o', 'jsonpath={.status.version}')).stdout,
    ).toBe('3')
  })

  it('takes fields away that the manifest no longer has', async () => {
    const args = ['apply', '--server-side', '-f']
    await kubectl(
      ...args,
      await kubectl.manifest(project('r', { description: 'x' }, { labels: { a: 'b' } })),
    )
    await kubectl(...args, await kubectl.manifest(project('r', {})))
    const { stdout } = await kubectl('get', 'project', 'r', '-o', 'json')
    const object = JSON.parse(stdout) as Wire
    expect(object.spec).toEqual({})
    expect(object.metadata).not.toHaveProperty('labels')
  })
})
