// Runs a program, passes its output on at once, and ends it when its signal aborts.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { Writable } from 'node:stream'
import { commandOf, giveInput, signalGroup, type ExecRequest } from './exec.ts'

export interface PipedRequest extends Pick<ExecRequest, 'file' | 'args' | 'cwd' | 'env' | 'stdin'> {
  /** Both streams are ended with the program. A slow stream slows the program down. */
  readonly stdout: Writable
  readonly stderr: Writable
  /**
   * When this aborts, the process group gets SIGTERM, and SIGKILL `killAfterMs` later. After another
   * `lingerMs` the call returns, even if a reader is slow or another process holds the output open.
   */
  readonly signal: AbortSignal
  readonly killAfterMs?: number
  readonly lingerMs?: number
}

/**
 * Exit codes as in a shell: 128 plus the number of the signal that ended the program; 127 or 126 when
 * it could not be started.
 */
export interface PipedResult {
  readonly exitCode: number
  /** Error code such as ENOENT or E2BIG, when the program could not be started. */
  readonly startError: string | undefined
}

const notStarted = (error: unknown): PipedResult => {
  const code = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN'
  return { exitCode: code === 'ENOENT' ? 127 : 126, startError: code }
}

const limitsOf = ({ killAfterMs = 10_000, lingerMs = 2_000 }: PipedRequest) => ({
  killAfterMs,
  lingerMs,
})

/** Resolves when the program has ended and all its output was passed on. Never rejects. */
export const pipeProgram = async (request: PipedRequest): Promise<PipedResult> => {
  const { stdout, stderr, signal } = request
  const outputs = [stdout, stderr]
  const taken = outputs.map((to) => new Promise((resolve) => to.once('close', resolve)))
  const { killAfterMs, lingerMs } = limitsOf(request)
  let timer: NodeJS.Timeout | undefined
  const giveUp = (): void => {
    timer = setTimeout(() => {
      for (const to of outputs) to.destroy()
    }, killAfterMs + lingerMs)
  }
  if (signal.aborted) giveUp()
  else signal.addEventListener('abort', giveUp, { once: true })
  const result = await runPiped(request)
  // If the program has started, its pipe has ended the stream already.
  for (const to of outputs) if (!to.writableEnded) to.end()
  await Promise.all(taken)
  signal.removeEventListener('abort', giveUp)
  clearTimeout(timer)
  return result
}

const runPiped = (request: PipedRequest): Promise<PipedResult> =>
  new Promise((resolve) => {
    const { cwd, env, signal } = request
    let child
    try {
      child = spawn(...commandOf(request), {
        cwd,
        env: { ...env },
        // Its own session, as in exec.ts.
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      })
    } catch (error) {
      resolve(notStarted(error))
      return
    }
    const started = child
    let timer: NodeJS.Timeout | undefined
    const { killAfterMs, lingerMs } = limitsOf(request)
    const cutOff = (): void => {
      started.stdout.destroy()
      started.stderr.destroy()
    }
    const kill = (): void => {
      signalGroup(started, 'SIGKILL')
      timer = setTimeout(cutOff, lingerMs)
    }
    const end = (): void => {
      signalGroup(started, 'SIGTERM')
      timer = setTimeout(kill, killAfterMs)
    }
    const done = (result: PipedResult): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve(result)
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    child.on('error', (error) => done(notStarted(error)))
    child.on('close', (code, by) => {
      const ended = by === null ? 1 : 128 + constants.signals[by]
      done({ exitCode: code ?? ended, startError: undefined })
    })
    child.stdout.pipe(request.stdout)
    child.stderr.pipe(request.stderr)
    giveInput(child, request.stdin)
  })
