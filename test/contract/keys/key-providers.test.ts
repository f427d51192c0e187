// One contract for all key providers: the services over a socket, by their real SDKs.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { realClock, type Clock } from '../../../src/kernel/clock.ts'
import { describeWrap, wrapPrefix, type KeyProvider } from '../../../src/secrets/key-provider.ts'
import { createKeyRing } from '../../../src/secrets/key-ring.ts'
import { openKeyProvider } from '../../../src/secrets/providers/open-provider.ts'
import type { KeyProviderSettings } from '../../../src/secrets/providers/settings.ts'
import {
  awsKeyArn,
  gcpKeyName,
  startKmsStandIn,
  vaultKeyName,
  type KmsStandIn,
} from '../../support/kms-stand-in.ts'

const canary = Buffer.from('canary-3c1f0f9e')
const skew = { ms: 0 }
const clock: Clock = { ...realClock, now: () => realClock.now() + skew.ms }
const deadlineMs = 2_000
let standIn: KmsStandIn
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

const aws = (key = awsKeyArn): KeyProviderSettings => ({
  provider: 'aws-kms',
  key,
  endpoint: standIn.url,
  credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
})
const gcp = (): KeyProviderSettings => ({
  provider: 'gcp-kms',
  key: gcpKeyName,
  endpoint: standIn.url,
  credentials: { client_email: 'stagely@p.iam.gserviceaccount.com', private_key: privateKey },
})
const vault = (more: object = { token: 'vault-token' }): KeyProviderSettings => ({
  provider: 'vault-transit',
  key: vaultKeyName,
  endpoint: standIn.url,
  namespace: 'team-a',
  ...more,
})

const open = (settings: KeyProviderSettings): Promise<KeyProvider> =>
  openKeyProvider(settings, { clock, deadlineMs })

const messageOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => new Error('it went well'),
    (e: unknown) => e as Error,
  )
  expect(error.message).not.toContain(canary.toString())
  expect(error.message).not.toMatch(/\n|\bat .*:\d+/)
  return `${(error as { reason?: string }).reason ?? ''}: ${error.message}`
}

beforeAll(async () => {
  standIn = await startKmsStandIn()
})
afterAll(() => standIn.close())
beforeEach(() => {
  standIn.weather = 'fine'
  standIn.lasts = Infinity
  skew.ms += 60_000 // past what a provider remembers of the last failure
})

const local = (provider: 'local' | 'key-file'): KeyProviderSettings => ({
  provider,
  keys: [Buffer.alloc(32, 1)],
})
const all: [string, () => KeyProviderSettings][] = [
  ['local', () => local('local')],
  ['key-file', () => local('key-file')],
  ['aws-kms', aws],
  ['gcp-kms', gcp],
  ['vault-transit', vault],
]

describe.each(all)('key provider %s', (name, settings) => {
  let provider: KeyProvider
  beforeAll(async () => {
    provider = await open(settings())
  })
  afterAll(() => {
    provider.close()
  })

  it('unwraps what it wrapped, for the same purpose only', async () => {
    const wrapped = await provider.wrap(canary, 'this')
    expect((await provider.unwrap(wrapped, 'this')).equals(canary)).toBe(true)
    expect(await messageOf(provider.unwrap(wrapped, 'that'))).toMatch(/^InternalError: .*not open/)
    expect(wrapped).not.toContain(canary.toString('base64'))
    expect(await provider.wrap(canary, 'this')).not.toBe(wrapped)
  })

  it('refuses a wrapped text that was changed anywhere', async () => {
    const wrapped = await provider.wrap(canary, 'this')
    for (const at of [0, 3, 12, wrapped.length - 12, wrapped.length - 1]) {
      const other = wrapped[at] === 'A' ? 'B' : 'A'
      const changed = wrapped.slice(0, at) + other + wrapped.slice(at + 1)
      expect(await messageOf(provider.unwrap(changed, 'this'))).toMatch(/^InternalError/)
    }
  })

  it('names its key in what it wraps, and opens no other', async () => {
    const wrapped = await provider.wrap(canary, 'this')
    expect(provider.name).toBe(name)
    expect(describeWrap(wrapPrefix(wrapped))).toContain(provider.keyId)
    expect(provider.opens(wrapped)).toBe(true)
    const others = all.filter(([other]) => other !== name && !(name + other).includes('key-file'))
    for (const [, otherSettings] of others) {
      const other = await open(otherSettings())
      expect(other.opens(wrapped)).toBe(false)
      await expect(other.unwrap(wrapped, 'this')).rejects.toMatchObject({ reason: 'InternalError' })
      other.close()
    }
  })
})

describe.each(all.slice(2))('key service %s', (name, settings) => {
  let provider: KeyProvider
  let wrapped: string
  beforeAll(async () => {
    provider = await open(settings())
    standIn.weather = 'fine'
    // The client of a service is loaded by its first use, which may take long beside other tests; after a
    // failure the service is left alone for a second.
    for (let left = 10; ; left--) {
      const first = await provider.wrap(canary, 'this').catch((error: unknown) => {
        if (left === 0) throw error
        return undefined
      })
      if (first !== undefined) {
        wrapped = first
        return
      }
      await realClock.sleep(1_100)
    }
  })
  afterAll(() => {
    provider.close()
  })

  it('is asked again when it throttles for a moment', async () => {
    standIn.weather = 'throttle'
    standIn.lasts = 1
    expect((await provider.unwrap(wrapped, 'this')).equals(canary)).toBe(true)
  })

  it.each([
    ['down', /cannot be reached|not available|did not answer/],
    ['hang', /did not answer/],
    ['throttle', /throttles|did not answer/],
    ['disabled', /disabled|sealed/],
    ['denied', /access is denied: /],
  ] as const)(
    'fails with the remedy when it is %s, and at once the next time',
    async (weather, why) => {
      standIn.weather = weather
      const message = await messageOf(provider.unwrap(wrapped, 'this'))
      expect(message).toMatch(why)
      expect(message).toContain(`ServiceUnavailable: key provider ${name} (key ${provider.keyId})`)
      const { requests } = standIn
      expect(await messageOf(provider.wrap(canary, 'this'))).toBe(message)
      expect(standIn.requests).toBe(requests)
      skew.ms += 60_000
      standIn.weather = 'fine'
      expect((await provider.unwrap(wrapped, 'this')).equals(canary)).toBe(true)
    },
  )

  it('stores nothing that does not open again', async () => {
    standIn.weather = 'corrupt'
    expect(await messageOf(provider.wrap(canary, 'this'))).toMatch(
      /^ServiceUnavailable: .*does not open again: nothing was stored/,
    )
  })
})

describe('a key service that answers with another key', () => {
  it.each([
    ['aws-kms', aws],
    ['gcp-kms', gcp],
  ] as const)('is refused: %s', async (_, settings) => {
    const provider = await open(settings())
    standIn.weather = 'wrong key'
    expect(await messageOf(provider.wrap(canary, 'this'))).toMatch(/answered with another key/)
    provider.close()
  })
})

describe('aws-kms', () => {
  it('finds the ARN that an alias stands for', async () => {
    const provider = await open(aws('arn:aws:kms:eu-central-1:111122223333:alias/stagely'))
    expect(provider.keyId).toBe(awsKeyArn)
    provider.close()
  })

  it('says at start that the key may not be used', async () => {
    standIn.weather = 'denied'
    const alias = 'arn:aws:kms:eu-central-1:111122223333:alias/stagely'
    expect(await messageOf(open(aws(alias)))).toMatch(/aws-kms .*kms:Encrypt/)
  })
})

describe('vault-transit', () => {
  it('reads its token file again when the token is refused, and sends the namespace', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'stagely-vault-'))
    const tokenFile = join(dir, 'token')
    writeFileSync(tokenFile, 'first\n')
    standIn.tokens.add('first')
    const provider = await open(vault({ tokenFile }))
    const wrapped = await provider.wrap(canary, 'this')
    standIn.tokens.delete('first')
    standIn.tokens.add('second')
    writeFileSync(tokenFile, 'second\n')
    expect((await provider.unwrap(wrapped, 'this')).equals(canary)).toBe(true)
    expect(standIn.namespaces.has('team-a')).toBe(true)
    provider.close()
    rmSync(dir, { recursive: true })
  })

  it('renews its token', async () => {
    const { renewals } = standIn
    const provider = await open(vault())
    await expect.poll(() => standIn.renewals).toBeGreaterThan(renewals)
    provider.close()
  })
})

describe('a key ring', () => {
  it.each(all)(
    'wraps by %s what a project names by it, and opens it like the rest',
    async (_, of) => {
      const named = { name: 'cards', provider: await open(of()), teams: undefined }
      const master = await open({ provider: 'local', keys: [Buffer.alloc(32, 9)] })
      const ring = createKeyRing(master, [], clock, [named])
      const own = ring.ringOf('cards')!
      await own.confirm()
      const wrapped = await own.wrap(canary, 'this')
      expect(named.provider.opens(wrapped)).toBe(true)
      expect(master.opens(wrapped)).toBe(false)
      expect((await ring.unwrap(wrapped, 'this')).equals(canary)).toBe(true)
      expect(wrapPrefix(wrapped)).toBe(await own.currentPrefix())
      expect([ring.ringOf(undefined), ring.ringOf('nowhere')]).toEqual([ring, undefined])
      ring.close()
    },
  )

  it('sees a new version of the key in what is wrapped, and opens the old one', async () => {
    for (const settings of [gcp(), vault()]) {
      const ring = createKeyRing(await open(settings), [], clock)
      const [old, before] = [await ring.wrap(canary, 'this'), await ring.currentPrefix()]
      standIn.rotate()
      expect(await ring.currentPrefix()).not.toBe(before)
      expect(wrapPrefix(await ring.wrap(canary, 'this'))).toBe(await ring.currentPrefix())
      expect((await ring.unwrap(old, 'this')).equals(canary)).toBe(true)
      ring.close()
    }
  })

  it('opens with previous keys and wraps with the current one', async () => {
    const [next, previous] = [await open(aws()), await open(local('local'))]
    const ring = createKeyRing(next, [previous], clock)
    const old = await previous.wrap(canary, 'this')
    expect((await ring.unwrap(old, 'this')).equals(canary)).toBe(true)
    expect(next.opens(await ring.wrap(canary, 'this'))).toBe(true)
    expect(await messageOf(ring.unwrap('s1:0000000000000000:AAAA', 'this'))).toMatch(/not open/)
    ring.close()
  })

  it('asks for its health at most every ten seconds', async () => {
    const ring = createKeyRing(await open(aws()), [], clock)
    const { requests } = standIn
    for (let i = 0; i < 20; i++) expect(await ring.health()).toEqual({ ok: true })
    expect(standIn.requests).toBe(requests + 3)
    standIn.weather = 'disabled'
    skew.ms += 11_000
    expect(await ring.health()).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/enable/) as string,
    })
    ring.close()
  })

  it('lets nothing be sealed while its key does not answer, and says so in two seconds', async () => {
    const ring = createKeyRing(await open(gcp()), [], clock)
    await ring.confirm()
    skew.ms += 3_000
    standIn.weather = 'hang'
    const started = performance.now()
    const message = await messageOf(ring.confirm())
    expect(message).toMatch(/^ServiceUnavailable: .* did not answer .*Nothing was stored/)
    expect(performance.now() - started).toBeGreaterThan(1_500)
    // Whoever comes next does not wait: the service is not asked.
    const { requests } = standIn
    expect(await messageOf(ring.confirm())).toBe(message)
    expect(standIn.requests).toBe(requests)
    standIn.weather = 'fine'
    skew.ms += 60_000
    await ring.confirm()
    ring.close()
  })
})
