// Each text of each kind has a canary in turn, and is really written. A field whose schema says that it holds a value is
// told nowhere, and one that holds an address only with its object. What else is told beyond its object is listed.
import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type * as z from 'zod'
import { holdingOf, type Holding } from '../../../src/resources/holdings.ts'
import { requireKind } from '../../../src/kinds/index.ts'
import { createCanaries } from '../../support/canaries.ts'
import { passes } from '../../support/eventually.ts'
import { leavesOf, typeOf } from '../../support/http/schema-leaves.ts'
import { bases } from '../../support/kube/good-specs.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import { loggerInto } from '../../support/programs/controller-here.ts'

type Spec = Record<string, unknown>

const group = '/apis/stagely.dev/v1alpha1/namespaces/default'
const pluralOf = (kind: string): string => requireKind(kind).plural
/** Of fields that hold something of a secret. */
const held = createCanaries()
const marked: { path: string; holds: Holding }[] = []
const form = /kanarie[0-9a-f]{16}/g
const fieldOf = new Map<string, string>()
/** By field, the statuses of the writes that tried it. */
const statuses = new Map<string, number[]>()
const logged: string[] = []
/** Answers to who has written a field are for them; so are refusals. */
let answers = ''
/** What everybody else may read, by where. */
const told: Record<string, string> = {}

/** What stores of which something is not there name in an event. */
const namedByStores = [
  'SecretStore.spec.auth.identity',
  'SecretStore.spec.auth.secretRef.name',
  'SecretStore.spec.command.name',
]

const fieldsIn = (where: string): string[] => [
  ...new Set(told[where]!.match(form)?.map((canary) => fieldOf.get(canary)!)),
]

const inBase64 = (canary: string): string => Buffer.from(`${canary}.`).toString('base64')

/** Texts with the canary that some field or other takes. */
const textsWith = (canary: string): string[] => [
  canary,
  `https://${canary}.example.com/${canary}`,
  `/${canary}`,
  `./${canary}`,
  `${canary}@example.com`,
  `-----BEGIN CERTIFICATE-----${canary}`,
  JSON.stringify({ keys: [{ kty: 'RSA', kid: canary }] }),
  `hpke2:0123456789abcdef:${inBase64(canary)}`,
  `@${canary}`,
]

const fits = (schema: z.ZodType, text: string): boolean => schema.safeParse(text).success

/** `spec` with the text at the path, and the lists and maps that lead there. */
const withText = (spec: Spec, path: string, text: string): Spec => {
  const copy = structuredClone(spec)
  const steps = path.replaceAll('[]', '.0').replaceAll('{}', '.any').split('.').slice(2)
  const last = steps.pop()!
  let at = copy
  for (const [i, step] of steps.entries())
    at = (at[step] ??= (steps[i + 1] ?? last) === '0' ? [] : {}) as Spec
  at[last] = text
  return copy
}

/** No two objects give one key, run in one folder or change one login. */
const apart = (kind: string, spec: Spec, n: number): Spec => {
  const of = spec['file'] as object | undefined
  const file = of && { ...of, path: `./${n}.json`, target: `/run/${n}` }
  if (kind === 'StagelySecret') return { ...spec, key: `K${n}`, ...(file && { file }) }
  if (kind === 'Stagelet') return { ...spec, agentRef: { name: `box-${n}` } }
  if (kind !== 'Rotation') return spec
  const { outputs, ...others } = spec as { outputs: object }
  const places = JSON.stringify(others)
    .replaceAll('"web"', `"web-${n}"`)
    .replaceAll('db.example.com', `db-${n}.example.com`)
    .replaceAll('"userName":"shop"', `"userName":"shop-${n}"`)
  const names = Object.entries(outputs).map(([output]) => [output, `${output.toLowerCase()}-${n}`])
  return { ...(JSON.parse(places) as Spec), outputs: Object.fromEntries(names) }
}

let server: TestController
let written = 0

const write = async (kind: string, spec: Spec): Promise<number> => {
  written += 1
  const metadata = { name: `o-${written}` }
  const body = { apiVersion: 'stagely.dev/v1alpha1', kind, metadata, spec }
  const { status, text } = await server.call('POST', `${group}/${pluralOf(kind)}`, { body })
  answers += `${text}\n`
  return status
}

const tryField = async (kind: string, path: string, schema: z.ZodType): Promise<void> => {
  const holds = holdingOf(schema)
  if (holds !== undefined) marked.push({ path, holds })
  const canary = `kanarie${randomBytes(8).toString('hex')}`
  const texts = path.endsWith('Base64') ? [inBase64(canary)] : textsWith(canary)
  const text = texts.find((one) => fits(schema, one))
  if (text === undefined) return
  fieldOf.set(canary, path)
  if (holds !== undefined) held.add(path, canary)
  const tried: number[] = []
  statuses.set(path, tried)
  for (const base of bases[kind]!) {
    const { value: _, valueBase64: __, valueFrom: ___, references: ____, ...others } = base
    for (const given of [base, { ...others, expiry: undefined }]) {
      const spec = withText(apart(kind, given, written), path, text)
      tried.push(await write(kind, spec))
      if (tried.at(-1) === 201) return
    }
  }
}

beforeAll(async () => {
  server = await startTestController({ log: loggerInto(logged) })
  await server.call('POST', `${group}/projects`, {
    body: { apiVersion: 'stagely.dev/v1alpha1', kind: 'Project', metadata: { name: 'shop' } },
  })
  for (const kind of Object.keys(bases))
    for (const { path, schema } of leavesOf(requireKind(kind).spec, `${kind}.spec`))
      if (typeOf(schema) === 'string' && !path.includes('{key}')) await tryField(kind, path, schema)
  await server.call('POST', '/api/v1/users', { body: { name: 'vera' } })
  const role = { body: { role: 'viewer' } }
  await server.call('PUT', '/api/v1/teams/default/members/vera', role)
  const made = await server.call('POST', '/api/v1/users/vera/tokens', { body: { name: 'own' } })
  const viewer = { authorization: `Bearer ${made.json<{ token: string }>().token}` }
  const read = async (path: string, headers = {}): Promise<string> => {
    const { status, text } = await server.call('GET', path, { headers })
    expect([path, status]).toEqual([path, 200])
    return text
  }
  const all = async (paths: readonly string[], headers = {}): Promise<string> =>
    (await Promise.all(paths.map((path) => read(path, headers)))).join('\n')
  const lists = Object.keys(bases).map((kind) => `${group}/${pluralOf(kind)}`)
  const watches = lists.map((path) => `${path}?watch=1&timeoutSeconds=1`)
  told['objects'] = await all(
    [...lists, ...watches, '/api/v1/projects', '/api/v1/notifiers'],
    viewer,
  )
  told['audit'] = await all(['/api/v1/audit?limit=1000', '/api/v1/audit/export'])
  // Each store names what it lacks once the controller has tried it.
  await passes(async () => {
    told['events'] = await all([`/api/v1/namespaces/default/events`, '/api/v1/activity'], viewer)
    expect(fieldsIn('events')).toEqual(expect.arrayContaining(namedByStores))
  })
  told['metrics'] = await all(['/metrics', '/readyz'])
  told['log'] = logged.join('\n')
  const chunks: Buffer[] = []
  const backup = await server.open('/api/v1/backup', { authorization: `Bearer ${server.token}` })
  for await (const chunk of backup) chunks.push(chunk as Buffer)
  told['backup'] = gunzipSync(Buffer.concat(chunks)).toString('utf8')
})
afterAll(() => server?.remove())

/** Names of what has to be there, and texts of a form that no canary has. */
const notTaken = [
  'Project.spec.environments[].name',
  'Project.spec.environments[].differsFrom[]',
  'Project.spec.preview.environment',
  'Project.spec.keyProvider',
  'AccessPolicy.spec.machines[]',
  'AccessPolicy.spec.breakGlass.users[]',
  'Rotation.spec.schedule.window.timezone',
  'TrustedIssuer.spec.jwks',
  'StagelySecret.spec.environments[]',
  'StagelySecret.spec.file.target',
  'StagelySecret.spec.sealedValue',
]

it('whatever the server takes is told to a viewer with its object, where it holds no value', () => {
  const isTaken = (path: string): boolean => statuses.get(path)!.includes(201)
  const fields = [...fieldOf.values()]
  expect(fields.filter((path) => !isTaken(path))).toEqual(notTaken)
  const read = new Set((told['objects']!.match(form) ?? []).map((one) => fieldOf.get(one)))
  const unread = fields.filter((path) => isTaken(path) && !read.has(path))
  expect(unread).toEqual(['StagelySecret.spec.value', 'StagelySecret.spec.valueBase64'])
})

it('what holds a value is told by nothing, and what holds an address with its object alone', () => {
  expect(marked.filter(({ path }) => !statuses.has(path))).toEqual([])
  const addresses = marked.flatMap(({ path, holds }) => (holds === 'address' ? [path] : []))
  const found = Object.entries({ ...told, answers }).flatMap(([where, text]) =>
    held.in(text).map((path) => ({ path, where })),
  )
  const withObject = ['objects', 'backup', 'answers']
  const leaks = found.filter(
    ({ path, where }) => !withObject.includes(where) || !addresses.includes(path),
  )
  expect(leaks).toEqual([])
})

it('of all other texts these alone are told beyond their object', () => {
  const found = ['audit', 'events', 'metrics', 'log'].flatMap((where) =>
    fieldsIn(where).map((field) => `${field}: ${where}`),
  )
  expect(found.sort()).toEqual([
    'AccessPolicy.spec.environments[]: audit',
    'AccessPolicy.spec.projects[]: audit',
    'Project.spec.secretPolicy.exempt[]: audit',
    ...namedByStores.map((path) => `${path}: events`),
    'Stagelet.spec.projectRef.name: events',
    'StagelySecret.spec.key: events',
    'StagelySecret.spec.projectRef.name: events',
  ])
})
