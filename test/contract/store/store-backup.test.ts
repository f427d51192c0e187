// Backup and restore, on both databases and across them.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { versionIn } from '../../../controller/http/version-text.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { writeBackup } from '../../../src/store/backup/dump.ts'
import type { Sql } from '../../../src/store/drivers/sql.ts'
import {
  checkBackup,
  restoreBackup,
  type RestoreSummary,
} from '../../../src/store/backup/restore.ts'
import { openDatabase, type Opened } from '../../../src/store/open/open-store.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { localKeyRing } from '../../support/keys.ts'
import {
  openTestStore,
  testMasterKey,
  type TestStore,
} from '../../support/databases/open-test-store.ts'
import {
  api,
  createAs,
  createShop,
  objectOf,
  secretOf,
  updateAs,
} from '../../support/databases/store-fixtures.ts'

const canary = 'canary-8d1f7a20'
const delivery = { stagelet: 'prod', agent: 'box' }
const staged = { rotationUid: randomUUID(), attempt: 2, role: 'new' } as const
const candidate = { slot: 'app_b', values: { password: `${canary}-staged` } }
const close = { changeSet: { id: 'x', last: true } }
const odd = 'a\0b\ud800c\\u0000'
const oddFact = { action: 'test', detail: { odd } }
const oddShown = 'a\ufffdb\ufffdc\\u0000'

/** Puts texts that databases do not take into objects and the audit log, also as an earlier program did. */
const putOddTexts = async ({ store, audit, sql }: Opened, ns: string): Promise<void> => {
  const made = await createAs(store, api, objectOf('Project', ns, 'odd'))
  await store.write(api, {}, (tx) => tx.setStatus({ ...made, status: { ...made.status, odd } }))
  await audit.record(api, { kind: 'Project', namespace: ns, name: 'odd' }, oddFact)
  await sql.query(`UPDATE audit SET detail = '{"old":"a\\u0000b"}'::json WHERE action = 'create'`)
}

const expectOddTexts = async ({ store, sql }: Opened, namespace: string): Promise<void> => {
  const project = await store.get({ kind: 'Project', namespace, name: 'odd' })
  expect(project?.status).toMatchObject({ odd: oddShown })
  const [row] = await sql.query<{ detail: string }>(
    `SELECT detail::text FROM audit WHERE action = 'test'`,
  )
  expect(JSON.parse(row!.detail)).toEqual({ odd: oddShown })
}

/** Tells for how long the transaction of the backup may be idle while its rows are read. */
const watchIdle = (sql: Sql, found: (limit: string) => void): Sql => ({
  ...sql,
  transaction: (fn) =>
    sql.transaction((tx) =>
      fn({
        exec: (text) => tx.exec(text),
        query: async (text, params) => {
          const show = 'SHOW idle_in_transaction_session_timeout'
          if (text.startsWith('FETCH'))
            for (const row of await tx.query<Record<string, string>>(show))
              Object.values(row).forEach(found)
          return tx.query(text, params)
        },
      }),
    ),
})

describe.each([
  ['PGlite', (): string | undefined => undefined],
  ['Postgres', (): string | undefined => inject('postgresUrl')],
] as const)('a backup of %s', (_, url) => {
  const dir = mkdtempSync(join(tmpdir(), 'stagely-backup-'))
  const path = join(dir, 'one.backup')
  let t: TestStore
  let shop: { ns: string; projectUid: string }
  let session: string
  const idleLimits = new Set<string>()
  beforeAll(async () => {
    t = await openTestStore(url())
    shop = await createShop(t.store)
    await t.store.write(api, close, (tx) => tx.create(secretOf(shop.ns, 'db', { value: canary })))
    const project = { kind: 'Project', namespace: shop.ns, name: 'shop' }
    await t.store.write(api, {}, (tx) => tx.stage(project, staged, candidate))
    await t.store.write(api, {}, (tx) =>
      tx.create(
        objectOf('Rotation', shop.ns, 'signing', {
          projectRef: { name: 'shop' },
          outputs: { current: 'sign' },
          rotator: { generate: {} },
        }),
      ),
    )
    const vault = { vault: { address: 'https://vault.example.com' }, auth: { identity: 'v' } }
    const made = await createAs(t.store, api, objectOf('SecretStore', shop.ns, 'vault', vault))
    const looked = { identity: 'reader', lastLookAt: '2026-01-01T00:00:00Z' }
    await t.store.write(api, {}, (tx) => tx.setStatus({ ...made, status: looked }))
    await t.settings.putSealedIfAbsent('ca', Buffer.from('ca key'))
    const { id } = await t.users.create(api, { name: 'ann' })
    const { secret, token } = await t.tokens.create(api, { user: id }, { name: 'laptop' })
    const person = { id, name: 'ann', tokenId: token.id }
    const browser = { address: '192.0.2.7', name: 'Firefox' }
    session = (await t.sessions.openByToken(api, person, browser)).secret
    // Its use moves the row of the token behind that of the session.
    await t.principals.verify(secret)
    await t.audit.sign()
    await putOddTexts(t, shop.ns)
    const sql = watchIdle(t.sql, (limit) => idleLimits.add(limit))
    await writeBackup(sql, path, realClock.now())
  })
  afterAll(async () => {
    await t.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  it('waits for a slow disk, longer than the database lets a write be idle', () => {
    expect([...idleLimits]).toEqual(['5min'])
  })

  type Restore = (more?: {
    file?: string
    masterKey?: Buffer
    force?: boolean
    more?: { previous: readonly Buffer[] }
  }) => Promise<RestoreSummary>

  /** What is restored in `work` goes into `target`. */
  const restoring = async <T>(
    target: TestStore,
    work: (restore: Restore) => Promise<T>,
  ): Promise<T> => {
    await target.close()
    const at = target.databaseUrl === undefined ? {} : { databaseUrl: target.databaseUrl }
    const { dataDir } = target
    const sql = await openDatabase({ ...at, dataDir, clock: realClock, log: silentLogger })
    const restore: Restore = async ({
      file = path,
      masterKey = testMasterKey,
      force = true,
      more = {},
    } = {}) => {
      const provider = localKeyRing(masterKey, more)
      const checked = await checkBackup(file, provider)
      return restoreBackup(sql, checked, { clock: realClock, force })
    }
    try {
      return await work(restore)
    } finally {
      await sql.close()
    }
  }

  it('holds no value and no key in the clear, and is its owner’s alone', () => {
    const text = gunzipSync(readFileSync(path)).toString()
    expect(text).toContain('"name":"db"')
    for (const plain of [
      canary,
      Buffer.from(canary).toString('base64'),
      testMasterKey.toString('base64'),
      'ca key',
    ])
      expect(text).not.toContain(plain)
  })

  it('is refused when it is cut off or changed, before anything is touched', async () => {
    const whole = gunzipSync(readFileSync(path))
    const bad = join(dir, 'bad.backup')
    await restoring(t, async (restore) => {
      for (const bytes of [
        readFileSync(path).subarray(0, 900),
        gzipSync(whole.subarray(0, whole.length - 200)),
        gzipSync(Buffer.from(whole.toString().replace('"name":"db"', '"name":"dc"'))),
        Buffer.from('hello'),
      ]) {
        writeFileSync(bad, bytes)
        await expect(restore({ file: bad })).rejects.toMatchObject({
          reason: 'BadRequest',
          message: expect.stringMatching(/not a whole backup/) as string,
        })
      }
    })
    const again = await t.again()
    expect((await again.store.readSet(shop.projectUid, 'head')).entries).toHaveLength(1)
    await again.close()
  })

  it('comes back under a new epoch and higher numbers, with old keys, and the audit log says so', async () => {
    // Life goes on after the backup: the value changes, the data key and then the master key rotate.
    const live = await t.again({
      keyRing: localKeyRing(Buffer.alloc(32, 5), { previous: [testMasterKey] }),
    })
    await live.store.write(api, close, (tx) =>
      tx.update(secretOf(shop.ns, 'db', { value: 'newer' })),
    )
    await live.keys.rotateDataKeys(api)
    await live.keys.rotateMasterKey(api)
    let more = true
    while (more) more = await live.keys.workOnce()
    const seen = await live.store.currentVersion()
    const revision = (await live.store.revisionsOf(shop.projectUid)).closed
    await live.close()

    const keys = { masterKey: Buffer.alloc(32, 5), more: { previous: [testMasterKey] } }
    const done = await restoring(t, async (restore) => {
      await expect(restore({ force: false })).rejects.toThrow(/--force \(nothing was changed\)/)
      await expect(restore({ masterKey: Buffer.alloc(32, 5) })).rejects.toThrow(
        /the backup of .* needs local key [0-9a-f]{16}/,
      )
      return restore(keys)
    })
    expect(done.epoch).toBeGreaterThan(1)

    const back = await t.again({
      keyRing: localKeyRing(Buffer.alloc(32, 5), { previous: [testMasterKey] }),
    })
    expect(await back.principals.verify(session)).toMatchObject({ name: 'ann' })
    await expectOddTexts(back, shop.ns)
    const { epoch, closed } = await back.store.revisionsOf(shop.projectUid)
    expect({ epoch, closed }).toEqual({ epoch: done.epoch, closed: revision - 1 })
    const [entry] = await back.store.openSet(shop.projectUid, closed, delivery)
    expect(entry?.value.toString()).toBe(canary)
    // What a rotation had made is there.
    expect(await back.staged.open(staged)).toEqual(candidate)
    const { items } = await back.store.list('Rotation')
    const { takenAt } = done
    expect(items.map(({ status }) => status)).toEqual([
      { restored: expect.objectContaining({ state: 'Untested', takenAt }) as unknown },
    ])
    const [elsewhere] = (await back.store.list('SecretStore')).items
    expect(elsewhere?.status).toEqual({ identity: 'reader' })
    const version = await back.store.currentVersion()
    expect(version).toBeGreaterThan(seen + 1_000_000)
    expect(versionIn(String(version))).toBe(version)
    const watch = back.store.watch(seen, AbortSignal.timeout(5_000))[Symbol.asyncIterator]()
    await expect(watch.next()).rejects.toMatchObject({ reason: 'Expired' })
    await updateAs(back.store, api, secretOf(shop.ns, 'db', { value: 'after' }))
    await createAs(back.store, api, secretOf(shop.ns, 'more', { value: 'v' }))
    const audit = await back.sql.query<{ action: string; detail: string }>(
      `SELECT action, detail FROM audit ORDER BY id`,
    )
    const facts = audit.filter((row) => row.action === 'restore')
    expect(facts).toHaveLength(1)
    expect(JSON.parse(facts[0]!.detail)).toMatchObject({
      backupEpoch: 1,
      epoch: done.epoch,
      sha256: done.sha256,
    })
    await back.close()
    const second = await restoring(t, (restore) => restore(keys))
    expect(second.epoch).toBeGreaterThan(done.epoch)
  })

  it('goes into the other kind of database, of whose first start nothing is left', async () => {
    const other = await openTestStore(url() === undefined ? inject('postgresUrl') : undefined)
    const { id } = await other.users.create(api, { name: 'bob' })
    const { secret: bobs } = await other.tokens.create(api, { user: id }, { name: 'laptop' })
    await other.settings.putSealedIfAbsent('made', Buffer.from('at the first start'))
    await restoring(other, (restore) => restore({ force: false }))
    const back = await other.again()
    expect(await back.principals.verify(bobs)).toBeUndefined()
    await expectOddTexts(back, shop.ns)
    const left = `SELECT name FROM users WHERE name = 'bob' UNION ALL SELECT name FROM revoked_tokens`
    expect(await back.sql.query(left)).toEqual([])
    expect(await back.settings.getSealed('made')).toBeUndefined()
    const [entry] = await back.store.openSet(shop.projectUid, 1, delivery)
    expect(entry?.value.toString()).toBe(canary)
    expect((await back.settings.getSealed('ca'))?.toString()).toBe('ca key')
    await other.destroy()
  })

  it('is refused while a controller has the database open', async () => {
    if (t.databaseUrl === undefined) {
      const live = await t.again({ keyRing: localKeyRing(testMasterKey) })
      await expect(
        openDatabase({ dataDir: t.dataDir, clock: realClock, log: silentLogger }),
      ).rejects.toMatchObject({ reason: 'Conflict' })
      await live.close()
      return
    }
    const live = await t.again()
    await expect(restoring(t, (restore) => restore())).rejects.toThrow(/stop all of them first/)
    await live.close()
  })
})
