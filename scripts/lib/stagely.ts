// A controller and an agent as separate processes over TLS, and the `stagely` command to speak with
// them: what the quickstart shows and the benches measure.
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  freePort,
  run,
  serve,
  until,
  type Outcome,
  type RunOptions,
  type Server,
} from './processes.ts'

export const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'dist/cli/main.js')

export interface Paths {
  readonly dir: string
  readonly controller: string
  readonly agent: string
  readonly port: string
}

export const pathsIn = (dir: string): Paths => ({
  dir,
  controller: join(dir, 'controller'),
  agent: join(dir, 'agent'),
  port: join(dir, 'port'),
})

export interface Connection {
  readonly url: string
  readonly env: { STAGELY_SERVER: string; STAGELY_TOKEN: string; STAGELY_CA_FILE: string }
}

export interface Controller extends Connection {
  readonly server: Server
  readonly startMs: number
}

export interface ControllerOptions {
  readonly port: number
  readonly databaseUrl?: string | undefined
  readonly masterKey?: string | undefined
  readonly env?: Record<string, string>
  /** More flags of the command. */
  readonly flags?: readonly string[]
}

/** Starts a controller on loopback and waits for its ready line. Throws with the end of its log. */
export const startController = async (
  paths: Paths,
  { port, databaseUrl, masterKey, env: settings = {}, flags = [] }: ControllerOptions,
): Promise<Controller> => {
  mkdirSync(paths.controller, { recursive: true, mode: 0o700 })
  const url = `https://127.0.0.1:${port}`
  const started = performance.now()
  const args = ['controller', '--data-dir', paths.controller, '--listen', `127.0.0.1:${port}`]
  const server = serve(process.execPath, [program, ...args, '--advertise-url', url, ...flags], {
    logFile: join(paths.dir, 'controller.log'),
    env: {
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(masterKey === undefined ? {} : { STAGELY_SECRET_KEY: masterKey }),
      ...settings,
    },
  })
  writeFileSync(join(paths.dir, 'controller.pid'), String(server.pid))
  await ready(server, 'the controller')
  const startMs = performance.now() - started
  const env = {
    STAGELY_SERVER: url,
    STAGELY_TOKEN: readFileSync(join(paths.controller, 'admin-token'), 'utf8').trim(),
    STAGELY_CA_FILE: join(paths.controller, 'ca.crt'),
  }
  return { server, startMs, url, env }
}

/** Starts an agent for stacks below `allowDir`; `joinToken` is needed once for each data folder. */
export const startAgent = (
  paths: Paths,
  allowDir: string,
  joinToken: string | undefined,
): Server => {
  mkdirSync(paths.agent, { recursive: true, mode: 0o700 })
  // In the environment and not as --join: arguments can be read by every user of the machine.
  const args = ['agent', 'run', '--data-dir', paths.agent, '--allow-dir', allowDir]
  const server = serve(process.execPath, [program, ...args], {
    logFile: join(paths.dir, 'agent.log'),
    env: joinToken === undefined ? {} : { STAGELY_JOIN_TOKEN: joinToken },
  })
  writeFileSync(join(paths.dir, 'agent.pid'), String(server.pid))
  return server
}

/** Resolves once the log says that the process is ready; both programs print a line for it. */
const ready = (server: Server, what: string): Promise<true> =>
  until(
    () => {
      if (!server.running()) throw failed(server, `${what} ended at once`)
      return /\bready\b/i.test(server.tail(50)) ? true : undefined
    },
    60_000,
    () => failed(server, `${what} was not ready within 60 s`),
    10,
  )

/** Resolves once the agent says that it is connected; throws with the end of its log. */
export const connected = (agent: Server, withinMs: number): Promise<true> =>
  until(
    () => {
      if (!agent.running()) throw failed(agent, 'the agent ended at once')
      return /\bconnected\b/.test(agent.tail(50)) ? true : undefined
    },
    withinMs,
    () => failed(agent, `the agent was not connected within ${withinMs / 1000} s`),
    10,
  )

const failed = (server: Server, what: string): Error =>
  new Error(`${what}; the end of ${server.logFile}:\n${server.tail(12)}`)

/** Ends what a killed earlier run left behind in this folder. */
export const stopLeftovers = async (paths: Paths): Promise<void> => {
  await stopLeftover(join(paths.dir, 'agent.pid'), paths.agent)
  await stopLeftover(join(paths.dir, 'controller.pid'), paths.controller)
}

/** Only if the process still is what the file says. */
const stopLeftover = async (pidFile: string, dataDir: string): Promise<void> => {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  rmSync(pidFile)
  const isOurs = (): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(dataDir)
    } catch {
      return false
    }
  }
  if (!isOurs()) return
  process.kill(pid, 'SIGTERM')
  await until(
    () => (isOurs() ? undefined : true),
    15_000,
    () =>
      new Error(
        `process ${pid} of an earlier run still holds ${dataDir}; stop it with: kill ${pid}`,
      ),
  )
}

/** Runs the `stagely` command as a user would. */
export const stagely = (
  connection: Connection,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> =>
  run(process.execPath, [program, ...args], {
    ...options,
    env: { ...connection.env, ...options.env },
  })

/** The port of earlier runs, which the agent knows, or `wanted`, or a free one; remembered. */
export const choosePort = async (paths: Paths, wanted: number): Promise<number> => {
  const before = existsSync(paths.port) ? Number(readFileSync(paths.port, 'utf8')) : wanted
  const port = await freePort(before)
  writeFileSync(paths.port, String(port))
  return port
}

/** The key for an external database: made once, kept beside the rest (0600). */
export const keptMasterKey = (paths: Paths): string => {
  const file = join(paths.dir, 'secret-key')
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 })
  return readFileSync(file, 'utf8').trim()
}
