// Starts a program and waits for its end; only this folder starts processes. Each runs in its own session, so that a
// signal to the agent does not reach it: a killed Compose would leave half-made containers behind.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'

export interface ExecRequest {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /**
   * stdin is always closed, as Compose would wait for its end. The program gets the whole input, or is
   * not started: so when this process is killed in the middle. A line feed is added.
   */
  readonly stdin?: string | Buffer
  /** After this time the process group gets SIGTERM, and SIGKILL `killAfterMs` later. */
  readonly timeoutMs: number
  readonly killAfterMs?: number
  /**
   * This long after the group has ended, its output is closed: a process that it left behind may hold
   * it open.
   */
  readonly lingerMs?: number
}

export interface ExecResult {
  /** undefined when a signal ended the program, or when it could not be started (see `startError`). */
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly timedOut: boolean
  readonly stdout: string
  /**
   * The last 64 KiB, from the beginning of a line. Not masked: the caller must mask it before passing
   * it on.
   */
  readonly stderr: string
  /** Error code such as ENOENT or E2BIG, when the program could not be started. */
  readonly startError: string | undefined
}

const maxStdoutBytes = 32 * 1024 * 1024
const maxStderrBytes = 64 * 1024

/** Keeps the beginning (for output that is parsed) or the end (for messages) of a stream. */
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
    // From the beginning of a line: the masker does not recognize a secret whose beginning is cut off.
    const tail = all.subarray(-maxBytes)
    const end = tail.indexOf(10)
    return end < 0 ? '' : tail.subarray(end + 1).toString('utf8')
  }
}

/** Signals the program and all processes that it has started. */
export const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): void => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group has ended already.
  }
}

/** True while a process of the group is alive. */
const isGroupAlive = (child: ChildProcess): boolean => {
  try {
    return child.pid !== undefined && process.kill(-child.pid, 0)
  } catch {
    return false
  }
}

const endOfInput = '#end-of-input'
/**
 * Compose would take an empty or truncated input for a small override, and re-create services without
 * their secrets. So a shell reads the input into memory, and starts Compose when it has all of it. The
 * shell keeps the input as a positional parameter: a variable could be exported to Compose.
 */
const startWhenWhole = `set -- "$(cat)" "$@"; case $1 in *'${endOfInput}') ;; *) exit 97 ;; esac
printf '%s\\n' "\${1%'${endOfInput}'}" | { shift; "$@"; }`

/**
 * The command that reads an input followed by `endOfInput`. Exported for a test that truncates the
 * input.
 */
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
  // A program may end before it has read its input; that is no error.
  stdin?.on('error', () => undefined)
  if (input !== undefined) {
    stdin?.write(input)
    stdin?.write(`${endOfInput}\n`)
  }
  stdin?.end()
}

/** Runs a program to its end. Never throws: the result says how it ended. */
export const execProgram = (request: ExecRequest): Promise<ExecResult> =>
  new Promise((resolve) => {
    let child: ChildProcess
    const failed = (error: unknown): void =>
      resolve({
        exitCode: undefined,
        signal: undefined,
        timedOut: false,
        stdout: '',
        stderr: '',
        startError: (error as NodeJS.ErrnoException).code ?? 'UNKNOWN',
      })
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
      // Other processes of the group may still work, as Compose does after the shell that started it. A
      // process of another session, such as a persistent ssh connection, is not waited for.
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
