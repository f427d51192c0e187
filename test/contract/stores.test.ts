// Stores of secrets elsewhere: when they are asked, what comes of their answers, and what never does.
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { StoreFault } from '../../controller/stores/provider.ts'
import { startStores } from '../../controller/stores/performer.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { findCondition, type Condition } from '../../src/resources/conditions.ts'
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import type { SecretStoreStatus } from '../../src/resources/secret-store.ts'
import type { SecretStatus } from '../../src/resources/stagelysecret.ts'
import { createLeapingClock } from '../support/leaping-clock.ts'
import { openTestStore, type TestStore } from '../support/open-test-store.ts'
import { createMemoryStore, type MemoryStore } from '../support/stores/memory-store.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  secretOf,
  stageletOf,
} from '../support/store-fixtures.ts'

const minute = 60_000
const noticesOf = { reasons: ['StoreStale'], webhook: { url: 'https://hooks.example.com/' } }
const day = 86_400_000

describe('a SecretStore', () => {
  const clock = createLeapingClock()
  let t: TestStore
  let remote: MemoryStore
  let performer: ReturnType<typeof startStores> | undefined
  let ns = ''
  let projectUid = ''

  const start = (): void => {
    const { store } = t
    const open: MemoryStore['open'] = (given) => remote.open(given)
    performer = startStores({ store, open, clock, log: silentLogger, random: () => 0.5 })
  }
  const stop = async (): Promise<void> => {
    await performer?.stop()
    performer = undefined
  }
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
  })
  afterAll(async () => {
    await stop()
    await t.destroy()
  })
  /** Each test has a team, a store elsewhere and a performer of its own. */
  const fresh = async (): Promise<void> => {
    remote = createMemoryStore(() => clock.now())
    ;({ ns, projectUid } = await createShop(t.store))
    await create(secretOf(ns, 'token', { audience: 'Controller', value: remote.credential }))
    start()
  }
  afterEach(async () => {
    await stop()
    await t.store.write(api, {}, async (tx) => {
      for (const kind of ['SecretStore', 'StagelySecret', 'Stagelet'])
        for (const { metadata } of (await tx.list(kind, { namespace: ns })).items)
          await tx.remove({ kind, namespace: ns, name: metadata.name })
    })
  })

  const create = (object: KubeObject): Promise<KubeObject> => createAs(t.store, api, object)
  const storeOf = (spec: object = {}): Promise<KubeObject> =>
    create(
      objectOf('SecretStore', ns, 'aws', {
        aws: { region: 'eu-central-1' },
        auth: { secretRef: { name: 'token' } },
        allow: { projects: ['shop'], remote: ['prod/*'] },
        refresh: { every: '5m', maxCallsPerMinute: 600 },
        ...spec,
      }),
    )
  const external = (name: string, given: object = {}, spec: object = {}): KubeObject =>
    secretOf(ns, name, {
      valueFrom: { external: { store: 'aws', key: `prod/${name}`, ...given } },
      ...spec,
    })
  const get = async (kind: string, name: string): Promise<KubeObject | undefined> =>
    t.store.get({ kind, namespace: ns, name })
  const change = async (
    kind: string,
    name: string,
    how: (before: KubeObject) => KubeObject,
  ): Promise<void> => {
    // The performer writes statuses meanwhile.
    await t.store.write(api, {}, async (tx) => {
      await tx.update(how((await tx.get({ kind, namespace: ns, name }))!))
    })
  }
  const changeSpec = (kind: string, name: string, spec: object): Promise<void> =>
    change(kind, name, (before) => ({ ...before, spec: { ...before.spec, ...spec } }))
  const valueOf = async (name: string): Promise<string> => {
    const ref = { kind: 'StagelySecret', namespace: ns, name }
    return (await t.store.revealSecret(api, ref)).value.toString()
  }
  const statusOf = async (name: string): Promise<SecretStatus> =>
    (await get('StagelySecret', name))?.status ?? {}
  const conditionOf = async (type: string, name = 'aws', kind = 'SecretStore'): Promise<string> => {
    const conditions = (await get(kind, name))?.status?.['conditions'] as Condition[] | undefined
    const found = findCondition(conditions, type)
    return found === undefined ? '' : `${found.status}/${found.reason}`
  }
  const freshOf = (name: string): Promise<string> => conditionOf('Fresh', name, 'StagelySecret')
  const messageOf = async (name: string): Promise<string> =>
    findCondition((await statusOf(name)).conditions, 'Fresh')?.message ?? ''
  const eventually = async <T>(look: () => T | Promise<T>, wanted: T): Promise<void> => {
    const until = Date.now() + 20_000
    for (;;) {
      const seen = await look()
      if (JSON.stringify(seen) === JSON.stringify(wanted)) return
      if (Date.now() > until) expect(seen).toEqual(wanted)
      await realClock.sleep(20)
    }
  }
  const isChecked = (name: string): Promise<void> => eventually(() => freshOf(name), 'True/Checked')
  /** Goes on in time until the store was looked at once more. */
  const look = async (): Promise<void> => {
    const before = remote.calls.look
    clock.leap(6 * minute)
    await eventually(() => remote.calls.look > before, true)
    await quiet()
  }
  /** Until nothing is written any more. */
  const quiet = async (): Promise<void> => {
    for (let last = -1; ;) {
      const now = await t.store.currentVersion()
      if (now === last) return
      last = now
      await realClock.sleep(500)
    }
  }
  const writes = async (): Promise<number> => t.store.currentVersion()
  const ask = (name: string, text: string): Promise<void> =>
    change('SecretStore', 'aws', (before) => ({
      ...before,
      metadata: {
        ...before.metadata,
        annotations: { ...before.metadata.annotations, [name]: text },
      },
    }))
  const auditOf = async (action: string): Promise<string[]> => {
    const filter = { teams: undefined, action, namespace: ns }
    const { records } = await t.audit.list(filter, { limit: 100 })
    return records.map((record) => JSON.stringify(record))
  }

  it('gives its values to secrets as versions of their own, audited without the value', async () => {
    await fresh()
    remote.put('prod/db', JSON.stringify({ password: 'canary-of-the-store', port: 5432 }))
    remote.put('prod/plain', 'a-plain-value')
    await storeOf()
    await create(external('db', { property: '/password' }))
    await create(external('port', { key: 'prod/db', property: '/port' }))
    await create(external('plain'))
    for (const name of ['db', 'port', 'plain']) await isChecked(name)
    expect(await Promise.all(['db', 'port', 'plain'].map(valueOf))).toEqual([
      ...['canary-of-the-store', '5432', 'a-plain-value'],
    ])
    expect(await statusOf('db')).toMatchObject({
      version: 1,
      updatedBy: `store:${ns}/aws`,
      external: { version: 'v1', fetchedAt: expect.any(String) as string },
    })
    await eventually(() => conditionOf('Ready'), 'True/Accepted')
    const { status } = (await get('SecretStore', 'aws'))!
    expect(status).toMatchObject({ provider: 'aws', identity: 'reader', secrets: 3 })
    // Two secrets of one key ask once.
    expect(remote.fetched.filter((key) => key === 'prod/db').length).toBeLessThanOrEqual(2)
    const all = await auditOf('fetch')
    expect(all).toHaveLength(3)
    for (const row of all) expect(row).toContain(`store:${ns}/aws`)
    expect(all.join()).toContain('prod/db')
    expect(all.join()).toContain('"remoteVersion":"v1"')
    expect(all.join()).not.toContain('canary-of-the-store')
  })

  it('makes one revision of what changes in one look, and nothing of what does not', async () => {
    await fresh()
    await create(stageletOf(ns, 'web'))
    const names = Array.from({ length: 200 }, (_, i) => `s${i}`)
    for (const name of names) remote.put(`prod/${name}`, `first-value-of-${name}`)
    await storeOf()
    await t.store.write(api, {}, async (tx) => {
      for (const name of names) await tx.create(external(name))
    })
    const begun = performance.now()
    for (const name of names) await isChecked(name)
    // One question to the database for all that have no value yet, and not one each.
    expect(performance.now() - begun).toBeLessThan(15_000)
    await quiet()
    const { closed } = await t.store.revisionsOf(projectUid)
    const fetched = remote.fetched.length
    const rv = await writes()
    for (let i = 0; i < 10; i++) {
      const { look: looks } = remote.calls
      clock.leap(6 * minute)
      await eventually(() => remote.calls.look > looks, true)
    }
    await quiet()
    // Nothing changed: nothing is fetched, and only the store's own status is written, every 10 minutes.
    expect(remote.fetched).toHaveLength(fetched)
    const { items } = await t.store.list('StagelySecret', { namespace: ns })
    const rvs = items.map(({ metadata }) => Number(metadata.resourceVersion))
    expect(Math.max(...rvs)).toBeLessThanOrEqual(rv)
    expect((await writes()) - rv).toBeLessThanOrEqual(10)
    for (const name of names.slice(0, 25)) remote.put(`prod/${name}`, `second-value-of-${name}`)
    await look()
    await eventually(() => valueOf('s24'), 'second-value-of-s24')
    await quiet()
    expect((await t.store.revisionsOf(projectUid)).closed).toBe(closed + 1)
    expect(remote.fetched).toHaveLength(fetched + 25)
    expect(await valueOf('s25')).toBe('first-value-of-s25')
  })

  it('fetches a value that is the same again once, and makes no version of it', async () => {
    await fresh()
    remote.put('prod/a', 'the-same-value')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    remote.put('prod/a', 'the-same-value')
    await look()
    expect(await statusOf('a')).toMatchObject({ version: 1, external: { version: 'v2' } })
    const before = remote.fetched.length
    await look()
    expect(remote.fetched).toHaveLength(before)
  })

  it('serves what it has while the store is away, and says when that is stale', async () => {
    await fresh()
    await create(objectOf('Notifier', ns, 'ops', noticesOf))
    remote.put('prod/a', 'a-value')
    await storeOf({ staleAfter: '1h' })
    await create(external('a'))
    await isChecked('a')
    remote.fail(() => new StoreFault('Unavailable', 'no answer came'))
    clock.leap(6 * minute)
    await eventually(() => conditionOf('Ready'), 'False/Unavailable')
    expect(await conditionOf('Fresh')).toBe('True/Checked')
    expect(await freshOf('a')).toBe('True/Checked')
    const { version } = await statusOf('a')
    clock.leap(60 * minute)
    await eventually(() => conditionOf('Fresh'), 'False/Stale')
    await eventually(() => freshOf('a'), 'False/Stale')
    expect(await valueOf('a')).toBe('a-value')
    expect((await statusOf('a')).version).toBe(version)
    const events = (await t.store.list('Event', { namespace: ns })).items.map(({ spec }) => spec)
    expect(events).toContainEqual(expect.objectContaining({ reason: 'StoreStale' }))
    const notices = await t.sql.query(
      `SELECT 1 FROM outbox WHERE notice->>'reason' = 'StoreStale' AND notice->>'team' = $1`,
      [ns],
    )
    expect(notices).toHaveLength(1)
    remote.fail(undefined)
    clock.leap(20 * minute)
    await eventually(() => conditionOf('Fresh'), 'True/Checked')
    await isChecked('a')
    expect(await conditionOf('Ready')).toBe('True/Accepted')
  })

  it('asks three times with a token that is not taken, and then no more until it changes', async () => {
    await fresh()
    remote.put('prod/a', 'a-value')
    remote.credential = 'another-token'
    await storeOf()
    await create(external('a'))
    for (let i = 0; i < 3; i++) {
      clock.leap(minute)
      await realClock.sleep(100)
    }
    await eventually(() => conditionOf('Ready'), 'False/Unauthorized')
    await eventually(() => remote.at.length, 3)
    for (let hour = 0; hour < 24; hour++) {
      clock.leap(day / 24)
      await realClock.sleep(5)
    }
    expect(remote.at).toHaveLength(3)
    // Also for whoever comes next.
    await stop()
    start()
    await realClock.sleep(300)
    expect(remote.at).toHaveLength(3)
    // Somebody asks: once.
    await ask(annotations.check, 'one')
    await eventually(() => remote.at.length, 4)
    await eventually(
      async () => ((await get('SecretStore', 'aws'))?.status as SecretStoreStatus).answered,
      { check: 'one' },
    )
    await changeSpec('StagelySecret', 'token', { value: 'another-token' })
    await isChecked('a')
    await eventually(() => conditionOf('Ready'), 'True/Accepted')
  })

  it('leaves a store alone for as long as it asks to be', async () => {
    await fresh()
    remote.put('prod/a', 'a-value')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    await quiet()
    remote.fail(() => new StoreFault('Throttled', 'too many calls', 120_000))
    clock.leap(6 * minute)
    await eventually(() => conditionOf('Throttled'), 'True/TooManyCalls')
    expect(await conditionOf('Ready')).toBe('True/Accepted')
    remote.fail(undefined)
    const asked = remote.at.length
    const since = remote.at.at(-1)!
    remote.put('prod/b', 'b-value')
    await create(external('b'))
    clock.leap(100_000)
    await realClock.sleep(500)
    expect(remote.at).toHaveLength(asked)
    clock.leap(40_000)
    await isChecked('b')
    expect(remote.at[asked]! - since).toBeGreaterThanOrEqual(120_000)
    expect(remote.at[asked]! - since).toBeGreaterThan(121_000)
    await eventually(() => conditionOf('Throttled'), 'False/Free')
  })

  it('never replaces a good value by an answer that is no value, and names each', async () => {
    await fresh()
    const good = { json: '{"a":"good-json"}', empty: 'good-empty', port: '8080', gone: 'good-gone' }
    for (const [name, value] of Object.entries(good)) remote.put(`prod/${name}`, value)
    remote.put('prod/locked', 'good-locked')
    await storeOf()
    await create(external('json', { property: '/a' }))
    await create(external('member', { key: 'prod/json', property: '/a' }))
    for (const name of ['empty', 'gone', 'locked']) await create(external(name))
    await create(external('port', {}, { format: 'port' }))
    const names = ['json', 'member', 'empty', 'gone', 'locked', 'port']
    for (const name of names) await isChecked(name)
    const before = await Promise.all(names.map(valueOf))
    remote.put('prod/json', '{"a":"cut-of')
    remote.put('prod/empty', '')
    remote.put('prod/port', 'canary-that-is-no-port')
    remote.remove('prod/gone')
    remote.forbid('prod/locked')
    await look()
    await eventually(
      () => Promise.all(names.map(freshOf)),
      [
        ...['False/Refused', 'False/Refused', 'False/Refused', 'False/MissingUpstream'],
        ...['False/ForbiddenUpstream', 'False/Refused'],
      ],
    )
    expect(await Promise.all(names.map(valueOf))).toEqual(before)
    expect(await messageOf('port')).not.toContain('canary')
    expect(await messageOf('json')).toContain('is not JSON')
    const fetched = remote.fetched.length
    await look()
    expect(remote.fetched).toHaveLength(fetched)
    remote.put('prod/json', '{"b":"x"}')
    remote.put('prod/gone', 'back-again')
    await look()
    await eventually(() => freshOf('json'), 'False/PropertyMissing')
    await isChecked('gone')
    expect(await valueOf('gone')).toBe('back-again')
  })

  it('removes what is missing in two looks, where it may, and stops where it is too much', async () => {
    await fresh()
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) remote.put(`prod/${name}`, `value-of-${name}`)
    await storeOf({ onMissing: 'Remove' })
    for (const name of names) await create(external(name))
    for (const name of names) await isChecked(name)
    remote.remove('prod/a')
    await look()
    expect(await freshOf('a')).toBe('False/MissingUpstream')
    await look()
    await eventually(() => get('StagelySecret', 'a'), undefined)
    expect((await t.store.deletedSecrets(projectUid)).map(({ name }) => name)).toEqual(['a'])
    for (const name of ['b', 'c', 'd']) remote.remove(`prod/${name}`)
    await look()
    await look()
    await eventually(() => conditionOf('Braked'), 'True/ManyMissing')
    await look()
    for (const name of ['b', 'c', 'd']) expect(await freshOf(name)).toBe('False/MissingUpstream')
    expect(await valueOf('b')).toBe('value-of-b')
    await ask(annotations.resumeStore, 'go on')
    await eventually(() => get('StagelySecret', 'd'), undefined)
    await eventually(() => conditionOf('Braked'), 'False/Free')
    expect(await valueOf('e')).toBe('value-of-e')
  })

  it('takes nothing for missing that a look says nothing of', async () => {
    await fresh()
    for (const name of ['a', 'b']) remote.put(`prod/${name}`, `value-of-${name}`)
    await storeOf({ onMissing: 'Remove' })
    for (const name of ['a', 'b']) await create(external(name))
    for (const name of ['a', 'b']) await isChecked(name)
    remote.omit('prod/a')
    await look()
    await look()
    expect(await freshOf('a')).toBe('True/Checked')
    expect(await valueOf('a')).toBe('value-of-a')
  })

  it('fetches nothing that the store does not allow, whoever writes the secret', async () => {
    await fresh()
    remote.put('other/db', 'a-secret-of-others')
    remote.put('prod/db', 'a-value')
    await storeOf()
    await create(external('other', { key: 'other/db' }))
    await create(external('elsewhere', { store: 'none' }))
    await eventually(() => freshOf('other'), 'False/NotAllowed')
    await eventually(() => freshOf('elsewhere'), 'False/StoreMissing')
    expect(await messageOf('other')).toContain('spec.allow.remote')
    await create(external('db'))
    await isChecked('db')
    await look()
    expect(remote.fetched).toEqual(['prod/db'])
    await changeSpec('SecretStore', 'aws', { allow: { projects: ['blog'], remote: ['*'] } })
    await eventually(() => freshOf('db'), 'False/NotAllowed')
    expect(await valueOf('db')).toBe('a-value')
    await changeSpec('SecretStore', 'aws', { allow: { projects: ['shop'], remote: ['*'] } })
    await isChecked('db')
    await isChecked('other')
  })

  it('goes on where a leader was stopped in the middle of a look', async () => {
    await fresh()
    for (const name of ['a', 'b']) remote.put(`prod/${name}`, `first-${name}`)
    await storeOf()
    for (const name of ['a', 'b']) await create(external(name))
    for (const name of ['a', 'b']) await isChecked(name)
    for (const name of ['a', 'b']) remote.put(`prod/${name}`, `second-${name}`)
    let release = (): void => undefined
    remote.holdFetch = new Promise((resolve) => (release = resolve))
    const { fetch } = remote.calls
    clock.leap(6 * minute)
    await eventually(() => remote.calls.fetch > fetch, true)
    const stopping = stop()
    release()
    await stopping
    expect(await valueOf('a')).toBe('first-a')
    remote.holdFetch = undefined
    start()
    await realClock.sleep(50)
    clock.leap(6 * minute)
    await eventually(() => valueOf('a'), 'second-a')
    await eventually(() => valueOf('b'), 'second-b')
    expect((await statusOf('a')).version).toBe(2)
    expect((await statusOf('b')).version).toBe(2)
  })

  it('is looked at when somebody asks, for a key alone too', async () => {
    await fresh()
    remote.put('prod/a', 'first-a')
    remote.put('prod/b', 'first-b')
    await storeOf({ refresh: { every: '10h' } })
    for (const name of ['a', 'b']) await create(external(name))
    for (const name of ['a', 'b']) await isChecked(name)
    await quiet()
    remote.put('prod/a', 'second-a')
    remote.put('prod/b', 'second-b')
    const { look: looks } = remote.calls
    await ask(annotations.refresh, 'now\nprod/a')
    await eventually(() => valueOf('a'), 'second-a')
    await quiet()
    expect(remote.calls.look).toBe(looks)
    expect(await valueOf('b')).toBe('first-b')
    await ask(annotations.refresh, 'again')
    await eventually(() => valueOf('b'), 'second-b')
    await eventually(
      async () => ((await get('SecretStore', 'aws'))?.status as SecretStoreStatus).answered,
      { refresh: 'again' },
    )
  })

  it('tells nobody whether a value has a format who may not read values', async () => {
    await fresh()
    const developer = { name: 'dev', source: 'api', mayReadValues: () => false }
    const asked = external('probe', {}, { format: 'regex', pattern: 'a.*' })
    await expect(createAs(t.store, developer, asked)).rejects.toMatchObject({
      reason: 'Forbidden',
    })
    await createAs(t.store, developer, external('plain'))
  })

  it('is the one place where its secrets change', async () => {
    await fresh()
    remote.put('prod/a', 'first-a')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    const ref = { kind: 'StagelySecret', namespace: ns, name: 'a' }
    await expect(t.store.write(api, {}, (tx) => tx.rollbackSecret(ref, 1))).rejects.toThrow(
      'it takes its value from store "aws"',
    )
  })
})
