// A database that says nothing any more, without a closed connection: behind a proxy that passes nothing
// on for a while. And one that is only slow.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { openPg } from '../../../src/store/drivers/pg.ts'
import type { Sql } from '../../../src/store/drivers/sql.ts'
import { DatabaseRelay } from '../../support/databases/database-relay.ts'

describe('a Postgres server that goes silent', () => {
  let relay: DatabaseRelay
  let sql: Sql
  beforeAll(async () => {
    relay = await DatabaseRelay.start(inject('postgresUrl'))
    const small = { maxConnections: 3, clock: realClock, log: silentLogger }
    sql = openPg({ databaseUrl: relay.url, ...small })
  })
  afterAll(async () => {
    await sql.close()
    await relay.close()
  })

  const failureOf = async (work: Promise<unknown>): Promise<{ error: unknown; ms: number }> => {
    const begun = performance.now()
    const error: unknown = await work.then(
      () => undefined,
      (e: unknown) => e,
    )
    return { error, ms: performance.now() - begun }
  }
  const refused = {
    reason: 'ServiceUnavailable',
    message: expect.stringContaining('the database cannot be reached') as string,
    details: { retryAfterSeconds: 1 },
  }

  it('is waited for while statements are slow, also when they have every connection', async () => {
    const slow = (): Promise<unknown> => sql.query('SELECT pg_sleep(5), 1 AS one')
    const inside = sql.transaction(async (tx) => {
      await tx.exec('SELECT pg_sleep(5)')
      return tx.query('SELECT 1 AS one')
    })
    for (const rows of await Promise.all([slow(), slow(), inside]))
      expect(rows).toMatchObject([{ one: 1 }])
  })

  it.each([
    ['is read-only', 'SET TRANSACTION READ ONLY; CREATE TABLE late ()', '25006'],
    ['has no space left', "DO $$ BEGIN RAISE SQLSTATE '53100'; END $$", '53100'],
  ])('is unavailable where it %s', async (what, statements, code) => {
    const { error } = await failureOf(sql.transaction((tx) => tx.exec(statements)))
    expect(error).toMatchObject({ ...refused, message: `the database ${what}: ${code}` })
  })

  it('fails what waits for it within seconds, and what comes then at once, until it answers', async () => {
    await sql.query('SELECT 1')
    relay.setSilent(true)
    const waiting = await Promise.all([
      failureOf(sql.query('SELECT 1')),
      failureOf(sql.transaction((tx) => tx.query('SELECT 1'))),
      // More than there are connections: some wait for one, some for a new one to be made.
      ...Array.from({ length: 6 }, () => failureOf(sql.query('SELECT pg_sleep(0)'))),
    ])
    for (const { error, ms } of waiting) {
      expect(error).toMatchObject(refused)
      expect(ms).toBeGreaterThan(1_000)
      expect(ms).toBeLessThan(8_000)
    }
    for (let i = 0; i < 20; i++) {
      const { error, ms } = await failureOf(sql.query('SELECT 1'))
      expect(error).toMatchObject(refused)
      expect(ms).toBeLessThan(1_000)
    }
    relay.setSilent(false)
    await expect
      .poll(() => sql.query('SELECT 1 AS one').catch(() => undefined))
      .toEqual([{ one: 1 }])
    // And it stays so: what was waited for meanwhile holds no connection.
    const many = Array.from({ length: 12 }, () => sql.query('SELECT 1 AS one'))
    expect(await Promise.all(many)).toHaveLength(12)
  })
})
