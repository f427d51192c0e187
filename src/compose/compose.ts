// Runs Docker Compose. The plugin's binary is started directly: `docker compose` would start it twice
// (30 ms more). The override goes to stdin, and the environment is passed explicitly and not inherited.
import { access, constants, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { defined } from '../kernel/defined.ts'
import { messageOf, StagelyError } from '../kernel/errors.ts'
import type { Environment } from './environment.ts'
import { execProgram } from '../process/exec.ts'
import type { ExecResult } from '../process/exec.ts'
import { pipeProgram, type PipedRequest, type PipedResult } from '../process/piped.ts'

/** A failed run of Compose. Holds no argv, no environment and no unmasked output. */
export class ComposeError extends Error {
  override readonly name = 'ComposeError'
  readonly verb: string
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly timedOut: boolean
  /** Last 4 KiB of stderr, masked. */
  readonly stderr: string

  constructor(verb: string, result: ExecResult, mask: (text: string) => string) {
    const stderr = withoutQuotes(withoutWarnings(mask(result.stderr))).slice(-4096)
    super(`docker compose ${verb} ${howItEnded(result)}${stderr === '' ? '' : `: ${stderr}`}`)
    this.verb = verb
    this.exitCode = result.exitCode
    this.signal = result.signal
    this.timedOut = result.timedOut
    this.stderr = stderr
  }
}

const howItEnded = (result: ExecResult): string => {
  if (result.startError !== undefined) return `could not be started (${result.startError})`
  if (result.timedOut) return 'ran into its deadline'
  if (result.signal !== undefined) return `was ended by ${result.signal}`
  return `failed with exit code ${result.exitCode ?? -1}`
}

const withoutWarnings = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => !/^time="[^"]*" level=(warning|info|debug) /.test(line))
    .join('\n')
    .trim()

/** For a broken .env Compose quotes the line, which may hold a value of the user. */
const withoutQuotes = (stderr: string): string =>
  stderr.replace(/(failed to read [^\n]*: line \d+: [^"\n]*)"[^\n]*/g, '$1…')

export interface ComposeCall {
  /** The verb and its arguments, such as `['up', '-d']`. Never holds a value. */
  readonly verb: readonly string[]
  /** Flags between `docker-compose` and the verb: files, profiles, project. */
  readonly flags?: readonly string[]
  readonly cwd: string
  readonly env: Environment
  /** Compose gets the whole input or is not started. */
  readonly stdin?: string | Buffer
  readonly timeoutMs?: number
  readonly mask: (text: string) => string
}

export interface ComposeOutput {
  readonly stdout: string
  /** Unmasked: only for parsing. */
  readonly stderr: string
}

/** A run whose output is passed on at once, unmasked: the given streams must mask it. */
export type PipedCall = Pick<ComposeCall, 'verb' | 'flags' | 'cwd' | 'env' | 'stdin'> &
  Pick<PipedRequest, 'stdout' | 'stderr' | 'signal'>

export interface Compose {
  /** Runs one verb to its end. Throws ComposeError unless Compose exits with 0. */
  run(call: ComposeCall): Promise<ComposeOutput>
  /** Runs one verb and passes its output on. The result holds the exit code. */
  pipe(call: PipedCall): Promise<PipedResult>
  /** Version at the last check, such as `2.26.1`. */
  readonly version: string
  /**
   * Checks whether the binary was replaced, as by an upgrade, and uses the new one. Throws
   * ServiceUnavailable when there is no binary, or it is too old.
   */
  lookAgain(): Promise<void>
}

const pluginFolders = [
  '/usr/local/lib/docker/cli-plugins',
  '/usr/local/libexec/docker/cli-plugins',
  '/usr/lib/docker/cli-plugins',
  '/usr/libexec/docker/cli-plugins',
]

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

/** Path of the Compose v2 binary. Searched as the docker command does: the user's plugin folder first. */
export const findCompose = async (env: Environment): Promise<string | undefined> => {
  const home =
    env['DOCKER_CONFIG'] ?? (env['HOME'] === undefined ? undefined : join(env['HOME'], '.docker'))
  const folders = [
    ...(home === undefined ? [] : [join(home, 'cli-plugins')]),
    ...pluginFolders,
    ...(env['PATH'] ?? '').split(delimiter).filter((p) => p !== ''),
  ]
  for (const folder of folders) {
    const path = join(folder, 'docker-compose')
    if (await isExecutable(path)) return path
  }
  return undefined
}

/** The oldest version that the tests of the agent run with. */
export const oldestCompose = '2.26.0'

const runBinary = async (file: string, call: ComposeCall): Promise<ComposeOutput> => {
  const result = await execProgram({
    file,
    args: [...(call.flags ?? []), ...call.verb],
    cwd: call.cwd,
    env: call.env,
    timeoutMs: call.timeoutMs ?? 60_000,
    ...defined({ stdin: call.stdin }),
  })
  if (result.exitCode !== 0) throw new ComposeError(call.verb[0] ?? '', result, call.mask)
  return { stdout: result.stdout, stderr: result.stderr }
}

interface Binary {
  readonly file: string
  readonly version: string
  /** Fingerprint of the file: changes when the file is replaced. */
  readonly print: string
}

/** The binary that is installed now: `before` when the file is still the same. */
const lookAt = async (
  env: Environment,
  path: string | undefined,
  before?: Binary,
): Promise<Binary> => {
  const refuse = (what: string): StagelyError =>
    new StagelyError(
      'ServiceUnavailable',
      `${what}: install the Docker Compose plugin, version ${oldestCompose} or later`,
    )
  const file = path ?? (await findCompose(env))
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined)
  if (file === undefined || found === undefined)
    throw refuse(`no ${path ?? 'docker-compose'} found`)
  const print = [file, found.dev, found.ino, found.size, found.mtimeMs].join(' ')
  if (before?.print === print) return before
  const call: ComposeCall = { verb: ['version', '--short'], cwd: '/', env, mask: (t) => t }
  const { stdout } = await runBinary(file, call).catch((error: unknown) => {
    throw refuse(`${file} does not tell its version (${messageOf(error)})`)
  })
  const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (version === undefined) throw refuse(`${file} is no Compose that tells its version`)
  if (!isAtLeast(version, oldestCompose))
    throw refuse(`${file} is Compose ${version}, which is too old`)
  return { file, version, print }
}

/**
 * Finds the binary (unless given) and reads its version. ServiceUnavailable when there is no binary, or
 * it is too old.
 */
export const openCompose = async (env: Environment, binary?: string): Promise<Compose> => {
  let current = await lookAt(env, binary)
  let looking: Promise<void> | undefined
  const refresh = async (): Promise<void> => {
    current = await lookAt(env, binary, current)
  }
  return {
    get version() {
      return current.version
    },
    run: (call) => runBinary(current.file, call),
    pipe: ({ flags = [], verb, ...call }) =>
      pipeProgram({ ...call, file: current.file, args: [...flags, ...verb] }),
    // Asked for by many stacks at once, and done once.
    lookAgain: () => (looking ??= refresh().finally(() => (looking = undefined))),
  }
}

/** True when `version` is `wanted` or newer; both as `1.2.3`. */
export const isAtLeast = (version: string, wanted: string): boolean => {
  const [a, b] = [version, wanted].map((v) => v.split('.').map(Number)) as [number[], number[]]
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
