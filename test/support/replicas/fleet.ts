// Controllers on one Postgres behind a balancer, and agents that run a stack each: every one of them
// a process, every controller in a network namespace of its own.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startAgentProcess } from '../agents/agent-process.ts'
import { createPostgresServer, type PostgresServer } from '../databases/postgres-server.ts'
import {
  controllerReady,
  startProgram,
  testMasterKey,
  type Program,
} from '../programs/processes.ts'
import { createStack, inspectProject, onHost, testImage, type Stack } from '../docker/stack.ts'
import { startBalancer, type Balancer } from './balancer.ts'
import { createClient, namespaced, type Client } from './client.ts'
import { createNetwork, type Network } from './network.ts'

export interface Replica {
  /** From 1. */
  readonly index: number
  program: Program
  /** Asks this one, past the balancer. */
  readonly client: Client
}

interface Lease {
  readonly term: number
  readonly holder: string
}

export interface Fleet {
  readonly network: Network
  readonly postgres: PostgresServer
  readonly database: pg.Pool
  readonly replicas: readonly Replica[]
  readonly agents: readonly Program[]
  readonly stacks: readonly Stack[]
  /** By the balancer. */
  readonly client: Client
  readonly env: NodeJS.ProcessEnv
  startReplica(index: number): Promise<void>
  lease(): Promise<Lease>
  /** The replica that leads, once one does. */
  leader(): Promise<{ replica: Replica; term: number }>
  /** A value of stack `i`'s own. */
  setToken(i: number, value: string): Promise<void>
  /** Waits until every container has these values and every stagelet and agent says so. */
  converged(tokens: readonly string[], withinMs: number): Promise<void>
  stop(): Promise<void>
}

const port = 8443
/** Ends with this process, however that ends. */
const leashed = ['setpriv', '--pdeathsig', 'KILL', '--']

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Tries again until it does not throw; the last fault after `withinMs`. */
export const eventually = async <T>(
  withinMs: number,
  look: () => Promise<T>,
  everyMs = 100,
): Promise<T> => {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (performance.now() > end) throw error
      await sleep(everyMs)
    }
  }
}

const compose = `services:
  app:
    image: ${testImage}
${onHost('app')}    command: ["sh", "-c", "trap 'exit 0' TERM; while :; do echo tick $$TOKEN; sleep 1 & wait $$!; done"]
`

interface Status {
  readonly metadata: { readonly name: string }
  readonly status?: {
    readonly conditions?: readonly { type: string; status: string; reason: string }[]
    readonly services?: readonly { wantedDigest?: string; runningDigest?: string }[]
  }
}

const holds = ({ status }: Status, type: string): boolean =>
  status?.conditions?.some((c) => c.type === type && c.status === 'True') === true

interface Parts {
  readonly dir: string
  readonly network: Network
  readonly postgres: PostgresServer
  readonly database: pg.Pool
  readonly balancer: Balancer
  readonly replicas: Replica[]
  readonly agents: Program[]
  readonly stacks: Stack[]
}

type Building = { -readonly [K in keyof Parts]?: Parts[K] }

const removeAll = async (parts: Building): Promise<void> => {
  const { dir, network, postgres, database, balancer, replicas = [], agents = [] } = parts
  const programs = [...agents, ...replicas.map((r) => r.program)]
  await Promise.all(programs.map((program) => program?.kill('SIGKILL')))
  await Promise.all((parts.stacks ?? []).map((stack) => stack.remove()))
  await balancer?.close()
  await database?.end().catch(() => undefined)
  await postgres?.remove()
  network?.remove()
  if (dir !== undefined) await rm(dir, { recursive: true, force: true })
}

export const startFleet = async (size: {
  readonly controllers: number
  readonly agents: number
}): Promise<Fleet> => {
  const parts: Building = {}
  try {
    return await build(parts, size)
  } catch (error) {
    await removeAll(parts)
    throw error
  }
}

const build = async (
  parts: Building,
  size: { readonly controllers: number; readonly agents: number },
): Promise<Fleet> => {
  const dir = (parts.dir = await mkdtemp(join(tmpdir(), 'stagely-fleet-')))
  const network = (parts.network = createNetwork(size.controllers))
  const postgres = (parts.postgres = await createPostgresServer([network.host.database]))
  await postgres.start()
  const database = (parts.database = new pg.Pool({ connectionString: postgres.url, max: 3 }))
  database.on('error', () => undefined)
  const indexes = Array.from({ length: size.controllers }, (_, i) => i + 1)
  const balancer = (parts.balancer = await startBalancer(
    indexes.map((index) => ({ host: network.frontOf(index), port })),
  ))
  const url = `https://127.0.0.1:${balancer.port}`
  const replicas: Replica[] = (parts.replicas = [])
  const dirOf = (index: number): string => join(dir, `controller-${index}`)
  const run = (index: number): Promise<Program> =>
    startProgram(
      ['controller', '--data-dir', dirOf(index), '--listen', `0.0.0.0:${port}`].concat(
        ...['--advertise-url', url],
        ...['--peer-url', `https://${network.frontOf(index)}:${port}`],
      ),
      { DATABASE_URL: postgres.url, STAGELY_SECRET_KEY: testMasterKey },
      controllerReady,
      { within: [...network.within(index), ...leashed] },
    )
  const first = await run(1)
  const token = (await readFile(join(dirOf(1), 'admin-token'), 'utf8')).trim()
  const ca = await readFile(join(dirOf(1), 'ca.crt'), 'utf8')
  const add = (index: number, program: Program): void => {
    const at = { url: `https://${network.frontOf(index)}:${port}`, ca, token }
    replicas.push({ index, program, client: createClient(at) })
  }
  add(1, first)
  const others = await Promise.all(indexes.slice(1).map(run))
  others.forEach((program, i) => {
    add(i + 2, program)
  })

  const client = createClient({ url, ca, token })
  const agents: Program[] = (parts.agents = [])
  const stacks: Stack[] = (parts.stacks = [])
  await eventually(10_000, () => client.must('GET', '/apis'))
  const create = (resource: string, kind: string, name: string, spec: object): Promise<unknown> =>
    client.must('POST', `${namespaced}/${resource}`, {
      apiVersion: 'stagely.dev/v1alpha1',
      kind,
      metadata: { name },
      spec,
    })
  await create('projects', 'Project', 'fleet', {})
  for (let i = 0; i < size.agents; i++) stacks.push(await createStack(compose))
  const startAgent = async (i: number): Promise<void> => {
    const { status } = await client.must<{ status: { token: string } }>(
      'POST',
      `${namespaced}/agents/box-${i}/token`,
      {},
    )
    const args = ['agent', 'run', '--data-dir', join(dir, `agent-${i}`), '--join', status.token]
    const filesDir = join('/run/stagely-test', String(process.pid))
    const folders = ['--allow-dir', tmpdir(), '--files-dir', filesDir]
    agents[i] = await startAgentProcess([...args, ...folders], {}, { within: leashed })
    await create('stagelysecrets', 'StagelySecret', `token-${i}`, {
      projectRef: { name: 'fleet' },
      stageletRef: { name: `s-${i}` },
      key: 'TOKEN',
      scope: 'app',
      value: `first-value-${i}`,
    })
    await create('stagelets', 'Stagelet', `s-${i}`, {
      projectRef: { name: 'fleet' },
      agentRef: { name: `box-${i}` },
      compose: { directory: stacks[i]!.directory, projectName: stacks[i]!.project },
    })
  }
  await Promise.all(stacks.map((_, i) => startAgent(i)))

  const lease = async (): Promise<Lease> =>
    (
      await database.query<Lease>(
        "SELECT term::int AS term, holder FROM leases WHERE name = 'leader'",
      )
    ).rows[0]!
  return {
    network,
    postgres,
    database,
    replicas,
    agents,
    stacks,
    client,
    env: { STAGELY_SERVER: url, STAGELY_TOKEN: token, STAGELY_CA_FILE: join(dirOf(1), 'ca.crt') },
    startReplica: async (index) => {
      replicas[index - 1]!.program = await run(index)
    },
    lease,
    leader: () =>
      eventually(20_000, async () => {
        const { term } = await lease()
        const replica = replicas.find((r) => termsOf(r.program).includes(term))
        if (replica === undefined) throw new Error(`nobody says that it leads in term ${term}`)
        return { replica, term }
      }),
    setToken: async (i, value) => {
      await eventually(60_000, () =>
        client.must('PATCH', `${namespaced}/stagelysecrets/token-${i}`, { spec: { value } }),
      )
    },
    converged: (tokens, withinMs) =>
      eventually(
        withinMs,
        async () => {
          await checkStatuses(client, tokens.length)
          await checkContainers(stacks, tokens)
        },
        500,
      ),
    stop: async () => {
      client.close()
      for (const replica of replicas) replica.client.close()
      await removeAll(parts)
    },
  }
}

/** Terms in which a program said that it leads. */
const termsOf = (program: Program): number[] =>
  program
    .output()
    .split('\n')
    .filter((line) => line.includes('this replica leads"'))
    .map((line) => (JSON.parse(line) as { term: number }).term)

const stateOf = ({ metadata, status }: Status): string => {
  const conditions = status?.conditions?.map(({ type, reason }) => `${type}:${reason}`)
  return `\n${metadata.name} ${JSON.stringify({ ...status, conditions, services: undefined })}`
}

const checkStatuses = async (client: Client, count: number): Promise<void> => {
  const list = async (resource: string): Promise<readonly Status[]> =>
    (await client.must<{ items: Status[] }>('GET', `${namespaced}/${resource}`)).items
  for (const [resource, conditions] of [
    ['agents', ['Ready']],
    ['stagelets', ['SecretsInSync', 'AgentReachable']],
  ] as const) {
    const items = await list(resource)
    const not = items.filter((item) => !conditions.every((condition) => holds(item, condition)))
    if (items.length !== count || not.length > 0)
      throw new Error(
        `of ${items.length} ${resource} not ${conditions.join(' and ')}: ${not.map(stateOf).join()}`,
      )
  }
}

interface AppContainer {
  readonly id: string
  readonly startedAt: string
  readonly env: readonly string[]
  readonly running: boolean
}

export const containersOf = async (
  stacks: readonly Stack[],
): Promise<Map<Stack, AppContainer[]>> => {
  const found = stacks.map(async (stack): Promise<[Stack, AppContainer[]]> => {
    const containers = await inspectProject(stack.project)
    const told = containers.map(({ Id: id, State, Config }) => {
      const { StartedAt: startedAt, Running: running } = State
      return { id, startedAt, running, env: Config.Env }
    })
    return [stack, told]
  })
  return new Map(await Promise.all(found))
}

const checkContainers = async (
  stacks: readonly Stack[],
  tokens: readonly string[],
): Promise<void> => {
  const containers = await containersOf(stacks)
  const wrong = stacks.filter((stack, i) => {
    const [only, ...more] = containers.get(stack)!
    const right = only?.running === true && only.env.includes(`TOKEN=${tokens[i]!}`)
    return !right || more.length > 0
  })
  if (wrong.length > 0)
    throw new Error(`${wrong.length} stacks do not run their value, or more than one container`)
}
