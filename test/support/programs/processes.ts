// Real programs as real processes: controller, agent and CLI from dist/, over TLS on loopback.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAgentProcess } from '../agents/agent-process.ts'
import { commandsIn, main, type Commands } from './cli.ts'
import { freePort } from '../http/free-port.ts'
import { memoryFolder } from '../memory-folder.ts'
import { launchProgram, startProgram, type Program } from './program.ts'
import { shortLived } from '../short-lived.ts'
import type { TestDatabase } from '../databases/test-database.ts'

export { main, runCli, runCliProcess, type Ran } from './cli.ts'
export { freePort } from '../http/free-port.ts'
export { spawnProgram, startProgram, type Program } from './program.ts'

interface ApiCall {
  readonly url: string
  readonly ca: Buffer
  readonly token: string
  /** PATCH sends a merge patch. */
  readonly method: 'GET' | 'PATCH' | 'POST' | 'DELETE'
  readonly body?: unknown
}

/** The controller answered, and said no. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const callApi = ({ url, ca, token, method, body }: ApiCall): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': type }),
    }
    const sent = request(url, { method, ca, headers, timeout: 15_000 }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('error', reject)
      response.on('end', () => {
        const status = response.statusCode ?? 0
        if (status >= 200 && status < 300) resolve(JSON.parse(text))
        else reject(new ApiError(status, `${method} ${url}: ${status} ${text}`))
      })
    })
    sent.on('timeout', () => sent.destroy(new Error(`${method} ${url}: no answer in 15 s`)))
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })

/** A controller and its one agent in a temporary folder. */
export interface World extends Commands {
  readonly dir: string
  readonly url: string
  readonly controllerDir: string
  readonly agentDir: string
  controller: Program
  agent: Program
  /** Everything that controllers and agents of this world ever printed. */
  allOutput(): string
  /** One plain write through the API, as a dashboard or a script would do it. */
  patchSecret(name: string, value: string): Promise<void>
  /** An object of the default namespace by `stagelets/shop`, without the cost of a process. */
  read(resource: string): Promise<unknown>
  /** What an open page such as /metrics answers, whatever its status. */
  page(path: string): Promise<{ status: number; text: string }>
  /** A merge patch of one. */
  patch(resource: string, patch: object): Promise<void>
  /** Any call on an object or a collection of the default namespace. ApiError when it is refused. */
  call(method: ApiCall['method'], resource: string, body?: object): Promise<unknown>
  startController(): Promise<void>
  /** Waits until it is connected. */
  startAgent(): Promise<void>
  /** Starts an agent that has joined before, and does not wait. */
  spawnAgent(): void
  stop(): Promise<void>
}

export interface WorldOptions {
  /** Embedded when absent. */
  readonly databaseUrl?: string
  /** The same, and dropped at the end. */
  readonly database?: TestDatabase
  /** Puts into the controller's folder what it is to find at its first start. */
  readonly prepare?: (controllerDir: string) => Promise<void>
  /** Over what a controller gets anyway; read at each of its starts. */
  readonly controllerEnv?: NodeJS.ProcessEnv
  readonly controllerArgs?: readonly string[]
  /** Starts the controller in another way than as a process: see controller-here. */
  readonly controllerBy?: (args: readonly string[], env: NodeJS.ProcessEnv) => Promise<Program>
  /** The same of the agent: see agent-here. */
  readonly agentBy?: typeof startAgentProcess
  readonly agentEnv?: NodeJS.ProcessEnv
  readonly agentArgs?: readonly string[]
  readonly withAgent?: boolean
  /** Flags of Node for the controller, in place of those for programs that run for seconds. */
  readonly controllerNode?: readonly string[]
}

/** What a controller prints when it serves. */
export const controllerReady = 'stagely controller ready on'

/** A fixed example key: 32 bytes of base64, for the servers of tests only. */
export const testMasterKey = Buffer.alloc(32, 7).toString('base64')

export const startWorld = async (options: WorldOptions = {}): Promise<World> => {
  const databaseUrl = options.databaseUrl ?? options.database?.url
  // An embedded database syncs its files, which costs nothing in memory.
  const parent = databaseUrl === undefined ? memoryFolder : tmpdir()
  const dir = await mkdtemp(join(parent, 'stagely-world-'))
  const port = await freePort()
  const url = `https://127.0.0.1:${port}`
  const [controllerDir, agentDir] = [join(dir, 'controller'), join(dir, 'agent')]
  const controllerEnv =
    databaseUrl === undefined
      ? {}
      : { DATABASE_URL: databaseUrl, STAGELY_SECRET_KEY: testMasterKey }
  const programs: Program[] = []
  let token = ''
  let joinToken = ''

  const agentArgs = (): string[] => [
    ...['agent', 'run', '--data-dir', agentDir, '--join', joinToken],
    ...(options.agentArgs?.includes('--allow-dir') === true ? [] : ['--allow-dir', tmpdir()]),
    ...(options.agentArgs ?? []),
  ]
  const cliEnv = (): NodeJS.ProcessEnv => ({
    HOME: dir,
    STAGELY_SERVER: url,
    STAGELY_TOKEN: token,
    STAGELY_CA_FILE: join(controllerDir, 'ca.crt'),
  })

  const call = async (
    method: ApiCall['method'],
    resource: string,
    body?: object,
  ): Promise<unknown> =>
    callApi({
      url: `${url}/apis/stagely.dev/v1alpha1/namespaces/default/${resource}`,
      ca: await readFile(join(controllerDir, 'ca.crt')),
      token,
      method,
      body,
    })

  const world = {
    dir,
    url,
    controllerDir,
    agentDir,
    allOutput: () => programs.map((p) => p.output()).join('\n'),
    ...commandsIn(cliEnv),
    call,
    read: (resource: string) => call('GET', resource),
    page: async (path: string) => {
      const ca = await readFile(join(controllerDir, 'ca.crt'))
      return new Promise((resolve, reject) => {
        const sent = request(`${url}${path}`, { ca }, (response) => {
          let text = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, text })
          })
        })
        sent.once('error', reject)
        sent.end()
      })
    },
    patch: async (resource: string, patch: object) => {
      await call('PATCH', resource, patch)
    },
    patchSecret: (name: string, value: string) =>
      world.patch(`stagelysecrets/${name}`, { spec: { value } }),
    startController: async () => {
      const where = ['--data-dir', controllerDir, '--listen', `127.0.0.1:${port}`]
      const args = [...where, ...(options.controllerArgs ?? [])]
      const env = { ...controllerEnv, ...options.controllerEnv }
      const asProcess = (): Promise<Program> =>
        startProgram(['controller', ...args], env, controllerReady, {
          node: options.controllerNode,
        })
      world.controller = await (options.controllerBy?.(args, env) ?? asProcess())
      programs.push(world.controller)
      token = (await readFile(join(controllerDir, 'admin-token'), 'utf8')).trim()
    },
    startAgent: async () => {
      if (joinToken === '') {
        joinToken = (
          await world.must('agent', 'token', 'create', '--namespace', 'default', '--name', 'box')
        ).trim()
      }
      const { agentBy = startAgentProcess, agentEnv = {} } = options
      world.agent = await agentBy(agentArgs(), agentEnv)
      programs.push(world.agent)
    },
    spawnAgent: () => {
      world.agent = launchProgram(
        { file: process.execPath, args: [...shortLived, main, ...agentArgs()] },
        options.agentEnv ?? {},
      )
      programs.push(world.agent)
    },
    stop: async () => {
      for (const program of programs) await program.kill('SIGKILL')
      await options.database?.drop()
      await rm(dir, { recursive: true, force: true })
    },
  } as World

  try {
    await options.prepare?.(controllerDir)
    await world.startController()
    if (options.withAgent !== false) await world.startAgent()
  } catch (error) {
    await world.stop()
    throw error
  }
  return world
}
