// load: the same scripts on Kubernetes' own code, on this controller with a Postgres server as shipped (fsync on),
// and on it with the embedded database: in turns, as a machine is not as fast at one time as at another.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort, run } from '../../scripts/lib/processes.ts'
import { pathsIn, root, startController, type Connection } from '../../scripts/lib/stagely.ts'
import { anyPostgres } from '../support/databases/postgres-server.ts'
import { createTestDatabase } from '../support/databases/test-database.ts'
import { isKubernetesCodeBuilt, startKubernetesCode } from './kubernetes-code.ts'
import { compare, mediansOf, type Line } from './load-rows.ts'
import type { Row } from './measure.ts'
import { parentOf, settled } from './proc.ts'
import { sender } from './send.ts'

const scripts = join(root, 'test/fixtures/kube-load')

/** A server that is measured. */
interface Side extends Connection {
  readonly name: string
  readonly tokenFile: string
  /** `server`, and `database` where that is another process. */
  readonly pids: Readonly<Record<string, number>>
  /** The scripts write secrets of a project, which Kubernetes' code knows nothing of. */
  readonly hasProjects: boolean
  stop(): Promise<void>
}

/** As files of Stagely's own: how large one turn is. */
interface Size {
  readonly crud: readonly string[]
  readonly watchers: string
  readonly turns: number
}

const sizes = {
  full: {
    crud: ['--objects', '1000', '--big', '10000', '--max-seconds', '900'],
    watchers: '1,100,1000',
    turns: 3,
  },
  small: {
    crud: ['--objects', '300', '--big', '0', '--rounds', '9'],
    watchers: '1,100',
    turns: 1,
  },
} as const satisfies Record<string, Size>

const script = async (
  name: string,
  { url, env, pids, tokenFile }: Side,
  args: readonly string[],
): Promise<Line[]> => {
  const measured = Object.entries(pids).map((pair) => pair.join('='))
  const out = await run(process.execPath, [
    join(scripts, `${name}.mjs`),
    ...['--url', url, '--token-file', tokenFile, '--ca', env.STAGELY_CA_FILE],
    ...['--pids', measured.join(','), ...args],
  ])
  if (out.code !== 0) throw new Error(`${name}.mjs: ${out.stderr.trim()}`)
  return out.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

const createProject = async (side: Side, namespace: string): Promise<void> => {
  const { send, close } = sender(side, 1)
  const metadata = { name: namespace }
  await send('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
  if (side.hasProjects) {
    const apiVersion = 'stagely.dev/v1alpha1'
    await send('POST', `/apis/${apiVersion}/namespaces/${namespace}/projects`, {
      apiVersion,
      kind: 'Project',
      metadata: { name: 'shop' },
      spec: {},
    })
  }
  close()
}

/** In a namespace of its own, once nobody works on what came before. */
const takeTurn = async (
  side: Side,
  sides: readonly Side[],
  { crud, watchers }: Size,
  turn: number,
): Promise<Line[]> => {
  const namespace = `bench-${turn}`
  await createProject(side, namespace)
  for (const { pids } of sides) await settled(pids['server'] ?? NaN)
  const lines = await script('crud', side, ['--namespace', namespace, ...crud])
  const watched = ['--namespace', namespace, '--watchers', watchers]
  return [...lines, ...(await script('watch', side, watched))]
}

const postgresPid = async (url: string): Promise<number | undefined> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    return parentOf(rows[0]?.pid ?? NaN)
  } finally {
    await client.end()
  }
}

const startOurs = async (name: string, databaseUrl?: string): Promise<Side> => {
  const dir = mkdtempSync(`${tmpdir()}/stagely-bench-load-`)
  const paths = pathsIn(dir)
  const port = await freePort(0)
  const masterKey = randomBytes(32).toString('base64')
  // As Kubernetes' code without its flow control.
  const flags = ['--kube-rate-limit', '0']
  const controller = await startController(paths, { port, databaseUrl, masterKey, flags })
  const { url, env, server } = controller
  const database = databaseUrl === undefined ? undefined : await postgresPid(databaseUrl)
  return {
    name,
    url,
    env,
    hasProjects: true,
    tokenFile: join(paths.controller, 'admin-token'),
    pids: { server: server.pid, ...(database === undefined ? {} : { database }) },
    stop: async () => {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Undefined where it cannot be had, which is told. */
const startTheirs = async (full: boolean): Promise<Side | undefined> => {
  try {
    if (!full && !isKubernetesCodeBuilt()) throw new Error('it was not built yet')
    const { pid, etcdPid, ...theirs } = await startKubernetesCode()
    const pids = { server: pid, database: etcdPid }
    return { ...theirs, name: 'kubernetes', pids, hasProjects: false }
  } catch (error) {
    process.stderr.write(
      `  load: no server of Kubernetes' code, so that no row is compared: ${String(error)}\n` +
        `  It is built by "scripts/real-api-server.sh FILE": on Debian, as root, with a mirror of unstable.\n`,
    )
    return undefined
  }
}

/** `show` is called with the rows of each database. */
export const benchLoad = async (
  full: boolean,
  show: (rows: readonly Row[]) => void,
): Promise<void> => {
  const size = full ? sizes.full : sizes.small
  const postgres = await anyPostgres()
  const sides: Side[] = []
  try {
    const theirs = await startTheirs(full)
    if (theirs !== undefined) sides.push(theirs)
    const database = await createTestDatabase(postgres.url)
    const ours = [await startOurs('postgres', database.url), await startOurs('embedded')]
    sides.push(...ours)
    const lines = new Map<Side, Line[][]>(sides.map((side) => [side, []]))
    for (let turn = 1; turn <= size.turns; turn++)
      for (const [side, turns] of lines) turns.push(await takeTurn(side, sides, size, turn))
    const measured = new Map([...lines].map(([side, turns]) => [side, mediansOf(turns)]))
    for (const side of ours)
      show(compare(side.name, measured.get(side)!, theirs && measured.get(theirs)))
  } finally {
    for (const side of sides) await side.stop()
    await postgres.stop()
  }
}
