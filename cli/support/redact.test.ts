import { describe, expect, it } from 'vitest'
import { cleanObject, createRedactor, secretValues } from './redact.ts'

const mark = '***REDACTED***'
const redact = createRedactor(['known-canary-4711'])

describe('a redactor', () => {
  it.each([
    ['what it was told, plain', 'saw known-canary-4711 there', `saw ${mark} there`],
    ['what it was told, as base64', Buffer.from('-known-canary-4711-').toString('base64'), mark],
    [
      'tokens of people, machines and agents',
      'spt_AAAAAAAA-b_c sjt_eyJBBBBBBBB sst_AAAAAAAA-b_c',
      `${mark} ${mark}`,
    ],
    ['JSON Web Tokens', 'eyJhbGciOiJI.eyJzdWIi.c2ln', mark],
    ['headers', 'authorization was Bearer abcdefgh12', `authorization was Bearer ${mark}`],
    ['passwords in URLs', 'postgres://app:hunter2@db:5432/x', `postgres://${mark}@db:5432/x`],
    ['tokens in URLs', 'git clone https://hunter2@git.example/x', `https://${mark}@git.example/x`],
    ['assignments', 'DB_PASSWORD=hunter2 next', `DB_PASSWORD=${mark} next`],
    ['YAML', 'apiKey: hunter2\nname: web', `apiKey: ${mark}\nname: web`],
    ['JSON', '{"password":"hun\\"ter2","a":1}', `{"password":"${mark}","a":1}`],
    ['JSON within JSON', '"{\\"token\\":\\"hunter2\\"}"', `"{\\"token\\":\\"${mark}\\"}"`],
    ['private keys', '-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----', mark],
    ['private keys that are cut off', '-----BEGIN PRIVATE KEY-----\nMHcCAQ', mark],
  ])('hides %s', (_, text, shown) => {
    expect(redact(text)).toContain(shown)
    expect(redact(text)).not.toMatch(/hunter2|hun\\"ter2|MHcCAQ|4711/)
  })

  it.each([
    'spec:\n  key: DB_PASSWORD\n  scope: backend\n',
    'stagely_secrets{namespace="default"} 12\n',
    'the key provider does not answer: set STAGELY_SECRET_KEY',
    '{"kind":"StagelySecret","secrets":3,"token":null}',
    'https://stagely.example:8443/apis/stagely.dev/v1alpha1',
    'name: shop-db-token.global',
  ])('leaves alone what says something: %j', (text) => {
    expect(redact(text)).toBe(text)
  })
})

describe('the environment', () => {
  it('gives what must not be shown by the names of its variables', () => {
    const values = secretValues({
      STAGELY_SECRET_KEY: 'c2VjcmV0',
      DATABASE_URL: 'postgres://app:pw@db/x',
      VAULT_TOKEN: 'hvs.x',
      SSH_AUTH_SOCK: '/run/agent.sock',
      HOMEPAGE_URL: 'https://stagely.example',
      LANG: 'C.UTF-8',
    })
    expect(values).toEqual(['c2VjcmV0', 'postgres://app:pw@db/x', 'hvs.x'])
  })
})

describe('an object', () => {
  it('keeps spec, status and Stagely’s own annotations, and loses whatever could be a value', () => {
    const object = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'StagelySecret',
      metadata: {
        name: 'a',
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{"value":"x"}}',
          'stagely.dev/retry': '1',
        },
        managedFields: [{ manager: 'm' }],
      },
      spec: { key: 'A', value: 'x', valueBase64: 'eA==', sealedValue: 'hpke1:x' },
      status: { version: 2 },
    }
    expect(cleanObject(object)).toEqual({
      ...object,
      metadata: {
        name: 'a',
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': mark,
          'stagely.dev/retry': '1',
        },
      },
      spec: { key: 'A', value: mark, valueBase64: mark, sealedValue: mark },
    })
  })

  it('that is a notifier says its host alone, as the path of a webhook may be its password', () => {
    const notifier = {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Notifier',
      metadata: { name: 'ops' },
      spec: { reasons: ['Expired'], webhook: { url: 'https://hooks.example.com:8443/T0/key' } },
    }
    expect(cleanObject(notifier)).toMatchObject({
      spec: { reasons: ['Expired'], webhook: { url: `https://hooks.example.com:8443/${mark}` } },
    })
  })

  it('hides the path of an address wherever the schema of the kind has one', () => {
    const rotator = { webhook: { url: 'https://hooks.example.com/T0/key', adopt: true } }
    const [metadata, kind] = [{ name: 'db' }, 'Rotation']
    const rotation = { apiVersion: 'stagely.dev/v1alpha1', kind, metadata, spec: { rotator } }
    expect(cleanObject(rotation)).toMatchObject({
      spec: { rotator: { webhook: { url: `https://hooks.example.com/${mark}`, adopt: true } } },
    })
  })
})
