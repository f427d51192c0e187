import { describe, expect, it } from 'vitest'
import { everyMsOf, secretStoreSpec } from './schema.ts'
import { decodeObject } from '../decode.ts'

const auth = { secretRef: { name: 'reader' } }
const aws = { region: 'eu-central-1' }
const good = { aws, auth }

const faultsOf = (kind: string, spec: object): string[] => {
  const input = { apiVersion: 'stagely.dev/v1alpha1', kind, metadata: { name: 'a' }, spec }
  const { faults, unknown } = decodeObject(input)
  return [...faults.map(({ field, message }) => `${field}: ${message}`), ...unknown].sort()
}
const ofStore = (spec: object): string[] => faultsOf('SecretStore', spec)
const external = (given: object): string[] =>
  faultsOf('StagelySecret', {
    projectRef: { name: 'shop' },
    key: 'TOKEN',
    valueFrom: { external: { store: 'aws', key: 'prod/db', ...given } },
  })

describe('a SecretStore', () => {
  it('is taken with one provider and a credential', () => {
    expect(ofStore(good)).toEqual([])
    expect(ofStore({ command: { name: 'bws' } })).toEqual([])
    expect(ofStore({ vault: { address: 'https://vault.example.com:8200' }, auth })).toEqual([])
  })

  it('is refused with all of its faults at once', () => {
    const faults = ofStore({
      aws,
      doppler: { project: 'p', config: 'prd' },
      auth: { secretRef: { name: 'a' }, identity: 'b' },
      allow: {},
      refresh: { every: '1s', maxCallsPerMinute: 0 },
    })
    expect(faults).toEqual([
      expect.stringMatching(/^spec\.allow\.projects: Required value/),
      expect.stringMatching(/^spec\.allow\.remote: Required value/),
      expect.stringMatching(/^spec\.auth: Forbidden: give exactly one of secretRef and identity/),
      expect.stringMatching(/^spec\.doppler: Forbidden: give exactly one of aws, vault/),
      expect.stringMatching(/^spec\.refresh\.every: .*30s at least/),
      expect.stringMatching(/^spec\.refresh\.maxCallsPerMinute: .*greater than or equal to 1/),
    ])
  })

  it('is refused without a provider, and without a credential', () => {
    expect(ofStore({})).toEqual([
      expect.stringMatching(/^spec\.auth: Required value: say by what the store knows/),
      expect.stringMatching(/^spec: Required value: give exactly one of/),
    ])
  })

  it('has no empty lists in allow', () => {
    expect(ofStore({ ...good, allow: { projects: [], remote: [] } })).toEqual([
      expect.stringMatching(/^spec\.allow\.projects: .*at least 1/),
      expect.stringMatching(/^spec\.allow\.remote: .*at least 1/),
    ])
  })

  it.each([
    'http://169.254.169.254/latest',
    'http://0xa9fea9fe/',
    'http://2852039166',
    'https://[fe80::1]',
    'https://[::ffff:169.254.169.254]',
    'http://metadata.google.internal/',
  ])('is not at %s, where clouds keep credentials', (endpoint) => {
    expect(ofStore({ vault: { address: endpoint }, auth })).toEqual([
      expect.stringMatching(/^spec\.vault\.address: Forbidden: .*where clouds keep credentials/),
    ])
    expect(ofStore({ ...good, push: { sqs: { queueUrl: endpoint } } })).toHaveLength(1)
  })

  it('has a queue of notifications with aws alone', () => {
    const push = { sqs: { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/111122223333/hints' } }
    expect(ofStore({ ...good, push })).toEqual([])
    expect(ofStore({ doppler: { project: 'p', config: 'prd' }, auth, push })).toEqual([
      expect.stringMatching(/^spec\.push\.sqs: Forbidden: only a store of AWS/),
    ])
    expect(ofStore({ ...good, push: { sqs: { queueUrl: 'https://a:70000/q' } } })).toEqual([
      expect.stringMatching(/^spec\.push\.sqs\.queueUrl: Invalid value: must be the URL/),
    ])
  })

  it('has no password in its address', () => {
    expect(ofStore({ vault: { address: 'https://a:b@vault.example.com' }, auth })).toEqual([
      expect.stringMatching(/without a password/),
    ])
  })

  it('is looked at every 5 minutes, or as it says', () => {
    const every = (refresh?: object): number =>
      everyMsOf(secretStoreSpec.parse(refresh === undefined ? good : { ...good, refresh }))
    expect(every()).toBe(300_000)
    expect(every({ every: '30s' })).toBe(30_000)
    expect(every({ every: '2h' })).toBe(7_200_000)
  })
})

describe('valueFrom.external', () => {
  it('is taken with a pointer that begins with "/"', () => {
    expect(external({})).toEqual([])
    expect(external({ property: '/a~1b/0' })).toEqual([])
  })

  it.each(['password', '', 'a/b', '/a~2'])('does not take %j as a pointer', (property) => {
    expect(external({ property })).toEqual([expect.stringMatching(/must be a JSON pointer/)])
  })

  it('names a store of its own namespace', () => {
    expect(external({ store: 'other/aws' })).toEqual([
      expect.stringMatching(/external\.store: .*a SecretStore of the same namespace/),
    ])
    expect(external({ namespace: 'other' })).toEqual(['spec.valueFrom.external.namespace'])
  })

  it.each(['../other', 'prod/../other/db', 'prod/./db', '..'])('has no key like %s', (key) => {
    expect(external({ key })).toEqual([expect.stringMatching(/external\.key: Forbidden: must not/)])
  })

  it('goes with no other source', () => {
    expect(
      faultsOf('StagelySecret', {
        projectRef: { name: 'shop' },
        key: 'TOKEN',
        valueFrom: { generate: {}, external: { store: 'aws', key: 'a' } },
      }),
    ).toEqual([expect.stringMatching(/give exactly one of generate, secretRef/)])
  })
})
