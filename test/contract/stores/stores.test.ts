// Stores of secrets elsewhere: when they are asked, what comes of their answers, and what never does.
import { describe, expect, it, vi } from 'vitest'
import { StoreFault } from '../../../controller/stores/provider.ts'
import { realClock, toTimestamp } from '../../../src/kernel/clock.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { annotations, refOf } from '../../../src/resources/meta.ts'
import { wholeRights } from '../../../src/store/core/actor.ts'
import type { SecretStoreStatus } from '../../../src/kinds/secret-store/schema.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { deposed } from '../../../src/store/core/errors.ts'
import { reaches } from '../../support/eventually.ts'
import {
  api,
  createAs,
  objectOf,
  stageletOf,
  system,
} from '../../support/databases/store-fixtures.ts'
import { soak } from '../../support/soak.ts'
import { day, minute, useStoreWorld } from '../../support/stores/store-world.ts'
import { testNotifications } from './stores-notifications.contract.ts'

const webhook = { url: 'https://hooks.example.com/' }
const noticesOf = { reasons: ['StoreStale', 'StoreUnauthorized'], webhook }

describe('a SecretStore', () => {
  const w = useStoreWorld()
  const {
    start,
    stop,
    fresh,
    create,
    storeOf,
    external,
    get,
    changeSpec,
    valueOf,
    statusOf,
    conditionOf,
    freshOf,
    messageOf,
    isChecked,
    leapUntil,
    look,
    quiet,
    writes,
    ask,
    auditOf,
    clock,
  } = w

  it('gives its values to secrets as versions of their own, audited without the value', async () => {
    await fresh()
    w.remote.put('prod/db', JSON.stringify({ password: 'canary-of-the-store', port: 5432 }))
    w.remote.put('prod/plain', 'a-plain-value')
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
      updatedBy: `store:${w.ns}/aws`,
      external: { version: 'v1', fetchedAt: expect.any(String) as string },
    })
    await reaches(() => conditionOf('Ready'), 'True/Accepted')
    const { status } = (await get('SecretStore', 'aws'))!
    expect(status).toMatchObject({ provider: 'aws', identity: 'reader', secrets: 3 })
    // Two secrets of one key ask once.
    expect(w.remote.fetched.filter((key) => key === 'prod/db').length).toBeLessThanOrEqual(2)
    const all = await auditOf('fetch')
    expect(all).toHaveLength(3)
    for (const row of all) expect(row).toContain(`store:${w.ns}/aws`)
    expect(all.join()).toContain('prod/db')
    expect(all.join()).toContain('"remoteVersion":"v1"')
    expect(all.join()).not.toContain('canary-of-the-store')
  })

  it('makes one revision of what changes in one look, and nothing of what does not', async () => {
    await fresh()
    await create(stageletOf(w.ns, 'web'))
    const names = Array.from({ length: soak(200, 10_000) }, (_, i) => `s${i}`)
    for (const name of names) w.remote.put(`prod/${name}`, `first-value-of-${name}`)
    await storeOf()
    await w.t.store.write(api, {}, async (tx) => {
      for (const name of names) await tx.create(external(name))
    })
    const questions = vi.spyOn(w.t.sql, 'query')
    for (const name of names) await isChecked(name)
    // One question to the database for all that have no value yet, and not one each.
    const ofReads = questions.mock.calls.filter(([text]) => text.includes('counters'))
    expect(questions.mock.calls.length - ofReads.length).toBeLessThan(names.length / 2)
    questions.mockRestore()
    await quiet()
    const { closed } = await w.t.store.revisionsOf(w.projectUid)
    const fetched = w.remote.fetched.length
    const rv = await writes()
    const asked = w.remote.at.length
    for (let i = 0; i < 10; i++) {
      const all = w.remote.calls.look + names.length / 100
      await leapUntil(6 * minute, () => w.remote.calls.look >= all, true)
    }
    await quiet()
    // In an hour; 25 a minute for 10,000 of them.
    expect(w.remote.at.length - asked).toBeLessThanOrEqual((names.length / 10_000) * 25 * 60)
    // Nothing changed: nothing is fetched, and only the store's own status is written, every 10 minutes.
    expect(w.remote.fetched).toHaveLength(fetched)
    const { items } = await w.t.store.list('StagelySecret', { namespace: w.ns })
    const rvs = items.map(({ metadata }) => Number(metadata.resourceVersion))
    expect(Math.max(...rvs)).toBeLessThanOrEqual(rv)
    expect((await writes()) - rv).toBeLessThanOrEqual(10)
    for (const name of names.slice(0, 25)) w.remote.put(`prod/${name}`, `second-value-of-${name}`)
    await look()
    await reaches(() => valueOf('s24'), 'second-value-of-s24')
    await quiet()
    expect((await w.t.store.revisionsOf(w.projectUid)).closed).toBe(closed + 1)
    expect(w.remote.fetched).toHaveLength(fetched + 25)
    expect(await valueOf('s25')).toBe('first-value-of-s25')
  })

  it('knows when a value ends where the store says so, without fetching it for that', async () => {
    await fresh()
    w.remote.put('prod/a', 'the-first-value')
    w.remote.end('prod/a', '2030-01-01T00:00:00Z')
    await storeOf()
    await create(external('a', {}, { expiry: { at: '2040-01-01T00:00:00Z' } }))
    await isChecked('a')
    expect(await statusOf('a')).toMatchObject({
      expiresAt: '2030-01-01T00:00:00Z',
      expiresFrom: 'Store',
    })
    const conditions = async () => (await statusOf('a')).conditions
    expect(findCondition(await conditions(), 'Expiring')?.message).toContain('store')
    const fetched = w.remote.fetched.length
    w.remote.end('prod/a', '2035-01-01T00:00:00Z')
    await look()
    expect(await statusOf('a')).toMatchObject({ version: 1, expiresAt: '2035-01-01T00:00:00Z' })
    expect(w.remote.fetched).toHaveLength(fetched)
    const rv = (await get('StagelySecret', 'a'))!.metadata.resourceVersion
    await look()
    expect((await get('StagelySecret', 'a'))!.metadata.resourceVersion).toBe(rv)
    // A warning that was told says the end that has moved: the reconciler finds no news of it.
    const soon = () => {
      const at = toTimestamp(clock.now() + 60 * minute)
      w.remote.end('prod/a', at)
      return at
    }
    soon()
    await look()
    expect(findCondition(await conditions(), 'Expiring')?.status).toBe('False')
    const secret = (await get('StagelySecret', 'a'))!
    await w.t.store.write(system, {}, (tx) => tx.setConditions(refOf(secret), [{ type: 'Expiring', status: 'True', reason: 'DueIn1d', message: '', observedGeneration: 1 }])) // prettier-ignore
    const end = soon()
    await look()
    expect(findCondition(await conditions(), 'Expiring')).toMatchObject({
      status: 'True',
      reason: 'DueIn1d',
      message: expect.stringContaining(end) as string,
    })
    w.remote.put('prod/a', 'a-value-without-an-end')
    await look()
    expect(await statusOf('a')).toMatchObject({
      version: 2,
      expiresAt: '2040-01-01T00:00:00Z',
      expiresFrom: 'Spec',
    })
  })

  it('fetches the value again for a secret that had another one meanwhile', async () => {
    await fresh()
    w.remote.put('prod/a', 'of-the-store')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    const { valueFrom } = (await get('StagelySecret', 'a'))!.spec as { valueFrom: object }
    await changeSpec('StagelySecret', 'a', { valueFrom: undefined, value: 'by-hand' })
    expect(await valueOf('a')).toBe('by-hand')
    await changeSpec('StagelySecret', 'a', { valueFrom, value: undefined })
    await reaches(() => valueOf('a'), 'of-the-store')
    await isChecked('a')
  })

  it('fetches a value that is the same again once, and makes no version of it', async () => {
    await fresh()
    w.remote.put('prod/a', 'the-same-value')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    w.remote.put('prod/a', 'the-same-value')
    await look()
    expect(await statusOf('a')).toMatchObject({ version: 1, external: { version: 'v2' } })
    const before = w.remote.fetched.length
    await look()
    expect(w.remote.fetched).toHaveLength(before)
  })

  it('serves what it has while the store is away, and says when that is stale', async () => {
    await fresh()
    await create(objectOf('Notifier', w.ns, 'ops', noticesOf))
    w.remote.put('prod/a', 'a-value')
    await storeOf({ staleAfter: '1h' })
    await create(external('a'))
    await isChecked('a')
    w.remote.fail(() => new StoreFault('Unavailable', 'no answer came'))
    await look()
    await reaches(() => conditionOf('Ready'), 'False/Unavailable')
    expect(await conditionOf('Fresh')).toBe('True/Checked')
    expect(await freshOf('a')).toBe('True/Checked')
    const { version } = await statusOf('a')
    const { closed } = await w.t.store.revisionsOf(w.projectUid)
    await leapUntil(60 * minute, () => conditionOf('Fresh'), 'False/Stale')
    await reaches(() => freshOf('a'), 'False/Stale')
    expect(await valueOf('a')).toBe('a-value')
    expect((await statusOf('a')).version).toBe(version)
    // Nothing is to be re-created, and a machine that is new gets what there is.
    expect((await w.t.store.revisionsOf(w.projectUid)).closed).toBe(closed)
    await create(stageletOf(w.ns, 'new'))
    const reader = { stagelet: 'new', agent: 'new-machine' }
    const set = await w.t.store.openSet(w.projectUid, closed, reader)
    expect(set.map(({ value }) => value.toString())).toEqual(['a-value'])
    const events = (await w.t.store.list('Event', { namespace: w.ns })).items.map(
      ({ spec }) => spec,
    )
    expect(events).toContainEqual(expect.objectContaining({ reason: 'StoreStale' }))
    const notices = await w.t.sql.query(
      `SELECT 1 FROM outbox WHERE notice->>'reason' = 'StoreStale' AND notice->>'team' = $1`,
      [w.ns],
    )
    expect(notices).toHaveLength(1)
    w.remote.fail(undefined)
    await leapUntil(20 * minute, () => conditionOf('Fresh'), 'True/Checked')
    await isChecked('a')
    expect(await conditionOf('Ready')).toBe('True/Accepted')
  })

  it('asks three times with a token that is not taken, tells people, and then asks once an hour, at a start, and when it changes', async () => {
    await fresh()
    await create(objectOf('Notifier', w.ns, 'ops', noticesOf))
    w.remote.put('prod/a', 'a-value')
    w.remote.credential = 'another-token'
    await storeOf()
    await create(external('a'))
    for (const times of [1, 2, 3]) await leapUntil(minute, () => w.remote.at.length >= times, true)
    await reaches(() => conditionOf('Ready'), 'False/Unauthorized')
    await quiet()
    expect(w.remote.at).toHaveLength(3)
    clock.leap(day / 20)
    await reaches(() => w.remote.at.length, 4)
    await stop()
    start()
    await reaches(() => w.remote.at.length, 5)
    const told = `SELECT 1 FROM outbox WHERE notice->>'reason' = 'StoreUnauthorized' AND notice->>'team' = $1`
    expect(await w.t.sql.query(told, [w.ns])).toHaveLength(1)
    // Somebody asks: once.
    await ask(annotations.check, 'one')
    await reaches(() => w.remote.at.length, 6)
    await reaches(
      async () => ((await get('SecretStore', 'aws'))?.status as SecretStoreStatus).answered,
      { check: 'one' },
    )
    await changeSpec('StagelySecret', 'token', { value: 'another-token' })
    await isChecked('a')
    await reaches(() => conditionOf('Ready'), 'True/Accepted')
  })

  it('leaves a store alone for as long as it asks to be', async () => {
    await fresh()
    w.remote.put('prod/a', 'a-value')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    await quiet()
    w.remote.fail(() => new StoreFault('Throttled', 'too many calls', 120_000))
    await leapUntil(6 * minute, () => conditionOf('Throttled'), 'True/TooManyCalls')
    expect(await conditionOf('Ready')).toBe('True/Accepted')
    w.remote.fail(undefined)
    const asked = w.remote.at.length
    const since = w.remote.at.at(-1)!
    w.remote.put('prod/b', 'b-value')
    await create(external('b'))
    clock.leap(100_000)
    await realClock.sleep(500)
    expect(w.remote.at).toHaveLength(asked)
    // Whoever asks meanwhile is told so, and does not wait.
    await ask(annotations.check, 'now')
    const answered = async (): Promise<unknown> =>
      ((await get('SecretStore', 'aws'))?.status as SecretStoreStatus).answered?.check
    await reaches(answered, 'now')
    expect(w.remote.at).toHaveLength(asked)
    clock.leap(40_000)
    await isChecked('b')
    expect(w.remote.at[asked]! - since).toBeGreaterThanOrEqual(120_000)
    expect(w.remote.at[asked]! - since).toBeGreaterThan(121_000)
    await reaches(() => conditionOf('Throttled'), 'False/Free')
  })

  it('never replaces a good value by an answer that is no value, and names each', async () => {
    await fresh()
    const good = { json: '{"a":"good-json"}', empty: 'good-empty', port: '8080', gone: 'good-gone' }
    for (const [name, value] of Object.entries(good)) w.remote.put(`prod/${name}`, value)
    w.remote.put('prod/locked', 'good-locked')
    await storeOf()
    await create(external('json', { property: '/a' }))
    await create(external('member', { key: 'prod/json', property: '/a' }))
    for (const name of ['empty', 'gone', 'locked']) await create(external(name))
    await create(external('port', {}, { format: 'port' }))
    const names = ['json', 'member', 'empty', 'gone', 'locked', 'port']
    for (const name of names) await isChecked(name)
    const before = await Promise.all(names.map(valueOf))
    w.remote.put('prod/json', '{"a":"cut-of')
    w.remote.put('prod/empty', '')
    w.remote.put('prod/port', 'canary-that-is-no-port')
    w.remote.remove('prod/gone')
    w.remote.forbid('prod/locked')
    await look()
    await reaches(
      () => Promise.all(names.map(freshOf)),
      [
        ...['False/Refused', 'False/Refused', 'False/Refused', 'False/MissingUpstream'],
        ...['False/ForbiddenUpstream', 'False/Refused'],
      ],
    )
    expect(await Promise.all(names.map(valueOf))).toEqual(before)
    expect(await messageOf('port')).not.toContain('canary')
    expect(await messageOf('json')).toContain('is not JSON')
    const fetched = w.remote.fetched.length
    await look()
    expect(w.remote.fetched).toHaveLength(fetched)
    w.remote.put('prod/json', '{"b":"x"}')
    w.remote.put('prod/gone', 'back-again')
    await look()
    await reaches(() => freshOf('json'), 'False/PropertyMissing')
    await isChecked('gone')
    expect(await valueOf('gone')).toBe('back-again')
  })

  it('keeps every value where the store itself answers nonsense, or has lost half of them', async () => {
    await fresh()
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) w.remote.put(`prod/${name}`, `value-of-${name}`)
    await storeOf()
    for (const name of names) await create(external(name))
    for (const name of names) await isChecked(name)
    for (const [kind, message] of [
      ['Unavailable', 'AWS answers with a redirect, which is not followed'],
      ['Malformed', 'the answer is not JSON'],
    ] as const) {
      w.remote.fail(() => new StoreFault(kind, message))
      await leapUntil(20 * minute, () => conditionOf('Ready'), `False/${kind}`)
      const { conditions } = (await get('SecretStore', 'aws'))!.status as SecretStoreStatus
      expect(findCondition(conditions, 'Ready')?.message).toContain(message)
    }
    w.remote.fail(undefined)
    for (const name of ['a', 'b']) w.remote.remove(`prod/${name}`)
    await leapUntil(20 * minute, () => Promise.all(names.map(freshOf)), [
      'False/MissingUpstream',
      'False/MissingUpstream',
      'True/Checked',
      'True/Checked',
    ])
    expect(await Promise.all(names.map(valueOf))).toEqual(names.map((name) => `value-of-${name}`))
    for (const name of names) expect((await statusOf(name)).version).toBe(1)
  })

  it('removes what is missing in two looks, where it may, and stops where it is too much', async () => {
    await fresh()
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) w.remote.put(`prod/${name}`, `value-of-${name}`)
    await storeOf({ onMissing: 'Remove' })
    for (const name of names) await create(external(name))
    for (const name of names) await isChecked(name)
    w.remote.remove('prod/a')
    await look()
    expect(await freshOf('a')).toBe('False/MissingUpstream')
    await look()
    await reaches(() => get('StagelySecret', 'a'), undefined)
    expect((await w.t.store.deletedSecrets(w.projectUid)).map(({ name }) => name)).toEqual(['a'])
    for (const name of ['b', 'c', 'd']) w.remote.remove(`prod/${name}`)
    await look()
    await look()
    await reaches(() => conditionOf('Braked'), 'True/ManyMissing')
    await look()
    for (const name of ['b', 'c', 'd']) expect(await freshOf(name)).toBe('False/MissingUpstream')
    expect(await valueOf('b')).toBe('value-of-b')
    await ask(annotations.resumeStore, 'go on')
    await reaches(() => get('StagelySecret', 'd'), undefined)
    await reaches(() => conditionOf('Braked'), 'False/Free')
    expect(await valueOf('e')).toBe('value-of-e')
  })

  it('takes nothing for missing that a look says nothing of', async () => {
    await fresh()
    for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `value-of-${name}`)
    await storeOf({ onMissing: 'Remove' })
    for (const name of ['a', 'b']) await create(external(name))
    for (const name of ['a', 'b']) await isChecked(name)
    w.remote.omit('prod/a')
    await look()
    await look()
    expect(await freshOf('a')).toBe('True/Checked')
    expect(await valueOf('a')).toBe('value-of-a')
  })

  it('fetches nothing that the store does not allow, whoever writes the secret', async () => {
    await fresh()
    w.remote.put('other/db', 'a-secret-of-others')
    w.remote.put('prod/db', 'a-value')
    await storeOf()
    await create(external('other', { key: 'other/db' }))
    await create(external('elsewhere', { store: 'none' }))
    await reaches(() => freshOf('other'), 'False/NotAllowed')
    await reaches(() => freshOf('elsewhere'), 'False/StoreMissing')
    expect(await messageOf('other')).toContain('spec.allow.remote')
    await create(external('db'))
    await isChecked('db')
    await look()
    expect(w.remote.fetched).toEqual(['prod/db'])
    await changeSpec('SecretStore', 'aws', { allow: { projects: ['blog'], remote: ['*'] } })
    await reaches(() => freshOf('db'), 'False/NotAllowed')
    expect(await valueOf('db')).toBe('a-value')
    await changeSpec('SecretStore', 'aws', { allow: { projects: ['shop'], remote: ['*'] } })
    await isChecked('db')
    await isChecked('other')
  })

  it('goes on where a leader was stopped in the middle of a look', async () => {
    await fresh()
    for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `first-${name}`)
    await storeOf()
    for (const name of ['a', 'b']) await create(external(name))
    for (const name of ['a', 'b']) await isChecked(name)
    for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `second-${name}`)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    w.remote.holdFetch = () => held
    const { fetch } = w.remote.calls
    await leapUntil(6 * minute, () => w.remote.calls.fetch > fetch, true)
    const stopping = stop()
    release()
    await stopping
    expect(await valueOf('a')).toBe('first-a')
    w.remote.holdFetch = undefined
    start()
    await leapUntil(6 * minute, () => valueOf('a'), 'second-a')
    await reaches(() => valueOf('b'), 'second-b')
    expect((await statusOf('a')).version).toBe(2)
    expect((await statusOf('b')).version).toBe(2)
  })

  it('makes one revision of more than one write, and ends the same where its controller is gone between two', async () => {
    await fresh()
    await stop()
    const inOne = 50
    start({ inOne })
    const names = Array.from({ length: inOne + 10 }, (_, i) => `s${i}`)
    for (const name of names) w.remote.put(`prod/${name}`, `first-${name}`)
    await storeOf()
    await w.t.store.write(api, {}, async (tx) => {
      for (const name of names) await tx.create(external(name))
    })
    const versions = async (): Promise<number[]> => {
      const { items } = await w.t.store.list('StagelySecret', { namespace: w.ns })
      return items.flatMap(({ status, metadata }) =>
        metadata.name === 'token' ? [] : ((status as SecretStatus).version ?? 0),
      )
    }
    const count = async (version: number): Promise<number> =>
      (await versions()).filter((one) => one === version).length
    await reaches(() => count(1), names.length)
    await quiet()
    // More than go into one write: one revision all the same.
    const { closed } = await w.t.store.revisionsOf(w.projectUid)
    for (const name of names) w.remote.put(`prod/${name}`, `second-${name}`)
    await look()
    await reaches(() => count(2), names.length)
    await quiet()
    expect((await w.t.store.revisionsOf(w.projectUid)).closed).toBe(closed + 1)
    await stop()
    for (const name of names) w.remote.put(`prod/${name}`, `third-${name}`)
    // After the first part of its change set this one writes nothing any more, as one that was killed.
    const writesOf = { left: Infinity }
    const { store } = w.t
    const write: typeof store.write = (actor, options, work) => {
      if (options.changeSet !== undefined) writesOf.left = Math.min(writesOf.left, 1)
      if (writesOf.left <= 0) throw deposed(1, 2)
      writesOf.left -= 1
      return store.write(actor, options, work)
    }
    const dying = new Proxy(store, {
      get: (target, name) => {
        if (name === 'write') return write
        const found = Reflect.get(target, name) as unknown
        return typeof found === 'function' ? (found.bind(target) as unknown) : found
      },
    })
    start({ store: dying, inOne })
    await leapUntil(6 * minute, () => count(3), inOne)
    await stop()
    const fetched = w.remote.fetched.length
    start({ inOne })
    await leapUntil(6 * minute, () => count(3), names.length)
    expect(w.remote.fetched).toHaveLength(fetched + 10)
    expect(await valueOf('s59')).toBe('third-s59')
  })

  it('gives a new secret its value while a long look goes on', async () => {
    await fresh()
    for (const name of ['a', 'b']) w.remote.put(`prod/${name}`, `first-${name}`)
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    await quiet()
    w.remote.put('prod/a', 'second-a')
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const { fetch } = w.remote.calls
    w.remote.holdFetch = () => held
    await leapUntil(6 * minute, () => w.remote.calls.fetch > fetch, true)
    w.remote.holdFetch = undefined
    await create(external('b'))
    await isChecked('b')
    expect(await valueOf('b')).toBe('first-b')
    expect(await valueOf('a')).toBe('first-a')
    // What somebody asks for goes beside it too, and is not taken back by what the look had read before.
    w.remote.put('prod/a', 'third-a')
    await ask(annotations.refresh, 'now\nprod/a')
    await reaches(() => valueOf('a'), 'third-a')
    release()
    await quiet()
    expect(await valueOf('a')).toBe('third-a')
    expect((await statusOf('a')).version).toBe(2)
  })

  it('is looked at when somebody asks, for a key alone too', async () => {
    await fresh()
    w.remote.put('prod/a', 'first-a')
    w.remote.put('prod/b', 'first-b')
    await storeOf({ refresh: { every: '10h' } })
    for (const name of ['a', 'b']) await create(external(name))
    for (const name of ['a', 'b']) await isChecked(name)
    await quiet()
    w.remote.put('prod/a', 'second-a')
    w.remote.put('prod/b', 'second-b')
    const { look: looks } = w.remote.calls
    await ask(annotations.refresh, 'now\nprod/a')
    await reaches(() => valueOf('a'), 'second-a')
    await quiet()
    expect(w.remote.calls.look).toBe(looks)
    expect(await valueOf('b')).toBe('first-b')
    await ask(annotations.refresh, 'again')
    await reaches(() => valueOf('b'), 'second-b')
    await reaches(
      async () => ((await get('SecretStore', 'aws'))?.status as SecretStoreStatus).answered,
      { refresh: 'again' },
    )
  })

  testNotifications(w)

  it('tells nobody whether a value has a format who may not read values', async () => {
    await fresh()
    const authority = { ...wholeRights, mayReadValues: () => false }
    const developer = { name: 'dev', source: 'api', authority }
    const asked = external('probe', {}, { format: 'regex', pattern: 'a.*' })
    await expect(createAs(w.t.store, developer, asked)).rejects.toMatchObject({
      reason: 'Forbidden',
    })
    await createAs(w.t.store, developer, external('plain'))
  })

  it('is the one place where its secrets change', async () => {
    await fresh()
    w.remote.put('prod/a', 'first-a')
    await storeOf()
    await create(external('a'))
    await isChecked('a')
    const ref = { kind: 'StagelySecret', namespace: w.ns, name: 'a' }
    await expect(w.t.store.write(api, {}, (tx) => tx.rollbackSecret(ref, 1))).rejects.toThrow(
      'it takes its value from store "aws"',
    )
    // A rollback of the project leaves them as they are, too.
    const { closed } = await w.t.store.revisionsOf(w.projectUid)
    w.remote.put('prod/a', 'second-a')
    await look()
    const goBack = () =>
      w.t.store.write(api, {}, (tx) =>
        tx.rollbackProject({ ...ref, kind: 'Project', name: 'shop' }, { revision: closed }),
      )
    expect(await goBack()).toMatchObject({ kept: ['a'], diff: { changed: [] } })
    expect(await valueOf('a')).toBe('second-a')
    // One that was deleted comes back, and is fetched anew.
    await w.t.store.write(api, {}, (tx) => tx.remove(ref))
    expect(await goBack()).toMatchObject({ kept: [], diff: { added: [{ name: 'a' }] } })
    await reaches(() => valueOf('a'), 'second-a')
    await isChecked('a')
  })
})
