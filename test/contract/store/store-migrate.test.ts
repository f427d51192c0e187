import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { migrate, migrateIn } from '../../../src/store/drivers/migrate.ts'
import { openPg } from '../../../src/store/drivers/pg.ts'
import { openPglite } from '../../../src/store/drivers/pglite.ts'
import type { Sql } from '../../../src/store/drivers/sql.ts'
import { giveEmbeddedDatabase } from '../../support/databases/embedded-database.ts'
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

  const noteAsBefore = (sql: Sql, ...names: string[]): Promise<void> =>
    sql.exec(
      `DELETE FROM schema_migrations; ${names.map((name) => `INSERT INTO schema_migrations (version, name) VALUES (${Number.parseInt(name, 10)}, '${name}');`).join('')}`,
    )

  it('takes a database of the build before the baseline, whose schema is that of the baseline, and goes on from there', async () => {
    const sql = (await openServer())()
    await sql.transaction((tx) => migrateIn(tx, new Set([all[0]!])))
    await noteAsBefore(sql, '0001-objects.sql', '0063-proven-tokens.sql', '0064-tip.sql')
    await sql.exec(
      `UPDATE counters SET rv = 41;
       CREATE FUNCTION commit_changes(uuid, bigint, bigint, bigint, bigint, text, json, json, text[]) RETURNS int
       LANGUAGE sql AS 'SELECT 1'`,
    )
    expect(await migrate(sql)).toEqual(all)
    expect(await sql.query('SELECT name FROM schema_migrations')).toEqual(
      all.map((name) => ({ name })),
    )
    expect(await sql.query('SELECT rv FROM counters')).toEqual([{ rv: 41 }])
    expect(
      await sql.query("SELECT pronargs FROM pg_proc WHERE proname = 'commit_changes'"),
    ).toEqual([{ pronargs: 10 }])
    expect(await migrate(sql)).toEqual([])
  })

  it('refuses an older database, and names the build that upgrades it', async () => {
    const sql = (await openServer(inject('postgresTemplate')))()
    await noteAsBefore(sql, '0001-objects.sql', '0063-proven-tokens.sql')
    await expect(migrate(sql)).rejects.toThrow(
      /the database is of a build before commit da7ac8cf.*upgrade to the build of that commit first/,
    )
    expect(await sql.query('SELECT version FROM schema_migrations ORDER BY version')).toEqual([
      { version: 1 },
      { version: 63 },
    ])
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
