// The embedded database has nobody who vacuums: what the controller drops must give its room back.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestStore, type TestStore } from '../../support/databases/open-test-store.ts'

let opened: TestStore
beforeAll(async () => {
  opened = await openTestStore(undefined)
})
afterAll(() => opened?.destroy())

const fill = async (): Promise<void> => {
  await opened.sql.query(
    `INSERT INTO activity (subject, mark, at, kind, namespace, detail)
     SELECT '00000000-0000-4000-8000-000000000001', gen_random_uuid()::text, 0, 'container', 'gone',
       jsonb_build_object('service', 'web', 'digest', repeat('d', 64))
     FROM generate_series(1, 100000)`,
  )
}
const size = async (): Promise<number> => {
  const [row] = await opened.sql.query<{ bytes: number }>(
    `SELECT pg_total_relation_size('activity') AS bytes`,
  )
  return row!.bytes
}

it('is as small as before once activity of a noisy machine is dropped', async () => {
  const before = await size()
  await fill()
  expect(await size()).toBeGreaterThan(32 * 2 ** 20)
  await opened.store.compact(Date.parse('2026-01-31'))
  expect(await size()).toBe(before)
})

it('uses the room of dropped rows again', async () => {
  await opened.store.compact(Date.parse('2026-01-31'))
  const grow = async (): Promise<number> => {
    await opened.sql.query(
      `INSERT INTO activity (subject, mark, at, kind, namespace, detail)
       SELECT '00000000-0000-4000-8000-000000000001', gen_random_uuid()::text, 0, 'container', 'gone', '{}'
       FROM generate_series(1, 20000)`,
    )
    const grown = await size()
    await opened.store.compact(Date.parse('2026-01-31'))
    return grown
  }
  for (let i = 0; i < 2; i += 1) await grow()
  const settled = await grow()
  for (let i = 0; i < 3; i += 1) expect(await grow()).toBeLessThan(1.2 * settled)
})
