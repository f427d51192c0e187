// The configuration of the agent: flags, and the few environment variables that it reads.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { StagelyError, messageOf } from '../src/kernel/errors.ts'
import { withWholePaths } from '../src/kernel/path-flags.ts'
import { baseEnvironment, type Environment } from '../src/compose/environment.ts'

export interface AgentConfig {
  readonly dataDir: string
  readonly joinToken: string | undefined
  /** Folders that stacks may lie in. Empty: no stack is run. */
  readonly allowDirs: readonly string[]
  readonly logLevel: string
  /** Environment of Compose, before any secret. */
  readonly environment: Environment
  readonly dockerSocket: string
  /** Where file secrets lie while they are mounted; on a tmpfs. */
  readonly filesDir: string
  /** Write file secrets also where `filesDir` is on a disk. */
  readonly filesOnDisk: boolean
  /** Keep file secrets, sealed, for a start without the controller after a reboot. */
  readonly fileCache: boolean
  /** Change credentials of databases in containers, where the controller asks for it. */
  readonly tasks: boolean
}

export const usage = `Usage: stagely agent run --data-dir DIR --allow-dir DIR... [--join-file FILE]

Runs the agent of this machine. The first start needs a join token.

  --data-dir DIR    where the agent keeps its keys and state (made if missing)
  --join TOKEN      join token, from: stagely agent token create
  --join-file FILE  the same from a file, which other users of the machine cannot read
  --allow-dir DIR   stacks below DIR may be run, and no others; repeat it for more. Without it the agent
                    runs no stack
  --files-dir DIR   tmpfs folder for file secrets (/run/stagely)
  --files-on-disk   write file secrets also where that folder is on a disk
  --no-file-cache   keep no sealed copy of file secrets for a reboot without the controller
  --no-tasks        do nothing inside of containers: no password of a database is changed by this agent

Environment: STAGELY_LOG_LEVEL (info), DOCKER_HOST (unix:///var/run/docker.sock), STAGELY_JOIN_TOKEN,
STAGELY_AGENT_NO_TASKS (1: as --no-tasks).

Example: stagely agent run --data-dir /var/lib/stagely-agent --join-file token --allow-dir /srv
`

/** Flags of a program of the agent. Those that are paths are made whole where they are read. */
export type AgentOptions = Readonly<
  Record<string, NonNullable<ParseArgsConfig['options']>[string] & { readonly path?: true }>
>

/** Flags of `agent run`, which `agent install` and `agent doctor` take too. */
export const runOptions = {
  'data-dir': { type: 'string', path: true },
  'allow-dir': { type: 'string', multiple: true, path: true },
  'files-dir': { type: 'string', path: true },
  'files-on-disk': { type: 'boolean' },
  'no-file-cache': { type: 'boolean' },
  'no-tasks': { type: 'boolean' },
  'join-file': { type: 'string', path: true },
  help: { type: 'boolean', short: 'h' },
} as const satisfies AgentOptions

/** BadRequest for a flag that is not known. */
export const readFlags = <T extends AgentOptions>(argv: readonly string[], options: T) => {
  const paths = Object.keys(options).filter((name) => options[name]!.path)
  const args = withWholePaths(
    argv,
    paths.map((name) => `--${name}`),
  )
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new StagelyError('BadRequest', messageOf(error))
  }
}

/** BadRequest with all that is wrong; never repeats the token. */
export const parseAgentConfig = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): AgentConfig | 'help' => {
  const flags = readFlags(argv, { ...runOptions, join: { type: 'string' } })
  if (flags.help === true) return 'help'
  const dataDir = flags['data-dir']
  if (dataDir === undefined || dataDir === '') {
    throw new StagelyError('BadRequest', 'give the folder for keys and state: --data-dir DIR')
  }
  const allowDirs = flags['allow-dir'] ?? []
  const filesDir = flags['files-dir'] ?? '/run/stagely'
  const dockerSocket = socketOf(env)
  return {
    dataDir,
    filesDir,
    filesOnDisk: flags['files-on-disk'] === true,
    fileCache: flags['no-file-cache'] !== true,
    tasks: flags['no-tasks'] !== true && !isOn(env['STAGELY_AGENT_NO_TASKS']),
    joinToken: flags.join ?? readToken(flags['join-file']) ?? env['STAGELY_JOIN_TOKEN'],
    allowDirs,
    logLevel: env['STAGELY_LOG_LEVEL'] ?? 'info',
    // Always set: Compose would follow a Docker context, and use another engine than the agent.
    environment: {
      HOME: homedir(),
      ...baseEnvironment(env),
      DOCKER_HOST: `unix://${dockerSocket}`,
    },
    dockerSocket,
  }
}

/** All but an empty text, 0 and false: who sets it wants it. */
const isOn = (text = ''): boolean => !['', '0', 'false'].includes(text.toLowerCase())

/** A token is used once, so that its file may be gone at a later start. */
const readToken = (file: string | undefined): string | undefined => {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new StagelyError('BadRequest', `cannot read --join-file ${file}: ${messageOf(error)}`)
  }
}

/** Why DOCKER_HOST names no engine that an agent can work with; undefined when it does. */
export const dockerHostFault = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined =>
  /^(unix:\/\/.*)?$/.test(env['DOCKER_HOST'] ?? '')
    ? undefined
    : 'DOCKER_HOST must be a unix:// socket: the agent runs on the machine of its engine'

/** Where an engine of root listens. */
export const usualSocket = '/var/run/docker.sock'

const socketOf = (env: Readonly<Record<string, string | undefined>>): string => {
  const fault = dockerHostFault(env)
  if (fault !== undefined) throw new StagelyError('BadRequest', fault)
  const host = env['DOCKER_HOST'] ?? ''
  return host === '' ? usualSocket : host.slice('unix://'.length)
}

/** The environment without a DOCKER_HOST that cannot be used. */
export const withoutForeignEngine = (): Readonly<Record<string, string | undefined>> =>
  dockerHostFault() === undefined ? process.env : { ...process.env, DOCKER_HOST: undefined }

/** Version of this program, for status pages. */
export const agentVersion = '0.1.0'
