// Every field of a secret and of a project: written by REST and read by the Kubernetes-style API, and
// the other way round; made, changed and taken away. Generated from the schemas: a field that is added
// needs a sample here.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RestField } from '../../../src/resources/schemas/rest-fields.ts'
import { secretFields } from '../../../src/kinds/secret/rest-fields.ts'
import { projectFields } from '../../../controller/http/rest/kinds.ts'
import { parseSealingKey, sealValue } from '../../../src/protocol/sealed-value.ts'
import { projectSpec, rolloutSpec } from '../../../src/kinds/project/schema.ts'
import { keyRotationSpec } from '../../../src/kinds/project/key-rotation.ts'
import { secretPolicySpec } from '../../../src/kinds/secret/age.ts'
import { secretSamples as samples } from '../../support/secret-samples.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

type Fields = Record<string, unknown>
interface Kube {
  metadata: { name: string }
  spec: Fields
  status?: { version?: number; bytes?: number }
}

const kube = '/apis/stagely.dev/v1alpha1/namespaces/default'
let controller: TestController
let sealingKey: Buffer
let dir: string

const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
  const merge = path.startsWith('/apis') && method === 'PATCH'
  const headers: Record<string, string> = merge
    ? { 'content-type': 'application/merge-patch+json' }
    : {}
  return controller.call(method, path, { headers, ...(body === undefined ? {} : { body }) })
}
const ok = async (method: string, path: string, body?: unknown): Promise<Answer> => {
  const answer = await call(method, path, body)
  expect(answer.status, `${method} ${path} ${JSON.stringify(body)}: ${answer.text}`).toBeLessThan(
    300,
  )
  return answer
}
const restSecrets = '/api/v1/projects/default%2Ffields/secrets'
const kubeSecrets = `${kube}/stagelysecrets`
const readKube = async (name: string): Promise<Kube> =>
  (await ok('GET', `${kubeSecrets}/${name}`)).json<Kube>()
const readRest = async (name: string): Promise<Fields> =>
  (await ok('GET', `${restSecrets}/${name}`)).json()

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stagely-fields-'))
  writeFileSync(join(dir, 'cards.key'), Buffer.alloc(32, 5).toString('base64'))
  const providers = `cards: { provider: key-file, file: ${dir}/cards.key }`
  controller = await startTestController({
    argv: ['--rate-limit', '0'],
    env: { STAGELY_KEY_PROVIDERS: providers },
  })
  await ok('POST', '/api/v1/projects', {
    name: 'fields',
    environments: [{ name: 'preview' }, { name: 'staging' }],
  })
  await ok('POST', restSecrets, { key: 'SOURCE', value: 'a-value-of-another' })
  const { public_key: key } = (await ok('GET', '/api/v1/sealing-key')).json<{
    public_key: string
  }>()
  sealingKey = parseSealingKey(key)
})
afterAll(async () => {
  await controller.remove()
  rmSync(dir, { recursive: true })
})

const shown = secretFields.filter((field) => !field.writeOnly)
const hidden = secretFields.filter((field) => field.writeOnly)

let count = 0
/** What the field stands on, and what else has to change with it. */
const around = (name: string): { base: Fields; beside: Fields } => {
  const n = ++count
  const base = {
    key: `F_${n}`,
    // Of its own: two files of one service must not have one path.
    ...(name === 'scope' || name === 'audience' ? {} : { scope: `service-${n}` }),
    ...(name === 'value_from' ? {} : { value: '{}' }),
  }
  if (name === 'type') return { base, beside: { file_path: './of-type' } }
  if (name === 'pattern') return { base, beside: { format: 'regex' } }
  if (name === 'file_path') return { base: { ...base, type: 'file', file_path: './b' }, beside: {} }
  if (name.startsWith('file_'))
    return { base: { ...base, type: 'file', file_path: `./${name}` }, beside: {} }
  return { base, beside: {} }
}
const fieldNamed = (name: string): RestField => secretFields.find((field) => field.name === name)!

const specOf = (fields: Fields): Fields => {
  const spec: Fields = {}
  for (const [name, value] of Object.entries(fields)) {
    const [first = '', second] = fieldNamed(name).path
    spec[first] = second === undefined ? value : { ...(spec[first] as object), [second]: value }
  }
  return spec
}
const atPath = (spec: Fields, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Fields | undefined)?.[key], spec)

const makeByRest = async (fields: Fields): Promise<string> => {
  const { id } = (await ok('POST', restSecrets, fields)).json<{ id: string }>()
  return (await readRest(id))['name'] as string
}
const makeByKube = async (fields: Fields): Promise<string> => {
  const metadata = { name: `k-${++count}`, namespace: 'default' }
  const spec = { projectRef: { name: 'fields' }, ...specOf(fields) }
  await ok('POST', kubeSecrets, {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata,
    spec,
  })
  return metadata.name
}
/** A secret needs a path while it is a file; a value for the controller is never again one of services. */
const goesAlone = ({ name, removable }: RestField): boolean =>
  removable && name !== 'file_path' && name !== 'audience'
const taken = (name: string): Fields =>
  name === 'pattern' ? { pattern: null, format: null } : { [name]: null }

describe.each(shown.map((field) => [field.name, field] as const))(
  '%s of a secret',
  (name, field) => {
    it('is in this file', () => {
      expect(samples).toHaveProperty(name)
    })

    it('that is made here is there, and the other way round', async () => {
      const sample = name === 'key' ? `KEY_${++count}` : samples[name]
      const { base, beside } = around(name)
      const byRest = await makeByRest({ ...base, ...beside, [name]: sample })
      expect(atPath((await readKube(byRest)).spec, field.path)).toEqual(sample)
      const other = name === 'key' ? `KEY_${++count}` : samples[name]
      const { base: base2, beside: beside2 } = around(name)
      const byKube = await makeByKube({ ...base2, ...beside2, [name]: other })
      expect((await readRest(byKube))[name]).toEqual(other)
    })

    it('that is changed and taken away here is so there, and the other way round', async () => {
      const { base, beside } = around(name)
      const made = await makeByRest(base)
      if (name === 'key') {
        expect((await call('PATCH', `${restSecrets}/${made}`, { key: 'OTHER' })).status).toBe(422)
        const patch = { spec: { key: 'OTHER' } }
        expect((await call('PATCH', `${kubeSecrets}/${made}`, patch)).status).toBe(422)
        return
      }
      const change = { ...beside, [name]: samples[name] }
      await ok('PATCH', `${restSecrets}/${made}`, change)
      expect(atPath((await readKube(made)).spec, field.path)).toEqual(samples[name])
      const other = await makeByKube(around(name).base)
      await ok('PATCH', `${kubeSecrets}/${other}`, { spec: specOf(change) })
      expect((await readRest(other))[name]).toEqual(samples[name])
      if (!goesAlone(field)) return
      await ok('PATCH', `${restSecrets}/${made}`, taken(name))
      expect(atPath((await readKube(made)).spec, field.path)).toBeUndefined()
      const spec = name === 'stagelet' ? { stageletRef: null } : specOf(taken(name))
      await ok('PATCH', `${kubeSecrets}/${other}`, { spec })
      expect((await readRest(other))[name]).toBeUndefined()
    })
  },
)

describe.each(hidden.map(({ name }) => [name]))('%s of a secret', (name) => {
  const given = (key: string, text: string): unknown => {
    if (name === 'value') return text
    if (name === 'value_base64') return Buffer.from(text).toString('base64')
    const place = {
      namespace: 'default',
      project: 'fields',
      key,
      scope: 'global',
      stagelet: undefined,
    }
    return sealValue(sealingKey, place, Buffer.from(text))
  }

  it('that is given here counts there, and the other way round; neither shows it', async () => {
    const key = `V_${++count}`
    const byRest = await makeByRest({ key, [name]: given(key, 'first-value') })
    expect((await readKube(byRest)).status).toMatchObject({ version: 1, bytes: 11 })
    await ok('PATCH', `${restSecrets}/${byRest}`, { [name]: given(key, 'second-value') })
    const seen = await readKube(byRest)
    expect(seen.status).toMatchObject({ version: 2, bytes: 12 })
    const other = `V_${++count}`
    const byKube = await makeByKube({ key: other, [name]: given(other, 'first-value') })
    expect(await readRest(byKube)).toMatchObject({ version: 1, bytes: 11 })
    const spec = specOf({ [name]: given(other, 'second-value') })
    await ok('PATCH', `${kubeSecrets}/${byKube}`, { spec })
    const rest = await readRest(byKube)
    expect(rest).toMatchObject({ version: 2, bytes: 12 })
    for (const text of [JSON.stringify(seen), JSON.stringify(rest)])
      expect(text).not.toMatch(/(first|second)-value|hpke1:/)
  })
})

/** Path of a field by REST, by the Kubernetes-style API, and a value for it. */
const projectSamples: readonly (readonly [string, string, unknown])[] = [
  ['description', 'description', 'what it is'],
  ['environments', 'environments', [{ name: 'preview', inherits: 'Nothing' }]],
  ['key_provider', 'keyProvider', 'cards'],
  ['preview', 'preview', { environment: 'preview', from: 'shop', ttl: '48h', max: 3 }],
  ['rollout.max_concurrent', 'rollout.maxConcurrent', 3],
  ['rollout.progress_deadline_seconds', 'rollout.progressDeadlineSeconds', 77],
  ['rollout.on_failure', 'rollout.onFailure', 'Stop'],
  ['rollout.paused', 'rollout.paused', true],
  ['secret_policy.max_age', 'secretPolicy.maxAge', '60d'],
  ['secret_policy.exempt', 'secretPolicy.exempt', ['PUBLIC_URL']],
  ['secret_policy.enforce', 'secretPolicy.enforce', 'Refuse'],
  ['key_rotation.every', 'keyRotation.every', '60d'],
  ['key_rotation.enforce', 'keyRotation.enforce', true],
]
/** What the part needs beside. */
const needed: Readonly<Record<string, Fields>> = {
  secret_policy: { max_age: '90d' },
  secretPolicy: { maxAge: '90d' },
  key_rotation: { every: '90d' },
  keyRotation: { every: '90d' },
}
const nested = (path: string, value: unknown): Fields => {
  const [first = '', second] = path.split('.')
  // A template for previews is of an environment of the project.
  const listed =
    first === 'preview' && value !== null ? { environments: [{ name: 'preview' }] } : {}
  if (second === undefined) return { ...listed, [first]: value }
  return { [first]: { ...needed[first], [second]: value } }
}

describe('a project', () => {
  it('has all its fields in this file', () => {
    const { rollout: _r, secretPolicy: _s, keyRotation: _k, ...plain } = projectSpec.shape
    const names = [
      ...Object.keys(plain),
      ...Object.keys(rolloutSpec.shape).map((name) => `rollout.${name}`),
      ...Object.keys(secretPolicySpec.shape).map((name) => `secretPolicy.${name}`),
      ...Object.keys(keyRotationSpec.shape).map((name) => `keyRotation.${name}`),
    ]
    expect(projectSamples.map(([, name]) => name).sort()).toEqual(names.sort())
    expect(projectFields.map((field) => field.name).sort()).toEqual([
      'description',
      'environments',
      'key_provider',
      'key_rotation',
      'preview',
      'rollout',
      'secret_policy',
    ])
  })

  it.each(projectSamples)(
    'shows %s there as it is written here, and back',
    async (rest, path, sample) => {
      const [a, b] = [`p-${++count}`, `p-${++count}`]
      const restOf = async (name: string): Promise<Fields> =>
        (await ok('GET', `/api/v1/projects/default%2F${name}`)).json()
      const kubeOf = async (name: string): Promise<Fields> =>
        (await ok('GET', `${kube}/projects/${name}`)).json<Kube>().spec
      const at = (fields: Fields, where: string): unknown => atPath(fields, where.split('.'))
      await ok('POST', '/api/v1/projects', { name: a, ...nested(rest, sample) })
      expect(at(await kubeOf(a), path)).toEqual(sample)
      await ok('POST', `${kube}/projects`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Project',
        metadata: { name: b },
        spec: nested(path, sample),
      })
      expect(at(await restOf(b), rest)).toEqual(sample)
      const [top = ''] = path.split('.')
      await ok('PATCH', `/api/v1/projects/default%2F${a}`, nested(rest.split('.')[0] ?? '', null))
      expect(await kubeOf(a)).not.toHaveProperty(top)
      await ok('PATCH', `${kube}/projects/${b}`, { spec: { [top]: null } })
      expect(at(await restOf(b), rest)).toBeUndefined()
      await ok('PATCH', `/api/v1/projects/default%2F${a}`, nested(rest, sample))
      expect(at(await kubeOf(a), path)).toEqual(sample)
      await ok('PATCH', `${kube}/projects/${b}`, { spec: nested(path, sample) })
      expect(at(await restOf(b), rest)).toEqual(sample)
    },
  )

  it('names what is wrong in the words of the request', async () => {
    const answer = await call('POST', '/api/v1/projects', { name: 'no', key_provider: 'nowhere' })
    expect(answer.status).toBe(422)
    expect(answer.json()).toMatchObject({ errors: [{ field: 'key_provider' }] })
    const bad = { name: 'no', rollout: { max_concurrent: 0, maxConcurrent: 1 } }
    const { errors } = (await call('POST', '/api/v1/projects', bad)).json<{
      errors: { field: string }[]
    }>()
    expect(errors.map(({ field }) => field).sort()).toEqual([
      'rollout.maxConcurrent',
      'rollout.max_concurrent',
    ])
  })
})
