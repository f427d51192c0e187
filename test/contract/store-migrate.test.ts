import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openPg } from '../../src/store/pg.ts'
import { openPglite } from '../../src/store/pglite.ts'
import type { Sql } from '../../src/store/sql.ts'
import { createTestDatabase } from '../support/test-database.ts'

const all = readdirSync('src/store/migrations')
  .filter((name) => name.endsWith('.sql'))
  .sort()

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const openServer = async (): Promise<() => Sql> => {
  const database = await createTestDatabase(inject('postgresUrl'))
  cleanups.push(() => database.drop())
  return () => {
    const sql = openPg({ databaseUrl: database.url, clock: realClock, log: silentLogger })
    cleanups.push(() => sql.close())
    return sql
  }
}

const openFolder = async (): Promise<{ sql: Sql; folder: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'stagely-pglite-'))
  cleanups.push(() => {
    rmSync(folder, { recursive: true, force: true })
    return Promise.resolve()
  })
  const sql = await openPglite({ dataDir: folder })
  cleanups.push(() => sql.close())
  return { sql, folder }
}

describe('migrate', () => {
  it('applies each migration once on a server, however many controllers start at once', async () => {
    const open = await openServer()
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(open())))
    expect(applied.flat()).toEqual(all)
    expect(await migrate(open())).toEqual([])
  })

  it('applies each migration once in a folder', async () => {
    const { sql } = await openFolder()
    expect(await migrate(sql)).toEqual(all)
    expect(await migrate(sql)).toEqual([])
  })

  it('refuses a database of a newer program', async () => {
    const sql = (await openServer())()
    await migrate(sql)
    await sql.query("INSERT INTO schema_migrations (version, name) VALUES (9000, 'later')")
    await expect(migrate(sql)).rejects.toThrow(/schema version 9000.*newer program/)
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
    await same((await openFolder()).sql)
  })

  it('refuse a second opening of one folder, and free it when closed', async () => {
    const { sql, folder } = await openFolder()
    await expect(openPglite({ dataDir: folder })).rejects.toThrow(
      /in use by another Stagely process/,
    )
    await sql.close()
    const again = await openPglite({ dataDir: folder })
    await again.close()
  })

  it('PGlite opens its WAL so that COMMIT reaches the disk', async () => {
    const { sql } = await openFolder()
    const [row] = await sql.query('SHOW wal_sync_method')
    expect(row).toEqual({ wal_sync_method: 'open_datasync' })
    expect(await sql.query('SHOW fsync')).toEqual([{ fsync: 'on' }])
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
