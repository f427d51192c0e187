import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../src/resources/meta.ts'
import { adviceOfAddress, adviceOfPlace, adviceOfValue, warningValues } from './warnings.ts'
import type { SecretPlace } from '../../src/secrets/place.ts'

const secret = (spec: object, status: object = {}): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name: 'one', namespace: 'team' },
  spec: { projectRef: { name: 'shop' }, key: 'PORT', scope: 'global', type: 'env', ...spec },
  status: { ...status },
})

const stagelet = (name: string, services: Record<string, string[]>): KubeObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Stagelet',
  metadata: { name, namespace: 'team' },
  spec: { environment: name },
  status: {
    services: Object.entries(services).map(([service, composeKeys]) => ({
      name: service,
      composeKeys,
    })),
  },
})

const stagelets = [
  stagelet('prod', { backend: ['PORT'], web: [] }),
  stagelet('preview', { backend: [], web: ['PORT'] }),
]
const place = async (
  object: KubeObject,
  {
    before,
    envSecrets = 5,
    others = [],
    isolated = [],
  }: {
    before?: KubeObject
    envSecrets?: number
    others?: readonly SecretPlace[]
    isolated?: readonly string[]
  } = {},
): Promise<string[]> => {
  const withKey = () => others.map((place, i) => ({ secretId: `other-${i}`, ...place }))
  const store = {
    projectSummary: () =>
      Promise.resolve({ stagelets, isolated, envSecrets, isDeclared: true, withKey }),
  }
  return (await adviceOfPlace(store, object, before)).map((a) => `${a.field}: ${a.message}`)
}

describe('advice of where a secret goes', () => {
  it('says that a database does not read a new value of its first password', async () => {
    const first = secret({ scope: 'web', key: 'POSTGRES_PASSWORD_FILE' })
    const stored = { ...first, status: { version: 1, bytes: 20 } }
    expect(await place(stored)).toEqual([])
    const changed = { ...first, status: { version: 2, bytes: 20 } }
    expect(await place(changed, { before: stored })).toEqual([
      'spec.value: POSTGRES_PASSWORD_FILE is read only while the data folder is empty: a new value changes nothing in the database; use a Rotation',
    ])
  })

  it('says that a key was kept to fewer services', async () => {
    const others = [{ scope: 'web', stagelet: 'prod' }, { scope: 'backend' }]
    const wide = secret({ key: 'A' })
    const message =
      'spec.scope: A was kept to service backend, service web of stagelet prod, and goes to all services now'
    expect(await place(wide, { others })).toEqual([message])
    expect(await place(wide, { others: [...others, { scope: 'global' }] })).toEqual([])
    expect(await place(secret({ key: 'A', scope: 'web' }), { others: [others[1]!] })).toEqual([])
    expect(await place(wide, { before: secret({ key: 'A', scope: 'web' }) })).toEqual([
      'spec.scope: A was kept to service web, and goes to all services now',
    ])
    expect(await place(secret({ key: 'A', audience: 'Controller' }), { others })).toEqual([])
  })

  it('names the service that a misspelt scope probably means', async () => {
    expect(await place(secret({ scope: 'bakend', key: 'A' }))).toEqual([
      'spec.scope: no service has the name "bakend"; did you mean "backend"?',
    ])
    expect(await place(secret({ scope: 'queue', key: 'A' }))).toEqual([
      'spec.scope: no service has the name "queue"; there are backend, web',
    ])
    const own = secret({ scope: 'web', key: 'A', stageletRef: { name: 'prod' } })
    expect(await place(own)).toEqual([])
  })

  it('says where the compose file sets the key too, and which one wins', async () => {
    expect(await place(secret({}))).toEqual([
      'spec.key: the compose file (or an env_file) of prod/backend, preview/web sets PORT as well: the secret wins',
    ])
    expect(await place(secret({ scope: 'web' }))).toEqual([
      'spec.key: the compose file (or an env_file) of preview/web sets PORT as well: the secret wins',
    ])
    expect(await place(secret({ scope: 'web', stageletRef: { name: 'prod' } }))).toEqual([])
    expect(await place(secret({ type: 'file' }))).toEqual([])
  })

  it('leaves out the services of environments that inherit nothing', async () => {
    const isolated = ['preview']
    expect(await place(secret({ scope: 'web' }), { isolated })).toEqual([])
    expect(await place(secret({ environments: ['preview'] }), { isolated })).toEqual([
      'spec.key: the compose file (or an env_file) of preview/web sets PORT as well: the secret wins',
    ])
    expect(
      await place(secret({ scope: 'web', stageletRef: { name: 'preview' } }), { isolated }),
    ).toEqual([
      'spec.key: the compose file (or an env_file) of preview/web sets PORT as well: the secret wins',
    ])
  })

  it('says nothing of the place again where only the value is new', async () => {
    const before = secret({ scope: 'bakend' })
    expect(await place(secret({ scope: 'bakend' }), { before, envSecrets: 1 })).toEqual([])
    expect(await place(secret({ scope: 'quux' }), { before })).toHaveLength(1)
  })

  it('tells of docker inspect for the first env secret of a project', async () => {
    const inspect = expect.stringContaining('docker inspect') as string
    expect(await place(secret({ key: 'A' }), { envSecrets: 1 })).toEqual([inspect])
    expect(await place(secret({ key: 'A' }), { envSecrets: 2 })).toEqual([])
    expect(await place(secret({ key: 'A', type: 'file' }), { envSecrets: 0 })).toEqual([])
  })

  it('finds more than 1 KiB odd, however the value came in, but not in a file', async () => {
    expect(await place(secret({ key: 'A' }, { bytes: 1024 }))).toEqual([])
    expect(await place(secret({ key: 'A' }, { bytes: 1025 }))).toEqual([
      expect.stringContaining('1025 bytes are much') as string,
    ])
    expect(await place(secret({ key: 'A', type: 'file' }, { bytes: 5000 }))).toEqual([])
  })
})

describe('advice of the length of what is stored', () => {
  const short = (field: string): string =>
    `${field}: shorter than 8 bytes, so it is not masked in what agents report`

  it('finds less than 8 bytes odd, however the value came in, once for each', async () => {
    const one = secret({ key: 'A' }, { bytes: 7, version: 1 })
    expect(await place(one)).toEqual([short('spec.value')])
    const generated = { key: 'A', valueFrom: { generate: { length: 4 } } }
    expect(await place(secret(generated, { bytes: 4 }))).toEqual([short('spec.valueFrom')])
    expect(await place(secret({ key: 'A', type: 'file' }, { bytes: 7 }))).toHaveLength(1)
    expect(await place(secret({ key: 'A' }, { bytes: 2, version: 2 }), { before: one })).toEqual([
      short('spec.value'),
    ])
    expect(await place({ ...one, metadata: { name: 'one' } }, { before: one })).toEqual([])
  })

  it('finds nothing odd in 8 bytes, in an empty value, in none, and in a template', async () => {
    for (const bytes of [8, 0, undefined])
      expect(await place(secret({ key: 'A' }, { bytes }))).toEqual([])
    expect(await place(secret({ key: 'A', references: true }, { bytes: 4 }))).toEqual([])
    expect(await place(secret({ key: 'A', visibility: 'Plain' }, { bytes: 4 }))).toEqual([])
  })
})

describe('advice of a value', () => {
  it.each([
    [{ value: 'long enough' }, 0],
    [{ value: '' }, 0],
    [{ value: 'two lines\nof text' }, 1],
    [{ valueBase64: 'Cg==' }, 1],
    [{ value: 'two lines\nof text', type: 'file' }, 0],
    [{ key: 'LOG_LEVEL', value: 'debug', visibility: 'Plain' }, 0],
    [{ key: 'DB_PASSWORD', value: 'hunter2', visibility: 'Plain' }, 1],
    [{ key: 'URL', value: 'postgres://app:hunter2@db', visibility: 'Plain' }, 1],
    [{ key: 'DB_PASSWORD', value: 'hunter2' }, 0],
    [{}, 0],
  ])('of %o counts %i', (given, count) => {
    expect(adviceOfValue(given)).toHaveLength(count)
  })

  it('becomes headers that clients take', () => {
    expect(warningValues(['a "b" \\ \u00fc\n'])).toEqual(['299 - "a \\"b\\" \\\\ ??"'])
    expect(warningValues(Array.from({ length: 30 }, (_, i) => `x ${i}`))).toHaveLength(20)
  })
})

describe('advice of where notices go', () => {
  const adviceFor = (webhook?: object): string[] =>
    adviceOfAddress({
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Notifier',
      metadata: { name: 'ops' },
      spec: { reasons: ['LeakFound'], ...(webhook && { webhook }) },
    }).map(({ field, message }) => `${field}: ${message}`)

  it('says of an address that nobody calls that it has to be allowed', () => {
    for (const host of ['127.0.0.1:9000', '[::1]', 'localhost', 'hooks.localhost', '169.254.1.1'])
      expect(adviceFor({ url: `http://${host}/s` }), host).toEqual([
        expect.stringMatching(/^spec\.webhook\.url: .*STAGELY_EGRESS_ALLOW/),
      ])
    expect(adviceFor({ url: 'https://hooks.example.com/s' })).toEqual([])
    expect(adviceFor({ url: 'https://10.0.0.7/s' })).toEqual([])
    expect(adviceFor()).toEqual([])
  })
})
