// secret_lookup_ms, project_read_1000_ms, project_read_5_environments_ratio: the store on a real Postgres server, as shipped (fsync on).
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
const stageletCount = 100
const actor = { name: 'bench', source: 'api' }
const apiVersion = 'stagely.dev/v1alpha1'
const secretName = (i: number): string => `key-${i}.service-${i % 20}`

const environments = ['dev', 'preview', 'production', 'qa', 'staging']

/** `isDivided`: half of the secrets are each of one of five environments, and so are all stagelets. */
const fill = (store: Store, project: string, isDivided: boolean): Promise<string> =>
  store.write(actor, { changeSet: { id: project, last: true } }, async (tx) => {
    const { metadata } = await tx.create({
      apiVersion,
      kind: 'Project',
      metadata: { name: project, namespace: 'default' },
      spec: isDivided ? { environments: environments.map((name) => ({ name })) } : {},
    })
    for (let i = 0; i < secretCount; i++) {
      await tx.create({
        apiVersion,
        kind: 'StagelySecret',
        metadata: { name: `${project}-${secretName(i)}`, namespace: 'default' },
        spec: {
          projectRef: { name: project },
          key: `KEY_${i}`,
          scope: `service-${i % 20}`,
          value: randomBytes(48).toString('base64'),
          ...(isDivided && i % 2 === 0 && { environments: [environments[(i / 2) % 5]] }),
        },
      })
    }
    for (let i = 0; i < stageletCount; i++)
      await tx.create({
        apiVersion,
        kind: 'Stagelet',
        metadata: { name: `${project}-${i}`, namespace: 'default' },
        spec: {
          projectRef: { name: project },
          agentRef: { name: 'bench' },
          compose: { directory: `/nowhere/${project}-${i}` },
          ...(isDivided && { environment: environments[i % 5] }),
        },
      })
    return metadata.uid!
  })

const times = async (rounds: number, fn: (i: number) => Promise<unknown>): Promise<number[]> => {
  for (let i = 0; i < 5; i++) await fn(i)
  const taken: number[] = []
  for (let i = 0; i < rounds; i++) taken.push(await timeAsyncMs(() => fn(i)))
  return taken
}

const measure = async ({ store, sql }: Opened, rounds: number): Promise<Row[]> => {
  const uid = await fill(store, 'bench', false)
  const divided = await fill(store, 'divided', true)
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
  const reads: number[] = []
  const dividedReads: number[] = []
  const read = (of: string, project: string, secrets: number) => async (i: number) => {
    const stagelet = `${project}-${i % stageletCount}`
    const set = await store.openSet(of, closed, { stagelet, agent: 'bench' })
    if (set.length !== secrets) throw new Error(`the set has ${set.length} secrets`)
  }
  for (let turn = 0; turn < Math.min(rounds, 51); turn += 5) {
    reads.push(...(await times(5, read(uid, 'bench', secretCount))))
    dividedReads.push(...(await times(5, read(divided, 'divided', secretCount * 0.6))))
  }
  const [whole, parted] = [median(reads), median(dividedReads)]
  const p95 = (values: readonly number[]): number => Number(percentile(values, 0.95).toFixed(2))
  return [
    { name: 'secret_lookup_ms', value: median(lookups), unit: 'ms', p95: p95(lookups) },
    { name: 'project_read_1000_ms', value: whole, unit: 'ms', p95: p95(reads) },
    {
      name: 'project_read_5_environments_ratio',
      value: Number((parted / whole).toFixed(2)),
      unit: 'x',
      p95: Number((p95(dividedReads) / p95(reads)).toFixed(2)),
    },
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
