// load: the scripts that measured a real kube-apiserver, against this controller: on a Postgres server as
// shipped (fsync on), and on the embedded database. Prints their table beside the real server's.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, run } from '../../scripts/lib/processes.ts'
import { pathsIn, root, startController, type Controller } from '../../scripts/lib/stagely.ts'
import { anyPostgres } from '../support/postgres-server.ts'
import { createTestDatabase } from '../support/test-database.ts'
import type { Row } from './measure.ts'
import { sender } from './send.ts'

const scripts = join(root, 'test/fixtures/kube-load')

interface Stats {
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

/** One line of the scripts' output. */
interface Line {
  readonly test: string
  readonly conc?: number
  readonly watchers?: number
  readonly n?: number
  readonly perSecond?: number
  readonly ms?: Stats | number
  /** Of a fan-out: the write, and when the first, the middle and the last watcher heard of it. */
  readonly write?: Stats
  readonly first?: Stats
  readonly median?: Stats
  readonly last?: Stats
  readonly errors?: readonly string[]
  readonly missed?: number
  readonly cpuSeconds?: { readonly controller?: number }
  readonly rss?: { readonly controller?: string }
}

interface Baseline {
  readonly p50: number
  readonly perSecond?: number
}

const baseline = (): Record<string, Baseline> =>
  JSON.parse(readFileSync(join(scripts, 'baseline.json'), 'utf8')) as Record<string, Baseline>

const nameOf = ({ test, conc, watchers }: Line): string =>
  watchers === undefined
    ? conc === undefined || test.startsWith('list')
      ? test
      : `${test} c=${conc}`
    : `${test} N=${watchers}: last`

const script = async (
  name: string,
  { url, env, server }: Controller,
  args: readonly string[],
): Promise<Line[]> => {
  const out = await run(process.execPath, [
    join(scripts, `${name}.mjs`),
    ...['--url', url, '--token-file', join(env.STAGELY_CA_FILE, '../admin-token')],
    ...['--ca', env.STAGELY_CA_FILE, '--namespace', 'bench', '--pids', `controller=${server.pid}`],
    ...args,
  ])
  if (out.code !== 0) throw new Error(`${name}.mjs: ${out.stderr.trim()}`)
  return out.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** One number where a thing was done once. */
const statsOf = ({ last, ms }: Line): (Pick<Stats, 'p50'> & Partial<Stats>) | undefined =>
  last ?? (typeof ms === 'number' ? { p50: ms } : ms)

const toRow = (database: string, line: Line): Row | undefined => {
  const name = nameOf(line)
  const stats = statsOf(line)
  if (/^(warmup|delete-extra)/.test(name) || stats === undefined) return undefined
  if ((line.errors?.length ?? 0) > 0 || (line.missed ?? 0) > 0)
    throw new Error(`${name}: ${line.missed ?? 0} missed, ${String(line.errors?.[0])}`)
  const reference = baseline()[name]
  const cpu = line.cpuSeconds?.controller
  return {
    name: `load ${database} ${name}`,
    value: stats.p50,
    unit: 'ms',
    ...(stats.p90 === undefined ? {} : { p90: stats.p90 }),
    ...(stats.p99 === undefined ? {} : { p99: stats.p99 }),
    ...(line.write === undefined ? {} : { write_ms: line.write.p50 }),
    ...(line.first === undefined ? {} : { first_ms: line.first.p50 }),
    ...(line.median === undefined ? {} : { median_ms: line.median.p50 }),
    ...(line.perSecond === undefined ? {} : { per_s: line.perSecond }),
    ...(reference === undefined ? {} : { kube_apiserver_ms: reference.p50 }),
    ...(reference?.perSecond === undefined ? {} : { kube_apiserver_per_s: reference.perSecond }),
    ...(cpu === undefined || line.n === undefined
      ? {}
      : { controller_cpu_ms: Math.round((cpu * 100_000) / line.n) / 100 }),
    ...(line.rss?.controller === undefined ? {} : { controller_rss: line.rss.controller }),
  }
}

/** The scripts write secrets of this project. */
const createProject = async (controller: Controller): Promise<void> => {
  const { send, close } = sender(controller, 1)
  const apiVersion = 'stagely.dev/v1alpha1'
  await send('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'bench' },
  })
  await send('POST', `/apis/${apiVersion}/namespaces/bench/projects`, {
    apiVersion,
    kind: 'Project',
    metadata: { name: 'shop' },
    spec: {},
  })
  close()
}

const measure = async (
  database: string,
  full: boolean,
  databaseUrl: string | undefined,
): Promise<Row[]> => {
  const dir = mkdtempSync(`${tmpdir()}/stagely-bench-load-`)
  try {
    const masterKey = randomBytes(32).toString('base64')
    const port = await freePort(0)
    const controller = await startController(pathsIn(dir), { port, databaseUrl, masterKey })
    try {
      await createProject(controller)
      const size = full
        ? ['--objects', '1000', '--big', '10000', '--max-seconds', '900']
        : ['--objects', '1000', '--big', '0', '--rounds', '9']
      const watchers = full ? '1,100,1000' : '1,100'
      const lines = [
        ...(await script('crud', controller, size)),
        ...(await script('watch', controller, ['--watchers', watchers])),
      ]
      return lines.flatMap((line) => toRow(database, line) ?? [])
    } finally {
      await controller.server.stop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** `show` is called with the rows of each database when they are there. */
export const benchLoad = async (
  full: boolean,
  show: (rows: readonly Row[]) => void,
): Promise<void> => {
  const postgres = await anyPostgres()
  try {
    const database = await createTestDatabase(postgres.url)
    show(await measure('postgres', full, database.url))
    await database.drop()
  } finally {
    await postgres.stop()
  }
  show(await measure('embedded', full, undefined))
}
