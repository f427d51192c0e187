// Commits whose connection is cut, and of controllers that want the same at once.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { commit, readCounters, wasCommitted } from '../../../src/store/log/commit.ts'
import type { ObjectRef } from '../../../src/resources/meta.ts'
import { openStore, type Opened } from '../../../src/store/open/open-store.ts'
import { passes } from '../../support/eventually.ts'
import { DatabaseRelay } from '../../support/databases/database-relay.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import { localKeyRing } from '../../support/keys.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  secretOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'
import { keepForLater } from '../../support/databases/set-back.ts'
import { stateAndTables } from '../../support/databases/state-of-tables.ts'
import { soak } from '../../support/soak.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'

const nobody = { tip: undefined, leader: undefined, origin: undefined }

describe('a commit whose connection is cut', () => {
  let database: TestDatabase
  let relay: DatabaseRelay
  let opened: Opened
  const dataDir = mkdtempSync(join(tmpdir(), 'stagely-commit-'))
  beforeAll(async () => {
    database = await freshDatabase()
    relay = await DatabaseRelay.start(database.url)
    opened = await openStore({
      databaseUrl: relay.url,
      dataDir,
      keyRing: localKeyRing(testMasterKey),
      clock: realClock,
      log: silentLogger,
    })
  })
  afterAll(async () => {
    await opened.close()
    await relay.close()
    await database.drop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('is found out, at whatever byte of the answer or of the request it is', async () => {
    const { store, sql } = opened
    const { ns } = await createShop(store)
    const commits = soak(100, 10_000)
    const [secrets, step] = [commits / 10, soak(4, 1)]
    /** Longer than an answer, and than what of a request comes before its values. */
    const longest = 400
    for (let i = 0; i < commits; i++) {
      const of = i % 4 === 3 ? 'requests' : 'answers'
      relay.cutAfter((i * step) % longest, of)
      const secret = secretOf(ns, `s-${i % secrets}`, { value: `value ${i}` })
      await (i < secrets ? createAs : updateAs)(store, api, secret)
    }
    expect(relay.cuts).toBeGreaterThan(commits / 2)
    const { items } = await store.list('StagelySecret', { namespace: ns })
    expect(items.map(({ status }) => status?.['version'])).toEqual(
      Array.from({ length: secrets }, () => 10),
    )
    const audited = await sql.query<{ action: string; times: number }>(
      `SELECT action, count(*)::int AS times FROM audit WHERE kind = 'StagelySecret' AND namespace = $1
       GROUP BY action ORDER BY action`,
      [ns],
    )
    expect(audited).toEqual([
      { action: 'create', times: secrets },
      { action: 'update', times: commits - secrets },
    ])
    const { state, tables } = await stateAndTables(opened)
    expect(state).toEqual(tables)
  })

  it('is not stored later, where it was found that it is not there', async () => {
    const { sql } = opened
    const one = { id: randomUUID(), at: 1 }
    expect(await wasCommitted(sql, one)).toBe(false)
    const { rv } = await readCounters(sql, randomUUID())
    const late = { expected: rv, next: rv + 1, ...nobody }
    const payload = { objects: '[]', more: '{}', lists: [] }
    await expect(commit(sql, { ...one, ...late, payload })).rejects.toThrow(/commits_pkey/)
    expect(await readCounters(sql, randomUUID())).toMatchObject({ rv })
  })

  it('is found to be there', async () => {
    const { sql } = opened
    const one = { id: randomUUID(), at: 1 }
    const { rv } = await readCounters(sql, randomUUID())
    const all = { ...one, expected: rv, next: rv, ...nobody }
    await commit(sql, { ...all, payload: { objects: '[]', more: '{}', lists: [] } })
    expect(await wasCommitted(sql, one)).toBe(true)
  })
})

describe('a database that has lost commits', () => {
  let t: TestStore
  let ns: string
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'))
    ns = (await createShop(t.store)).ns
  })
  afterAll(() => t.destroy({ wasTampered: true }))

  const named = (name: string): ObjectRef<'Project'> => ({ kind: 'Project', namespace: ns, name })
  const create = (opened: Opened, name: string): Promise<unknown> =>
    createAs(opened.store, api, objectOf('Project', ns, name, {}))

  it('counts as restored, and nobody goes on with what it had', async () => {
    const other = await t.again()
    const setBack = await keepForLater(t.sql)
    await create(t, 'lost-1')
    await create(other, 'lost-2')
    const { resourceVersion: known } = await other.store.list('Project')
    await setBack()

    await expect(t.store.list('Project')).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    await expect(create(other, 'late')).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    expect(await t.store.health()).toMatchObject({ ok: false, failed: 'database' })
    await Promise.all([t.outdated, other.outdated])

    const anew = await t.again()
    const { state, tables } = await stateAndTables(anew)
    expect(state).toEqual(tables)
    expect(await anew.store.get(named('lost-1'))).toBeUndefined()
    await create(anew, 'lost-1')
    expect(anew.store.state.rv).toBeGreaterThan(known)
    expect(anew.store.state.epoch).toBeGreaterThan(t.store.state.epoch)
    const watch = anew.store.watch(known, new AbortController().signal)
    await expect(watch.next()).rejects.toMatchObject({ reason: 'Expired' })
    const told = await anew.sql.query<{ detail: string }>(
      "SELECT detail FROM audit WHERE action = 'lost commits'",
    )
    expect(told.map(({ detail }) => JSON.parse(detail) as unknown)).toEqual([
      expect.objectContaining({ lost: true, knownVersion: expect.any(Number) as unknown }),
    ])
  })

  it('takes no commit on top of one that it has lost', async () => {
    const opened = await t.again()
    await create(opened, 'kept')
    const { rv, tip } = opened.store.state
    const one = { id: randomUUID(), at: 1, expected: rv, next: rv + 1, ...nobody }
    const payload = { objects: '[]', more: '{}', lists: [] }
    expect(await commit(opened.sql, { ...one, tip: randomUUID(), payload })).toMatchObject({
      done: false,
      rv,
      tip: tip?.id,
    })
    expect(await commit(opened.sql, { ...one, tip: tip?.id, payload })).toMatchObject({
      done: true,
      tip: one.id,
    })
  })

  it('is known from one whose old commits were dropped', async () => {
    const opened = await t.again()
    await create(opened, 'newest')
    const { epoch } = opened.store.state
    await opened.store.compact(realClock.now() + 3_600_000)
    // The newest commit stays, whatever its age.
    await opened.store.list('Project')
    await opened.sql.exec('DELETE FROM commits')
    await opened.sql.exec('UPDATE counters SET tip = gen_random_uuid()')
    expect((await opened.store.list('Project')).items).toHaveLength(4)
    expect(opened.store.state.epoch).toBe(epoch)
  })
})

describe('a controller that is alone', () => {
  let t: TestStore
  let asked = 0
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), {})
    const { sql } = t
    const query = sql.query.bind(sql)
    sql.query = (text, params) => {
      if (text.includes('counters')) asked += 1
      return query(text, params)
    }
  })
  afterAll(() => t.destroy())
  const descriptionIn = async (store: Opened['store'], ns: string): Promise<unknown> =>
    (await store.get({ kind: 'Project', namespace: ns, name: 'shop' }))?.spec?.['description']

  it('does not ask the database before it reads', async () => {
    const { ns } = await createShop(t.store)
    // Of who has made the template of the database.
    await t.sql.query('DELETE FROM replicas WHERE id <> $1', [t.replicas.id])
    await realClock.sleep(300)
    asked = 0
    for (let i = 0; i < 100 || asked === 0; i++) await descriptionIn(t.store, ns)
    expect(asked).toBeLessThan(50)
    // Once a second.
    await passes(async () => {
      await descriptionIn(t.store, ns)
      return asked > 0
    })
    // Own writes wait for nobody: one of another replica would wait for an hour.
    const takeFor = (time: string): Promise<unknown> =>
      t.sql.query(`UPDATE counters SET alone_until = clock_timestamp() + '${time}' RETURNING alone`)
    expect(await takeFor('1 hour')).toEqual([{ alone: t.replicas.id }])
    await updateAs(t.store, api, objectOf('Project', ns, 'shop', { description: 'own' }))
    await takeFor('1 second')
  })

  it('reads what another writes, from its answer on, also where it has not seen the other yet', async () => {
    const { ns } = await createShop(t.store)
    const other = await t.again()
    for (const beats of [true, false]) {
      if (beats) await other.replicas.beat()
      else await t.sql.query('DELETE FROM replicas WHERE id = $1', [other.replicas.id])
      for (const [writer, reader] of [
        [other.store, t.store],
        [t.store, other.store],
      ] as const) {
        await descriptionIn(reader, ns)
        const description = randomUUID()
        await updateAs(writer, api, objectOf('Project', ns, 'shop', { description }))
        expect(await descriptionIn(reader, ns)).toBe(description)
      }
    }
  })
})

describe('three controllers that want the same at once', () => {
  let t: TestStore
  let stores: Opened['store'][]
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), {})
    stores = [t.store, (await t.again()).store, (await t.again()).store]
  })
  // destroy() compares the state of each of them with the tables.
  afterAll(() => t.destroy())

  it('find one name free for one of them only', async () => {
    const { ns } = await createShop(t.store)
    const made = await Promise.allSettled(
      stores.map((store) => createAs(store, api, objectOf('Project', ns, 'one'))),
    )
    expect(made.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
  })
})
