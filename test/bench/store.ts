// secret_lookup_ms, project_read_1000_ms: the store on a real Postgres server, as shipped (fsync on).
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { localKeyRing } from '../support/keys.ts'
import { openStore, type Opened } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { median, percentile, timeAsyncMs, type Row } from './measure.ts'

const secretCount = 1_000
const actor = { name: 'bench', source: 'api' }
const apiVersion = 'stagely.dev/v1alpha1'
const secretName = (i: number): string => `key-${i}.service-${i % 20}`

const fill = (store: Store): Promise<string> =>
  store.write(actor, { changeSet: { id: 'bench', last: true } }, async (tx) => {
    const project = await tx.create({
      apiVersion,
      kind: 'Project',
      metadata: { name: 'bench', namespace: 'default' },
      spec: {},
    })
    for (let i = 0; i < secretCount; i++) {
      await tx.create({
        apiVersion,
        kind: 'StagelySecret',
        metadata: { name: secretName(i), namespace: 'default' },
        spec: {
          projectRef: { name: 'bench' },
          key: `KEY_${i}`,
          scope: `service-${i % 20}`,
          value: randomBytes(48).toString('base64'),
        },
      })
    }
    return project.metadata.uid!
  })

const times = async (rounds: number, fn: (i: number) => Promise<unknown>): Promise<number[]> => {
  for (let i = 0; i < 5; i++) await fn(i)
  const taken: number[] = []
  for (let i = 0; i < rounds; i++) taken.push(await timeAsyncMs(() => fn(i)))
  return taken
}

const measure = async ({ store, sql }: Opened, rounds: number): Promise<Row[]> => {
  const uid = await fill(store)
  const { closed } = await store.revisionsOf(uid)
  const lookups = await times(rounds, async (i) => {
    const n = (i * 37) % secretCount
    const found = await sql.query(
      `SELECT id, encrypted_value FROM secrets
       WHERE project_id = $1 AND key = $2 AND scope = $3`,
      [uid, `KEY_${n}`, `service-${n % 20}`],
    )
    if (found.length !== 1) throw new Error(`secret KEY_${n}: ${found.length} rows`)
  })
  const reads = await times(Math.min(rounds, 51), async (i) => {
    const set = await store.openSet(uid, closed, { stagelet: `bench-${i}`, agent: 'bench' })
    if (set.length !== secretCount) throw new Error(`the set has ${set.length} secrets`)
  })
  const p95 = (values: readonly number[]): number => Number(percentile(values, 0.95).toFixed(2))
  return [
    { name: 'secret_lookup_ms', value: median(lookups), unit: 'ms', p95: p95(lookups) },
    { name: 'project_read_1000_ms', value: median(reads), unit: 'ms', p95: p95(reads) },
  ]
}

export const benchStore = async (rounds: number): Promise<Row[]> => {
  const postgres = await anyPostgres()
  const dataDir = mkdtempSync(join(tmpdir(), 'stagely-bench-store-'))
  try {
    const database = await createTestDatabase(postgres.url)
    const opened = await openStore({
      databaseUrl: database.url,
      dataDir,
      keyRing: localKeyRing(randomBytes(32)),
      clock: realClock,
      log: silentLogger,
    })
    try {
      return await measure(opened, rounds)
    } finally {
      await opened.close()
      await database.drop()
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
    await postgres.stop()
  }
}
