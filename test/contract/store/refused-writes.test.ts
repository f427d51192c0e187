// A database that answers and refuses every write, such as one whose disk is full.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openPg } from '../../../src/store/drivers/pg.ts'
import type { Sql } from '../../../src/store/drivers/sql.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import type { Opened } from '../../../src/store/open/open-store.ts'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'
import { api, createShop, createSteppedClock } from '../../support/databases/store-fixtures.ts'

const full = {
  ok: false,
  failed: 'writes',
  reason: expect.stringContaining('no space left') as string,
}

describe('a database whose disk is full', () => {
  const clock = createSteppedClock()
  let t: TestStore
  let idle: Opened
  let sql: Sql
  beforeAll(async () => {
    t = await openTestStore(inject('postgresUrl'), { clock })
    idle = await t.again({ clock })
    sql = openPg({
      databaseUrl: t.databaseUrl!,
      maxConnections: 1,
      clock: realClock,
      log: silentLogger,
    })
    await sql.exec(`
      CREATE FUNCTION full_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100'; END $$;
      CREATE FUNCTION full_file() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100'; END $$;
      CREATE TRIGGER full_row BEFORE UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION full_row();
      ALTER TABLE counters DISABLE TRIGGER full_row;
      CREATE EVENT TRIGGER full_file ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION full_file();
      ALTER EVENT TRIGGER full_file DISABLE;`)
  })
  afterAll(async () => {
    await sql?.close()
    await t?.destroy()
  })

  const setFull = (isFull: boolean): Promise<void> => {
    const word = isFull ? 'ENABLE' : 'DISABLE'
    return sql.exec(
      `ALTER TABLE counters ${word} TRIGGER full_row; ALTER EVENT TRIGGER full_file ${word};`,
    )
  }
  const write = (): Promise<unknown> => createShop(t.store)

  it('makes a replica unready with the first write that it refuses, until one succeeds', async () => {
    await write()
    expect(await t.store.health()).toMatchObject({ ok: true })
    await setFull(true)
    await expect(write()).rejects.toMatchObject({ reason: 'ServiceUnavailable' })
    expect(await t.store.health()).toMatchObject(full)
    expect(t.store.refusedWrites).toBeGreaterThan(0)
    clock.step(30_000)
    expect(await t.store.health()).toMatchObject(full)
    await setFull(false)
    await write()
    expect(await t.store.health()).toMatchObject({ ok: true })
  })

  it('makes an idle replica unready within a minute, and ready again where nobody writes', async () => {
    clock.step(61_000)
    expect(await idle.store.health()).toMatchObject({ ok: true })
    await setFull(true)
    expect(await idle.store.health()).toMatchObject({ ok: true })
    clock.step(61_000)
    expect(await idle.store.health()).toMatchObject(full)
    expect(idle.store.refusedWrites).toBe(0)
    await setFull(false)
    clock.step(11_000)
    expect(await idle.store.health()).toMatchObject({ ok: true })
    expect(await sql.query("SELECT 1 FROM pg_class WHERE relname = 'write_probe'")).toEqual([])
  })

  it('counts no conflict and no fault of what somebody writes', async () => {
    const before = t.store.refusedWrites
    const twice = t.store.write(api, {}, async (tx) => {
      await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'twice' } })
      await tx.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'twice' } })
    })
    await expect(twice).rejects.toMatchObject({ reason: 'AlreadyExists' })
    expect(t.store.refusedWrites).toBe(before)
    expect(await t.store.health()).toMatchObject({ ok: true })
  })
})
