// Starting public commands as separate processes, for the quickstart and the benches.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string
  readonly env?: Record<string, string>
  readonly cwd?: string
}

/** The environment of this process without settings of another Stagely and its database, plus `extra`. */
const environment = (extra: Record<string, string> = {}): Record<string, string> => {
  const kept = Object.entries(process.env).filter(
    ([name, value]) =>
      value !== undefined && name !== 'DATABASE_URL' && !name.startsWith('STAGELY_'),
  ) as [string, string][]
  return { ...Object.fromEntries(kept), ...extra }
}

/** Runs a command to its end. Rejects only when it cannot be started. */
export const run = (
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: environment(options.env), cwd: options.cwd })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
    // A command that does not read its input closes the pipe; that is not our error.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.stdin ?? '')
  })

export interface Server {
  readonly pid: number
  readonly logFile: string
  /** Last lines of its log. */
  tail(lines: number): string
  running(): boolean
  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when it has ended. */
  stop(graceMs?: number): Promise<void>
}

/** Starts a long-running command in a session of its own (Ctrl-C reaches only the caller); its output goes to a file. */
export const serve = (
  command: string,
  args: readonly string[],
  { logFile, env, cwd }: { logFile: string; env?: Record<string, string>; cwd?: string },
): Server => {
  const log = openSync(logFile, 'w', 0o600)
  const child = spawn(command, args, {
    env: environment(env),
    cwd,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve())
    child.on('error', () => resolve())
  })
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid ?? -1,
    logFile,
    running,
    tail: (lines) => readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n'),
    stop: async (graceMs = 10_000) => {
      if (!running()) return
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
      child.kill('SIGTERM')
      await ended
      clearTimeout(timer)
    },
  }
}

/** Polls `check` until it answers with something; throws `onTimeout()`'s error after `ms`. */
export const until = async <T>(
  check: () => Promise<T | undefined> | T | undefined,
  ms: number,
  onTimeout: () => Error,
  everyMs = 50,
): Promise<T> => {
  const end = performance.now() + ms
  for (;;) {
    const result = await check()
    if (result !== undefined) return result
    if (performance.now() > end) throw onTimeout()
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** A free port on `host`: `wanted` if nothing has it, else one that the kernel picks. */
export const freePort = (wanted: number, host = '127.0.0.1'): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (wanted !== 0 && error.code === 'EADDRINUSE') resolve(freePort(0, host))
      else reject(error)
    })
    server.listen(wanted, host, () => {
      const address = server.address()
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : wanted),
      )
    })
  })
