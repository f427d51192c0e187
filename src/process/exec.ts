// The only place that starts processes. Each runs in its own session, so that a signal to the agent
// does not reach it: Compose killed in the middle leaves half-made containers behind.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

export interface ExecRequest {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /**
   * Always closed, as Compose would wait for its end. What is given reaches the program whole or not
   * at all: when we are killed in the middle, the program is not started. A line feed is added.
   */
  readonly stdin?: string | Buffer
  /** After this time the process group gets SIGTERM, and SIGKILL `killAfterMs` later. */
  readonly timeoutMs: number
  readonly killAfterMs?: number
  /** So long after the end of the group its output is cut off: what it left behind may hold it. */
  readonly lingerMs?: number
}

export interface ExecResult {
  /** undefined when a signal ended it, or when it could not be started (see `startError`). */
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly timedOut: boolean
  readonly stdout: string
  /** The last 64 KiB, from a whole line on. Not masked: callers must, before it goes anywhere. */
  readonly stderr: string
  /** Code such as ENOENT or E2BIG when the program could not be started. */
  readonly startError: string | undefined
}

const maxStdoutBytes = 32 * 1024 * 1024
const maxStderrBytes = 64 * 1024

/** Keeps the head (for output that is parsed) or the tail (for messages) of a stream. */
const collect = (
  stream: NodeJS.ReadableStream | null,
  maxBytes: number,
  keep: 'head' | 'tail',
): (() => string) => {
  let chunks: Buffer[] = []
  let size = 0
  let wasCut = false
  stream?.on('data', (chunk: Buffer) => {
    if (keep === 'head' && size >= maxBytes) return
    chunks.push(chunk)
    size += chunk.length
    if (keep === 'tail' && size > 2 * maxBytes) {
      chunks = [Buffer.concat(chunks).subarray(-maxBytes)]
      size = maxBytes
      wasCut = true
    }
  })
  return () => {
    const all = Buffer.concat(chunks)
    if (keep === 'head') return all.subarray(0, maxBytes).toString('utf8')
    if (!wasCut && all.length <= maxBytes) return all.toString('utf8')
    // From a whole line on: the masker does not recognize a secret whose beginning is cut off.
    const tail = all.subarray(-maxBytes)
    const end = tail.indexOf(10)
    return end < 0 ? '' : tail.subarray(end + 1).toString('utf8')
  }
}

/** To the program and all that it has started. */
export const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone already.
  }
}

/** False as well for one that was never there. */
const isGroupAlive = (child: ChildProcess): boolean => {
  try {
    return child.pid !== undefined && process.kill(-child.pid, 0)
  } catch {
    return false
  }
}

const endOfInput = '#end-of-input'
/**
 * Compose takes an input that is cut off, or empty, for an override that says little, and re-creates
 * services without their secrets. So a shell takes it, in memory, and starts Compose when it has all.
 * It holds it as an argument of its own: a variable may be one of the environment, which Compose gets.
 */
const startWhenWhole = `set -- "$(cat)" "$@"; case $1 in *'${endOfInput}') ;; *) exit 97 ;; esac
printf '%s\\n' "\${1%'${endOfInput}'}" | { shift; "$@"; }`

/** The command that reads an input and `endOfInput`. Exported for a test, which cuts the input off. */
export const guardedCommand = (file: string, args: readonly string[]): [string, string[]] => [
  '/bin/sh',
  ['-c', startWhenWhole, 'sh', file, ...args],
]

export const commandOf = ({
  file,
  args,
  stdin,
}: Pick<ExecRequest, 'file' | 'args' | 'stdin'>): [string, string[]] =>
  stdin === undefined ? [file, [...args]] : guardedCommand(file, args)

export const giveInput = ({ stdin }: ChildProcess, input: ExecRequest['stdin']): void => {
  // A program that ends before it has read its input is not an error of ours.
  stdin?.on('error', () => undefined)
  if (input !== undefined) {
    stdin?.write(input)
    stdin?.write(`${endOfInput}\n`)
  }
  stdin?.end()
}

/** Runs a program to its end. Never throws: how it went is in the result. */
export const execProgram = (request: ExecRequest): Promise<ExecResult> =>
  new Promise((resolve) => {
    let child: ChildProcess
    const failed = (error: unknown): void => {
      resolve({
        exitCode: undefined,
        signal: undefined,
        timedOut: false,
        stdout: '',
        stderr: '',
        startError: (error as NodeJS.ErrnoException).code ?? 'UNKNOWN',
      })
    }
    try {
      child = spawn(...commandOf(request), {
        cwd: request.cwd,
        env: { ...request.env },
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    } catch (error) {
      failed(error)
      return
    }
    const stdout = collect(child.stdout, maxStdoutBytes, 'head')
    const stderr = collect(child.stderr, maxStderrBytes, 'tail')
    let timedOut = false
    let isKilled = false
    let killTimer: NodeJS.Timeout | undefined
    let lingerTimer: NodeJS.Timeout | undefined
    const deadline = setTimeout(() => {
      timedOut = true
      signalGroup(child, 'SIGTERM')
      killTimer = setTimeout(() => {
        isKilled = true
        signalGroup(child, 'SIGKILL')
      }, request.killAfterMs ?? 10_000)
    }, request.timeoutMs)
    const stopTimers = (): void => {
      clearTimeout(deadline)
      clearTimeout(killTimer)
      clearInterval(lingerTimer)
    }
    child.on('exit', () => {
      // The rest of the group may be at work, as Compose is after the shell that has started it. What
      // is of another session, such as a kept connection of ssh, is not waited for.
      lingerTimer = setInterval(() => {
        if (!isKilled && isGroupAlive(child)) return
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, request.lingerMs ?? 2_000)
    })
    child.on('error', (error) => {
      stopTimers()
      failed(error)
    })
    child.on('close', (code, signal) => {
      stopTimers()
      const ended = { exitCode: code ?? undefined, signal: signal ?? undefined, timedOut }
      resolve({ ...ended, stdout: stdout(), stderr: stderr(), startError: undefined })
    })
    giveInput(child, request.stdin)
  })
