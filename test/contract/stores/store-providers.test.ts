// One contract for the providers of all external stores: AWS by moto, the others by stand-ins on sockets.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { realClock, toFineTimestamp } from '../../../src/kernel/clock.ts'
import { awsCredentials } from '../../../controller/stores/providers/aws-calls.ts'
import { openProvider } from '../../../controller/stores/open-provider.ts'
import {
  QueueFault,
  StoreFault,
  type Ref,
  type StoreFaultKind,
  type StoreProvider,
} from '../../../controller/stores/provider.ts'
import { startAws, type AwsBench } from '../../support/stores/aws.ts'
import type { Bench } from '../../support/stores/bench.ts'
import { eventually } from '../../support/eventually.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { gateOfTests, type Weather } from '../../support/stores/front.ts'
import { startDoppler } from '../../support/stores/doppler.ts'
import { startGcp } from '../../support/stores/gcp.ts'
import { startInfisical } from '../../support/stores/infisical.ts'
import { startOnePassword } from '../../support/stores/one-password.ts'
import { startVault, type VaultBench } from '../../support/stores/vault.ts'

const egress = gateOfTests()
const clock = createFakeClock(Date.parse('2026-11-28T12:30:00Z'))
const never = new AbortController().signal

const open = (
  bench: Bench,
  { credential = bench.credential, ca = true, gate = egress } = {},
): Promise<StoreProvider> =>
  openProvider(bench.spec({ ca }), credential, { egress: gate, clock, storesDir: undefined })

/** The fault of the work; it says nothing that is secret. */
const faultOf = async (work: Promise<unknown>, secrets: readonly string[]): Promise<StoreFault> => {
  const error = await work.then(
    (value) => new Error(`it went well: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StoreFault)
  const fault = error as StoreFault
  for (const secret of secrets) {
    expect(fault.message).not.toContain(secret)
    expect(fault.stack).not.toContain(secret)
  }
  expect(fault.cause).toBeUndefined()
  expect(fault.message).not.toMatch(/\n/)
  return fault
}

const badDays: readonly (readonly [string, Weather, StoreFaultKind])[] = [
  ['401', { status: 401 }, 'Unauthorized'],
  ['404 of something in front', { status: 404 }, 'Unavailable'],
  ['409', { status: 409 }, 'Unavailable'],
  ['429', { status: 429 }, 'Throttled'],
  ['500', { status: 500 }, 'Unavailable'],
  ['503', { status: 503 }, 'Unavailable'],
  ['a cut in the middle of a body', 'reset', 'Unavailable'],
  ['HTML with 200', 'html', 'Malformed'],
  ['half a JSON', 'truncated', 'Malformed'],
  ['10 MB', 'long', 'Malformed'],
  ['a redirect to another host', 'redirect', 'Unavailable'],
]

describe.each<[string, () => Promise<Bench>]>([
  ['AWS Secrets Manager', () => startAws({ stopMoto: false })],
  ['Vault with a token', startVault],
  ['Vault with AppRole', () => startVault({ appRole: { roleId: 'role', mount: 'approle' } })],
  ['1Password Connect', startOnePassword],
  ['Infisical', startInfisical],
  ['Doppler', startDoppler],
  ['Google Secret Manager', startGcp],
])('%s', (_, start) => {
  let bench: Bench
  let provider: StoreProvider
  let secrets: string[]
  let ref: Ref
  beforeAll(async () => {
    bench = await start()
    ref = { key: bench.key('db') }
    await bench.put(ref.key, { username: 'shop', password: 'first-value-7c1f' })
    secrets = [bench.credential, bench.wrongCredential, 'first-value-7c1f', 'second-value-9d2e']
    provider = await open(bench)
  })
  beforeEach(() => {
    bench.front.weather = 'fine'
    bench.front.skewMs = 0
  })
  afterAll(async () => {
    await provider?.close()
    await bench?.close()
  })
  const look = async (...refs: Ref[]) => {
    const { versions } = await provider.readVersions(refs, undefined, never)
    return refs.map((one) => versions.get(one))
  }
  const fetch = async (...refs: Ref[]) => {
    const answers = await provider.fetch(refs, never)
    return refs.map((one) => answers.get(one))
  }

  it('says whose the credential is', async () => {
    expect(await provider.whoAmI(never)).toBe(bench.identity)
  })

  it('looks at versions, and fetches the value of the version that it saw', async () => {
    const value = await bench.put(ref.key, { username: 'shop', password: 'second-value-9d2e' })
    const [seen] = await look(ref)
    expect(seen).toEqual({ version: expect.stringMatching(/./) as string })
    expect(JSON.stringify(seen)).not.toContain('second-value')
    const [got] = await fetch(ref)
    expect(got).toEqual({ ...seen, value: Buffer.from(value) })
    expect(await look(ref, ref)).toEqual([seen, seen])
  })

  it('sees a new version, and one that was deleted and made again', async () => {
    const key = bench.key('changes')
    const seen = new Set<unknown>()
    for (const password of ['a', 'b', 'c']) {
      await bench.put(key, { password })
      const [answer] = await look({ key })
      expect(answer).toHaveProperty('version')
      seen.add((answer as { version: string }).version)
    }
    expect(seen.size).toBe(3)
  })

  it('tells what is missing, and what it may not read, of each ref alone', async () => {
    const [gone, hidden] = [{ key: bench.key('gone') }, { key: bench.key('hidden') }]
    for (const { key } of [gone, hidden]) await bench.put(key, { password: 'x' })
    await bench.remove(gone.key)
    await bench.forbid(hidden.key)
    const [missing, forbidden] = [{ absent: 'missing' }, { absent: 'forbidden' }]
    const isAllHidden = bench.allowAll !== undefined
    for (const ask of [look, fetch]) {
      const [first, second, third] = await ask(gone, hidden, ref)
      expect([first, second]).toEqual([isAllHidden ? forbidden : missing, forbidden])
      expect('absent' in third!).toBe(isAllHidden)
    }
    bench.allowAll?.()
    for (const ask of [look, fetch]) expect(await ask(gone)).toEqual([missing])
  })

  it('reads the version that a ref names', async () => {
    const key = bench.key('versions')
    const older = await bench.put(key, { password: 'older' })
    await bench.put(key, { password: 'newer' })
    if (bench.olderVersion !== undefined) {
      const asked = { key, version: bench.olderVersion(key) }
      const [seen] = await look(asked)
      expect(seen).toHaveProperty('version')
      expect(await fetch(asked)).toEqual([{ ...seen, value: Buffer.from(older) }])
    }
    const none = { key, version: bench.noVersion }
    const isAbsent = { absent: expect.stringMatching(/^(missing|refused|forbidden)$/) as string }
    expect(await look(none)).toEqual([expect.objectContaining(isAbsent)])
    expect(await fetch(none)).toEqual([expect.objectContaining(isAbsent)])
  })

  it('lists names for an import', async () => {
    const keys = [bench.key('list-a'), bench.key('list-b')]
    for (const key of keys) await bench.put(key, { password: 'x' })
    expect(await provider.list(bench.key('list-'), never)).toEqual({ keys, isCut: false })
    expect(await provider.list(bench.key('none-'), never)).toEqual({ keys: [], isCut: false })
  })

  it.each(badDays)('%s is a fault, and no answer', async (name, weather, kind) => {
    const other = await open(bench)
    await other.readVersions([ref], undefined, never)
    await bench.put(bench.key('passing'), { today: name })
    bench.front.weather = weather
    for (const work of [
      () => other.readVersions([ref], undefined, never),
      () => other.fetch([ref], never),
    ]) {
      const fault = await faultOf(work(), secrets)
      expect([name, fault.kind, fault.retryAfterMs]).toEqual([name, kind, undefined])
    }
    bench.front.weather = 'fine'
    await other.close()
  })

  it('a 403 of something in front takes nothing away', async () => {
    bench.front.weather = { status: 403 }
    const answers = await look(ref).catch((error: unknown) => error)
    if (answers instanceof StoreFault) expect(answers.kind).toMatch(/^Una/)
    else expect(answers).toEqual([{ absent: 'forbidden' }])
  })

  it('Retry-After is told, also as a time of a clock that is wrong', async () => {
    const at = (ms: number): string => new Date(clock.now() + 3_600_000 + ms).toUTCString()
    for (const headers of [{ 'retry-after': '120' }, { 'retry-after': at(120_000), date: at(0) }]) {
      bench.front.weather = { status: 429, headers }
      const reading = provider.readVersions([ref], undefined, never)
      for (const work of [reading, provider.fetch([ref], never)]) {
        const fault = await faultOf(work, secrets)
        expect([fault.kind, fault.retryAfterMs]).toEqual(['Throttled', 120_000])
      }
    }
  })

  it('a store whose clock is an hour ahead, or behind, answers as ever', async () => {
    const [seen] = await look(ref)
    for (const skewMs of [3_600_000, -3_600_000]) {
      bench.front.skewMs = skewMs
      const other = await open(bench)
      expect((await other.readVersions([ref], undefined, never)).versions.get(ref)).toEqual(seen)
      expect((await other.fetch([ref], never)).get(ref)).toMatchObject(seen!)
      await other.close()
    }
  })

  it('a store that does not answer is unavailable, and a look that is given up ends at once', async () => {
    bench.front.weather = 'hang'
    const hasty = await open(bench, { gate: gateOfTests(150) })
    const fault = await faultOf(hasty.readVersions([ref], undefined, never), secrets)
    expect(fault).toMatchObject({ kind: 'Unavailable' })
    expect(fault.message).toContain('did not answer whole')
    const ending = new AbortController()
    const before = bench.front.asked.length
    const given = provider.readVersions([ref], undefined, ending.signal)
    const isGivenUp = expect(given).rejects.toMatchObject({ name: 'AbortError' })
    await eventually(() => bench.front.asked.length).toBe(before + 1)
    ending.abort()
    await isGivenUp
    bench.front.weather = 'fine'
    await hasty.close()
  })

  it('a certificate that nobody trusts ends the call before the credential is sent', async () => {
    const before = bench.front.asked.length
    const other = await open(bench, { ca: false })
    const fault = await faultOf(other.readVersions([ref], undefined, never), secrets)
    expect(fault).toMatchObject({ kind: 'Unavailable' })
    expect(fault.message).toContain('self-signed certificate')
    expect(bench.front.asked.length).toBe(before)
    await other.close()
  })

  it('a wrong credential costs one call for each try', async () => {
    const before = bench.front.asked.length
    const other = await open(bench, { credential: bench.wrongCredential })
    const refs = ['a', 'b', 'c'].map((name) => ({ key: bench.key(name) }))
    for (const work of [
      () => other.whoAmI(never),
      () => other.readVersions(refs, undefined, never),
      () => other.readVersions(refs, undefined, never),
    ])
      expect(await faultOf(work(), secrets)).toMatchObject({ kind: 'Unauthorized' })
    expect(bench.front.asked.length - before).toBe(3)
    await other.close()
  })

  it('nothing secret is in an address', () => {
    for (const { path, query } of bench.front.asked)
      for (const secret of secrets) expect(`${path}?${query.toString()}`).not.toContain(secret)
  })
})

const versionOf = async (provider: StoreProvider, ref: Ref) =>
  (await provider.readVersions([ref], undefined, never)).versions.get(ref)

describe('a key of Vault', () => {
  it('tells when Vault will delete its version, and is missing from then on', async () => {
    const vault = await startVault()
    const ref = { key: 'prod/db' }
    await vault.put(ref.key, { a: 'b' })
    const provider = await open(vault)
    const inAnHour = toFineTimestamp(Math.floor(clock.now() / 1_000 + 3_600) * 1_000)
    vault.deletionTime = inAnHour.replace('.000Z', '.123456789Z')
    const end = { expiresAt: inAnHour.replace('.000', '') }
    expect(await versionOf(provider, ref)).toMatchObject(end)
    expect((await provider.fetch([ref], never)).get(ref)).toMatchObject(end)
    vault.deletionTime = '2026-01-01T00:00:00Z'
    expect(await versionOf(provider, ref)).toEqual({ absent: 'missing' })
    await provider.close()
    await vault.close()
  })
})

describe('a token of Vault', () => {
  let vault: VaultBench
  beforeAll(async () => {
    vault = await startVault()
    await vault.put('prod/db', { a: 'b' })
  })
  afterAll(() => vault.close())
  const look = (provider: StoreProvider) => versionOf(provider, { key: 'prod/db' })

  it('is renewed at half its time, and not before', async () => {
    const provider = await open(vault)
    await look(provider)
    await clock.advance(1_700_000)
    await look(provider)
    expect(vault.renewals).toBe(0)
    await clock.advance(200_000)
    await look(provider)
    await look(provider)
    expect(vault.renewals).toBe(1)
    await provider.close()
    expect([...vault.tokens.keys()]).toEqual(['hvs.good-token'])
  })

  it('that was borrowed is borrowed anew when it has ended, and given back at the end', async () => {
    const spec = vault.spec()
    const provider = await openProvider(
      { vault: { ...spec.vault!, jwt: { role: 'shop', mount: 'jwt' } } },
      'good-secret-id',
      { egress, clock, storesDir: undefined },
    )
    await look(provider)
    const [, borrowed] = [...vault.tokens.keys()]
    vault.tokens.delete(borrowed!)
    expect(await look(provider)).toHaveProperty('version')
    const [, again] = [...vault.tokens.keys()]
    expect(again).not.toBe(borrowed)
    await clock.advance(2_000_000)
    await look(provider)
    await provider.close()
    expect([...vault.tokens.keys()].at(-1)).not.toBe(borrowed)
    expect(vault.front.asked.filter(({ path }) => path.endsWith('/login'))).toHaveLength(3)
    expect(vault.front.asked.at(-1)?.path).toBe('/v1/auth/token/revoke-self')
  })

  it('is of no use where the mount is another: nothing is missing then', async () => {
    const spec = vault.spec()
    const other = { vault: { ...spec.vault!, mount: 'elsewhere' } }
    const deps = { egress, clock, storesDir: undefined }
    const provider = await openProvider(other, vault.credential, deps)
    const fault = await faultOf(look(provider), [vault.credential])
    expect(fault.message).toContain('at elsewhere: check vault.mount')
  })
})

describe('AWS Secrets Manager with many secrets', () => {
  const names = Array.from({ length: 45 }, (_, i) => `many/${i}`)
  const refs = names.map((key) => ({ key }))
  let aws: AwsBench
  beforeAll(async () => {
    aws = await startAws({ stopMoto: false })
    for (const key of names) await aws.put(key, { n: key })
  })
  beforeEach(() => {
    aws.denied.clear()
    aws.actions()
  })
  afterAll(() => aws?.close())
  const times = <T>(count: number, one: T): T[] => Array<T>(count).fill(one)
  const fetchAll = async (provider: StoreProvider) => {
    const found = new Map<Ref, unknown>()
    for (let i = 0; i < refs.length; i += provider.limits.batch)
      for (const [ref, answer] of await provider.fetch(refs.slice(i, i + 20), never))
        found.set(ref, answer)
    return refs.map((ref) => found.get(ref))
  }
  const values = names.map((n) => ({
    version: expect.any(String) as string,
    value: Buffer.from(JSON.stringify({ n })),
  }))

  it('takes one call for a look at a page of them, which may be five minutes old, and three for their values', async () => {
    const provider = await open(aws)
    const { versions, lagMs } = await provider.readVersions(refs, undefined, never)
    expect([versions.size, lagMs]).toEqual([45, 300_000])
    expect(await fetchAll(provider)).toEqual(values)
    expect(aws.actions()).toEqual(['ListSecrets', ...times(3, 'BatchGetSecretValue')])
    await provider.close()
  })

  it('takes a call for each where the credential may neither list nor ask for many', async () => {
    const provider = await open(aws)
    aws.denied.add('ListSecrets').add('BatchGetSecretValue')
    const { versions, lagMs } = await provider.readVersions(refs, undefined, never)
    expect([...versions.values()].every((answer) => 'version' in answer)).toBe(true)
    expect(lagMs).toBe(0)
    expect(aws.actions()).toEqual(['ListSecrets', ...times(45, 'DescribeSecret')])
    expect(await fetchAll(provider)).toEqual(values)
    expect(aws.actions()).toEqual(['BatchGetSecretValue', ...times(45, 'GetSecretValue')])
    await provider.close()
  })

  it('describes twenty that a list does not show in each look, and says nothing of the others', async () => {
    const provider = await open(aws)
    const unknown = Array.from({ length: 30 }, (_, i) => ({ key: `unknown/${i}` }))
    const look = async (): Promise<boolean[]> => {
      const { versions } = await provider.readVersions([...refs, ...unknown], undefined, never)
      return unknown.map((ref) => versions.has(ref))
    }
    expect(await look()).toEqual([...times(20, true), ...times(10, false)])
    expect(aws.actions()).toEqual(['ListSecrets', ...times(20, 'DescribeSecret')])
    expect(await look()).toEqual([...times(10, true), ...times(10, false), ...times(10, true)])
    await provider.close()
  })

  it('halves a batch whose answer is too long', async () => {
    const long = ['long/1', 'long/2', 'long/3']
    for (const key of long) await aws.put(key, { a: 'x'.repeat(500_000) })
    const provider = await open(aws)
    const got = await provider.fetch(
      long.map((key) => ({ key })),
      never,
    )
    expect([...got.values()].every((answer) => 'value' in answer)).toBe(true)
    expect(aws.actions()).toEqual(times(3, 'BatchGetSecretValue'))
    await provider.close()
  })

  it('is asked again where AWS has just told that the clock of the controller is wrong', async () => {
    const date = new Date(realClock.now() + 3_600_000).toUTCString()
    const body = { __type: 'InvalidSignatureException', message: 'Signature expired: now' }
    aws.next.push({ status: 400, body, headers: { date } })
    const provider = await open(aws)
    const [ref] = refs
    const { versions } = await provider.readVersions([ref!], undefined, never)
    expect(versions.get(ref!)).toHaveProperty('version')
    const [first, second] = aws.front.asked.slice(-2).map(({ headers }) => {
      const [, day, time] = /^(\d{8})T(\d{4})/.exec(String(headers['x-amz-date'])) ?? []
      return Number(day) * 1_440 + Number(time?.slice(0, 2)) * 60 + Number(time?.slice(2))
    })
    expect(second! - first!).toBeGreaterThanOrEqual(58)
    await provider.close()
  })

  it.each([
    ['no JSON', 'hunter2-secret'],
    ['half of one', '{"accessKeyId":"AKID"}'],
  ])('a credential that is %s costs no call', async (_, credential) => {
    const provider = await open(aws, { credential })
    const fault = await faultOf(provider.readVersions(refs, undefined, never), ['hunter2-secret'])
    expect(fault).toMatchObject({ kind: 'Unauthorized' })
    expect(aws.actions()).toEqual([])
  })

  it.each(['AccessKey', 'Credentials'])('a credential may be as AWS writes it in %s', (outer) => {
    const AccessKey = { AccessKeyId: 'AKID', SecretAccessKey: 'secret', SessionToken: 'token' }
    expect(awsCredentials(JSON.stringify({ [outer]: AccessKey }))).toEqual({
      accessKeyId: 'AKID',
      secretAccessKey: 'secret',
      sessionToken: 'token',
    })
  })
})

describe('a queue of notifications of AWS', () => {
  let aws: AwsBench
  let queue = ''
  const event = (eventName: string, requestParameters: object, source = 'aws.secretsmanager') =>
    JSON.stringify({ source, 'detail-type': 'x', detail: { eventName, requestParameters } })
  const openQueue = async (given: { credential?: string; url?: string } = {}) => {
    const { credential = aws.credential, url = queue } = given
    const spec = { ...aws.spec(), push: { sqs: { queueUrl: url } } }
    const deps = { egress, clock, storesDir: undefined }
    return (await openProvider(spec, credential, deps)).notifications!
  }
  const reasonOf = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueueFault)
    expect((error as QueueFault).message).not.toContain('the-secret-access-key')
    return (error as QueueFault).reason
  }
  beforeAll(async () => {
    aws = await startAws()
    queue = await aws.makeQueue('hints')
  })
  beforeEach(() => {
    aws.denied.clear()
    aws.front.weather = 'fine'
  })
  afterAll(() => aws?.close())

  it('tells which secrets have changed, counts what is no notification, and is empty afterwards', async () => {
    const notifications = await openQueue()
    const changed = Array.from({ length: 12 }, (_, i) => `many/${i}`)
    for (const secretId of changed)
      await aws.sendMessage(queue, event('PutSecretValue', { secretId }))
    await aws.sendMessage(queue, event('GetSecretValue', { secretId: 'many/read' }))
    await aws.sendMessage(queue, event('PutObject', { name: 'x' }, 'aws.s3'))
    await aws.sendMessage(queue, 'hello')
    const received = await notifications.receive(never)
    expect([...received.keys].sort()).toEqual(changed.sort())
    expect([received.receipts.length, received.foreignMessages]).toEqual([15, 2])
    expect(await aws.messagesOf(queue)).toBe(15)
    await notifications.discard(received, never)
    expect(await aws.messagesOf(queue)).toBe(0)
    expect(aws.actions()).toContain('ReceiveMessage')
  })

  it('has a fault of its own where it is none, or is not for the credential', async () => {
    const nowhere = `${aws.front.url}/123456789012/nowhere`
    expect(await reasonOf((await openQueue({ url: nowhere })).receive(never))).toBe('QueueMissing')
    const notifications = await openQueue()
    aws.denied.add('ReceiveMessage')
    expect(await reasonOf(notifications.receive(never))).toBe('QueueForbidden')
    aws.denied.clear()
    const wrong = await openQueue({ credential: aws.wrongCredential })
    expect(await reasonOf(wrong.receive(never))).toBe('Unauthorized')
    for (const [weather, reason] of [
      [{ status: 429 }, 'Throttled'],
      [{ status: 503 }, 'Unavailable'],
      ['redirect', 'Unavailable'],
      ['html', 'Malformed'],
    ] as const) {
      aws.front.weather = weather
      expect(await reasonOf(notifications.receive(never))).toBe(reason)
    }
  })

  it('that is given up ends at once', async () => {
    const notifications = await openQueue()
    const ending = new AbortController()
    aws.front.weather = 'hang'
    const before = aws.front.asked.length
    const waiting = notifications.receive(ending.signal)
    const isGivenUp = expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await eventually(() => aws.front.asked.length).toBe(before + 1)
    ending.abort()
    await isGivenUp
  })
})

describe('each store has its own ways', () => {
  const benches: Bench[] = []
  const started = async <T extends Bench>(start: () => Promise<T>) => {
    const bench = await start()
    benches.push(bench)
    const provider = await open(bench)
    const look = async (...refs: Ref[]) => {
      const { versions } = await provider.readVersions(refs, undefined, never)
      return refs.map((ref) => versions.get(ref))
    }
    const fetchText = async (key: string) => {
      const [answer] = (await provider.fetch([{ key }], never)).values()
      return 'value' in answer! ? answer.value.toString() : answer
    }
    return { bench, provider, look, fetchText }
  }
  afterAll(() => Promise.all(benches.map((bench) => bench.close())))

  it('1Password: one list for each vault, items by title or ID, fields by label', async () => {
    const { bench, look, fetchText } = await started(startOnePassword)
    for (const title of ['a', 'b', 'c']) await bench.put(`shop/${title}`, { password: title })
    const before = bench.front.asked.length
    expect(await look({ key: 'shop/a' }, { key: 'shop/b' }, { key: 'shop/c' })).toHaveLength(3)
    expect(bench.front.asked.length - before).toBe(2)
    const byId = `${bench.ids('shop')}/${bench.ids('shop/a')}`
    expect(await look({ key: byId })).toEqual(await look({ key: 'shop/a' }))
    await bench.put('shop/sections', { user: 'u', 'admin.password': 'p', 'admin.user': 'root' })
    expect(JSON.parse((await fetchText('shop/sections')) as string)).toEqual({
      user: 'u',
      admin: { password: 'p', user: 'root' },
    })
    await bench.put('shop/twice', { a: '1' })
    await bench.put('shop/twice/', { a: '2' })
    expect(await look({ key: 'no-slash' }, { key: 'shop/twice' })).toEqual([
      { absent: 'refused', why: 'the key is not VAULT/ITEM' },
      { absent: 'refused', why: '2 items have this title: name the item by its ID' },
    ])
  })

  it('Infisical: one call for each folder, a login for many, imports below what is its own', async () => {
    const { bench, look, fetchText } = await started(startInfisical)
    await bench.put('/shop/OWN', { value: 'own' })
    bench.imported.set('OWN', 'imported').set('OTHER', 'imported')
    expect(await fetchText('shop/OWN')).toBe('own')
    expect(await fetchText('/shop/OTHER')).toBe('imported')
    const before = bench.front.asked.length
    await look({ key: 'shop/OWN' }, { key: '/shop/OTHER' }, { key: 'ROOT' })
    expect(bench.front.asked.length - before).toBe(2)
    bench.tokens.clear()
    expect((await look({ key: 'shop/OWN' }))[0]).toHaveProperty('version')
    expect(bench.tokens.size).toBe(1)
  })

  it('Doppler: an unchanged config is not sent again, and marks tell nothing of values', async () => {
    const { bench, provider, look } = await started(startDoppler)
    await bench.put('A', { value: 'same' })
    await bench.put('B', { value: 'same' })
    const [first, second] = await look({ key: 'A' }, { key: 'B' })
    expect(first).not.toEqual(second)
    expect(await look({ key: 'A' }, { key: 'B' })).toEqual([first, second])
    expect(bench.unchanged()).toBe(1)
    const again = await open(bench)
    const ref = { key: 'A' }
    expect((await again.readVersions([ref], undefined, never)).versions.get(ref)).toEqual(first)
    expect(await provider.list('DOPPLER', never)).toEqual({ keys: [], isCut: false })
  })

  it('Google: a disabled version is no missing one, and the key of the account stays here', async () => {
    const { bench, look, fetchText } = await started(startGcp)
    await bench.put('shop-db', { a: 'b' })
    bench.states.set('shop-db/1', 'DISABLED')
    const refused = { absent: 'refused', why: 'version 1 is disabled' }
    expect(await look({ key: 'shop-db' })).toEqual([refused])
    expect(await fetchText('shop-db')).toEqual(refused)
    const at = clock.now() / 1_000
    expect(bench.claims[0]).toMatchObject({ iat: Math.floor(at), exp: Math.floor(at) + 3_600 })
    expect(JSON.stringify(bench.front.asked)).not.toContain('PRIVATE KEY')
  })
})
