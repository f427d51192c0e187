import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { nodeCrypto } from '../../../src/audit/chain.ts'
import { ChainVerifier } from '../../../src/audit/verify.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { migrate, migrateIn } from '../../../src/store/drivers/migrate.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { openPg } from '../../../src/store/drivers/pg.ts'
import { openPglite } from '../../../src/store/drivers/pglite.ts'
import type { Sql } from '../../../src/store/drivers/sql.ts'
import { giveEmbeddedDatabase } from '../../support/databases/embedded-database.ts'
import { localKeyRing } from '../../support/keys.ts'
import { testMasterKey } from '../../support/databases/open-test-store.ts'
import { createTestDatabase } from '../../support/databases/test-database.ts'

const all = readdirSync('src/store/drivers/migrations')
  .filter((name) => name.endsWith('.sql'))
  .sort()

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const openServer = async (template?: string): Promise<() => Sql> => {
  const database = await createTestDatabase(inject('postgresUrl'), template)
  cleanups.push(() => database.drop())
  return () => {
    const sql = openPg({ databaseUrl: database.url, clock: realClock, log: silentLogger })
    cleanups.push(() => sql.close())
    return sql
  }
}

/** Made by the program; making one costs more than all that is asked of it. */
const folder = mkdtempSync(join(tmpdir(), 'stagely-pglite-'))
let inFolder: Sql
beforeAll(async () => {
  inFolder = await openPglite({ dataDir: folder })
})
afterAll(async () => {
  await inFolder.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('migrate', () => {
  it('applies each migration once on a server, however many controllers start at once', async () => {
    const open = await openServer()
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(open())))
    expect(applied.flat()).toEqual(all)
    expect(await migrate(open())).toEqual([])
  })

  it('has all of them in a folder that it made, and none is applied again', async () => {
    const rows = await inFolder.query<{ name: string }>(
      'SELECT name FROM schema_migrations ORDER BY version',
    )
    expect(rows.map(({ name }) => name)).toEqual(all)
    expect(await migrate(inFolder)).toEqual([])
  })

  it('refuses a database of a newer program', async () => {
    const sql = (await openServer(inject('postgresTemplate')))()
    await sql.query("INSERT INTO schema_migrations (version, name) VALUES (9000, 'later')")
    await expect(migrate(sql)).rejects.toThrow(/schema version 9000.*newer program/)
  })
})

describe('a database of before audit rows were chained as they are written', () => {
  it('has those that were left without a place chained once', async () => {
    const database = await createTestDatabase(inject('postgresUrl'))
    cleanups.push(() => database.drop())
    const { url: databaseUrl } = database
    const at = { databaseUrl, clock: realClock, log: silentLogger }
    const old = openPg(at)
    const before = new Set(all.filter((name) => name < '0042'))
    await old.transaction((tx) => migrateIn(tx, before))
    await old.exec(
      `INSERT INTO audit (at, actor, source, action, kind, namespace, name, detail)
       SELECT now(), 'alice', 'api', 'create', k, '', 'n', '{"b":1,"a":2}' FROM unnest(ARRAY['User', 'Project']) AS k`,
    )
    await old.close()
    const dataDir = mkdtempSync(join(tmpdir(), 'stagely-old-'))
    const opened = await openStore({ ...at, dataDir, keyRing: localKeyRing(testMasterKey) })
    cleanups.push(async () => {
      await opened.close()
      rmSync(dataDir, { recursive: true, force: true })
    })
    const verifier = new ChainVerifier(nodeCrypto)
    const kinds: string[] = []
    for await (const line of opened.audit.export({ teams: undefined })) {
      await verifier.accept(JSON.stringify(line))
      if (line.type === 'row') kinds.push(line.object.kind)
    }
    expect(await verifier.finish()).toMatchObject({ ok: true, hidden: 0 })
    expect(kinds.slice(0, 3)).toEqual(['User', 'Project', 'Keys'])
  })
})

describe('drivers', () => {
  const same = async (sql: Sql): Promise<void> => {
    const rows = await sql.query(
      `SELECT $1::int8 AS n, $2::json AS j, $3::text AS t, $4::boolean AS b, NULL::int8 AS nothing`,
      [2 ** 40, '{"a": 1}', 'ü', true],
    )
    expect(rows).toEqual([{ n: 2 ** 40, j: '{"a": 1}', t: 'ü', b: true, nothing: null }])
    await expect(
      sql.transaction(async (tx) => {
        await tx.exec('CREATE TABLE t (a int); INSERT INTO t VALUES (1)')
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await expect(sql.query('SELECT * FROM t')).rejects.toThrow(/does not exist/)
    let notified = 0
    const stop = await sql.listen(
      'stagely_test',
      () => notified++,
      () => undefined,
    )
    await sql.query("SELECT pg_notify('stagely_test', '')")
    await expect.poll(() => notified).toBe(1)
    await stop()
  }

  it('answer alike on a server', async () => {
    await same((await openServer())())
  })

  it('answer alike in a folder', async () => {
    await same(inFolder)
  })

  it('PGlite opens its WAL so that COMMIT reaches the disk', async () => {
    const [row] = await inFolder.query('SHOW wal_sync_method')
    expect(row).toEqual({ wal_sync_method: 'open_datasync' })
    expect(await inFolder.query('SHOW fsync')).toEqual([{ fsync: 'on' }])
  })

  it('runs PGlite beside this thread, which goes on whatever a statement costs', async () => {
    const asked = inFolder.query("COPY (SELECT 1) TO '/pglite/data/done'")
    const done = join(folder, 'postgres/done')
    const mute = new Int32Array(new SharedArrayBuffer(4))
    // This thread does nothing else meanwhile.
    for (let turns = 0; turns < 1_000 && !existsSync(done); turns++) Atomics.wait(mute, 0, 0, 10)
    const isDone = existsSync(done)
    await asked
    expect(isDone).toBe(true)
  })

  it('lets statements of others wait for a transaction in a folder, and go on where it fails', async () => {
    await inFolder.exec('CREATE TABLE seen (n int)')
    const order: string[] = []
    const note = (what: string) => () => order.push(what)
    const failed = inFolder
      .transaction(async (tx) => {
        await tx.query('INSERT INTO seen VALUES (1)')
        await tx.query('SELECT nothing')
      })
      .catch((error: unknown) => order.push((error as { code: string }).code))
    const others = [
      inFolder.query('INSERT INTO seen VALUES (2)').then(note('between')),
      inFolder.transaction((tx) => tx.query('INSERT INTO seen VALUES (3)')).then(note('next')),
      inFolder.query('INSERT INTO seen VALUES (4)').then(note('last')),
    ]
    await Promise.all([failed, ...others])
    expect(order).toEqual(['42703', 'between', 'next', 'last'])
    expect(await inFolder.query('SELECT n FROM seen')).toEqual([{ n: 2 }, { n: 3 }, { n: 4 }])
    await expect(
      inFolder.transaction(async (tx) => {
        await tx.query('SELECT nothing').catch(() => undefined)
      }),
    ).rejects.toThrow('rolled back')
  })

  it('tells that PGlite has ended, refuses whoever waits for it, and frees its folder', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'stagely-pglite-'))
    cleanups.push(() => rm(dataDir, { recursive: true, force: true }))
    giveEmbeddedDatabase(dataDir)
    const lost: string[] = []
    const sql = await openPglite({ dataDir, onLost: ({ message }) => lost.push(message) })
    rmSync(join(dataDir, 'postgres/pg_wal'), { recursive: true })
    const answers = [sql.exec('SELECT pg_switch_wal()'), sql.query('SELECT 1'), sql.close()]
    for (const answer of answers)
      await expect(answer).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    await expect(sql.query('SELECT 1')).rejects.toThrow('the embedded database has ended')
    expect(lost).toEqual([expect.stringMatching(/has ended: could not create file "pg_wal/)])
    giveEmbeddedDatabase(dataDir)
    await (await openPglite({ dataDir })).close()
  })

  it('refuse a second opening of one folder, and free it when closed', async () => {
    await expect(openPglite({ dataDir: folder })).rejects.toThrow(
      /in use by another Stagely process/,
    )
    await inFolder.close()
    inFolder = await openPglite({ dataDir: folder })
  })

  it('tells a database that is away as ServiceUnavailable', async () => {
    const sql = openPg({
      databaseUrl: 'postgres://x@127.0.0.1:1/x',
      clock: realClock,
      log: silentLogger,
    })
    await expect(sql.query('SELECT 1')).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    await sql.close()
  })
})
