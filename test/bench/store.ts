// secret_lookup_ms, project_read_1000_ms, what five environments cost beside none, and a write where they differ: the store on a real Postgres server, as shipped (fsync on).
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { localKeyRing } from '../support/keys.ts'
import { openStore, type Opened } from '../../src/store/open/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { cpuAsyncMs, median, percentile, ratioRow, timeAsyncMs, type Row } from './measure.ts'

const secretCount = 1_000
const stageletCount = 100
const actor = { name: 'bench', source: 'api', authority: 'whole' as const }
const apiVersion = 'stagely.dev/v1alpha1'
const secretName = (i: number): string => `key-${i}.service-${i % 20}`

const environments = ['dev', 'preview', 'production', 'qa', 'staging']

type Environments = readonly { name: string; inherits?: 'Nothing'; differsFrom?: string[] }[]

const five = environments.map((name) => ({ name }))
/** Half of the secrets are production's alone, and none of these values is in a preview. */
const separated: Environments = five.map(({ name }) =>
  name === 'preview' ? { name, inherits: 'Nothing', differsFrom: ['production'] } : { name },
)

/** Each stagelet is in one of the environments. Half of the secrets name all of them but the preview where it differs. */
const fill = (store: Store, project: string, listed: Environments): Promise<string> => {
  const isDivided = listed.length > 0
  const naming = listed.filter(({ differsFrom }) => differsFrom === undefined)
  return store.write(actor, { changeSet: { id: project, last: true } }, async (tx) => {
    const { metadata } = await tx.create({
      apiVersion,
      kind: 'Project',
      metadata: { name: project, namespace: 'default' },
      spec: { environments: listed },
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
          ...(isDivided && i % 2 === 0 && { environments: naming.map(({ name }) => name) }),
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
}

const times = async (rounds: number, fn: (i: number) => Promise<unknown>): Promise<number[]> => {
  for (let i = 0; i < 5; i++) await fn(i)
  const taken: number[] = []
  for (let i = 0; i < rounds; i++) taken.push(await timeAsyncMs(() => fn(i)))
  return taken
}

/** CPU time (ms) of this process for each work, in turns: other work on the machine does not change their ratio. */
const inTurns = async (
  rounds: number,
  works: readonly ((i: number) => Promise<unknown>)[],
): Promise<number[][]> => {
  const taken: number[][] = works.map(() => [])
  for (let from = 0; from < Math.max(rounds, 200); from += 5)
    for (const [at, work] of works.entries())
      for (let i = from; i < from + 5; i += 1) taken[at]!.push(await cpuAsyncMs(() => work(i)))
  return taken
}

const measure = async ({ store, sql }: Opened, rounds: number): Promise<Row[]> => {
  const whole = { project: 'bench', uid: await fill(store, 'bench', []) }
  const divided = { project: 'divided', uid: await fill(store, 'divided', five) }
  const differing = { project: 'differing', uid: await fill(store, 'differing', separated) }
  const { closed } = await store.revisionsOf(whole.uid)
  type Of = typeof whole
  const lookUp =
    ({ uid }: Of) =>
    async (i: number) => {
      const n = (i * 37) % secretCount
      const found = await sql.query(
        `SELECT id, encrypted_value FROM secrets
         WHERE project_id = $1 AND key = $2 AND scope = $3`,
        [uid, `KEY_${n}`, `service-${n % 20}`],
      )
      if (found.length !== 1) throw new Error(`secret KEY_${n}: ${found.length} rows`)
    }
  const read =
    ({ uid, project }: Of) =>
    async (i: number) => {
      const stagelet = `${project}-${i % stageletCount}`
      const set = await store.openSet(uid, closed, { stagelet, agent: 'bench' })
      if (set.length !== secretCount) throw new Error(`the set has ${set.length} secrets`)
    }
  const write =
    ({ project }: Of) =>
    (i: number) => {
      const n = (i * 38) % secretCount
      const ref = {
        kind: 'StagelySecret',
        namespace: 'default',
        name: `${project}-${secretName(n)}`,
      }
      return store.write(actor, { changeSet: { id: project, last: false } }, async (tx) => {
        const secret = (await tx.get(ref))!
        const value = randomBytes(48).toString('base64')
        await tx.update({ ...secret, spec: { ...secret.spec, value } })
      })
    }
  const lookUps = await times(rounds, lookUp(whole))
  const reads = await times(Math.min(rounds, 51), read(whole))
  const both = [whole, divided]
  const lookUpsOfBoth = await inTurns(rounds, both.map(lookUp))
  const readsOfBoth = await inTurns(rounds, both.map(read))
  const writes = await inTurns(rounds, [divided, differing].map(write))
  const p95 = (values: readonly number[]): number => Number(percentile(values, 0.95).toFixed(2))
  return [
    { name: 'secret_lookup_ms', value: median(lookUps), unit: 'ms', p95: p95(lookUps) },
    { name: 'project_read_1000_ms', value: median(reads), unit: 'ms', p95: p95(reads) },
    ratioRow('secret_lookup_5_environments_ratio', lookUpsOfBoth),
    ratioRow('project_read_5_environments_ratio', readsOfBoth),
    ratioRow('write_differing_environments_ratio', writes),
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
