// The built command, run to its end.
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync, ftruncateSync, openSync, readSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { memoryFolder } from '../memory-folder.ts'
import { shortLived } from '../short-lived.ts'

export const main = resolve(import.meta.dirname, '../../../dist/cli/main.js')
const hostProgram = resolve(import.meta.dirname, 'cli-host.mjs')

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** In a process of its own. */
export const runCliProcess = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
  cwd?: string,
): Promise<Ran> => {
  // Node takes an --env-file of its own also after the program, but for this.
  const child = spawn(process.execPath, [...shortLived, '--', main, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return {
    code: code ?? -1,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  }
}

/** What is done on a controller's machine, and ends. */
const maintenance = new Set(['backup', 'break-glass', 'install', 'uninstall'])

/** Programs that run for long, or whose own program is to read something. */
const needsProcess = (
  [first = '', second = '']: readonly string[],
  env: NodeJS.ProcessEnv,
  input: string,
): boolean =>
  (first === 'run' && input !== '') ||
  (first === 'controller' && !maintenance.has(second)) ||
  (first === 'agent' && second === 'run') ||
  Object.keys(env).some((name) => name.startsWith('NODE_'))

/** A process with the command; what it and the programs that it starts print goes to two files. */
interface Host {
  readonly child: ChildProcess
  readonly stdout: number
  readonly stderr: number
}

/** Hosts that wait for the next command. */
const idle: Host[] = []
let started = 0

/** Of a file without a name; what is written goes to its end. */
const openOutput = (): number => {
  const path = join(memoryFolder, `stagely-cli-${process.pid}-${started++}`)
  const file = openSync(path, 'a+', 0o600)
  rmSync(path)
  return file
}

const takeOutput = (file: number): string => {
  const bytes = Buffer.alloc(fstatSync(file).size)
  readSync(file, bytes, 0, bytes.length, 0)
  ftruncateSync(file)
  return bytes.toString()
}

/** The next that a host says; throws when it ends in place of it. */
const messageOf = ({ child, stderr }: Host): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      child.off('exit', onExit)
      resolve(message)
    }
    const onExit = (code: number | null): void => {
      child.off('message', onMessage)
      reject(new Error(`the command ended its process with ${code}\n${takeOutput(stderr)}`))
    }
    child.once('message', onMessage).once('exit', onExit)
  })

const startHost = async (): Promise<Host> => {
  const [stdout, stderr] = [openOutput(), openOutput()]
  const child = fork(hostProgram, [main], {
    execArgv: shortLived,
    stdio: ['ignore', stdout, stderr, 'ipc'],
  })
  const host = { child, stdout, stderr }
  // It ends with this process, and keeps it only while a command runs.
  child.unref()
  await messageOf(host)
  return host
}

/** Runs the command with all that a process of its own would have, in one that is there already. */
export const runCli = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input = '',
  cwd?: string,
): Promise<Ran> => {
  if (needsProcess(args, env, input)) return runCliProcess(args, env, input, cwd)
  const host = idle.pop() ?? (await startHost())
  const given = Object.entries({ PATH: process.env['PATH'], ...env })
  const set = Object.fromEntries(given.filter(([, value]) => value !== undefined))
  host.child.channel?.ref()
  const answer = messageOf(host) as Promise<{ code: number } | { failed: string }>
  host.child.send({ args, env: set, input, cwd: cwd ?? process.cwd() })
  const ran = await answer
  if ('failed' in ran) throw new Error(ran.failed)
  host.child.channel?.unref()
  idle.push(host)
  return { code: ran.code, stdout: takeOutput(host.stdout), stderr: takeOutput(host.stderr) }
}

/** The command, with the same environment each time. */
export interface Commands {
  env(): NodeJS.ProcessEnv
  cli(...args: string[]): Promise<Ran>
  cliWith(input: string, ...args: string[]): Promise<Ran>
  /** With another token. */
  cliAs(token: string, ...args: string[]): Promise<Ran>
  /** With these variables too. */
  cliWithin(more: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran>
  /** As one that is started from that folder. */
  cliIn(folder: string, ...args: string[]): Promise<Ran>
  /** cli() that throws unless the exit code is 0. */
  must(...args: string[]): Promise<string>
  apply(yaml: string): Promise<Ran>
}

export const commandsIn = (env: () => NodeJS.ProcessEnv): Commands => ({
  env,
  cli: (...args) => runCli(args, env()),
  cliWith: (input, ...args) => runCli(args, env(), input),
  cliAs: (token, ...args) => runCli(args, { ...env(), STAGELY_TOKEN: token }),
  cliWithin: (more, ...args) => runCli(args, { ...env(), ...more }),
  cliIn: (folder, ...args) => runCli(args, env(), '', folder),
  must: async (...args) => {
    const ran = await runCli(args, env())
    if (ran.code !== 0)
      throw new Error(`stagely ${args.join(' ')}: ${ran.code}\n${ran.stdout}${ran.stderr}`)
    return ran.stdout
  },
  apply: (yaml) => runCli(['apply', '-f', '-'], env(), yaml),
})
