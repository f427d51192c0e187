// Runs a program in place of this process: it uses this terminal, gets this process's signals, and its
// exit code is passed on.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import type { PipedResult } from './piped.ts'

interface ForegroundRequest {
  readonly file: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** A terminal sends its signals to the whole process group; passing them on would send them twice. */
  readonly hasTerminal: boolean
}

const passedOn: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']
const fromTerminal: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT']

export const runForeground = (request: ForegroundRequest): Promise<PipedResult> =>
  new Promise((resolve) => {
    // Registered before the program starts: a program that signals us at once would otherwise end us,
    // and continue alone.
    const handlers = new Map<NodeJS.Signals, () => void>()
    for (const signal of [...passedOn, ...fromTerminal]) {
      const isDoubled = request.hasTerminal && fromTerminal.includes(signal)
      const handler = (): void => {
        if (!isDoubled) child.kill(signal)
      }
      handlers.set(signal, handler)
      process.on(signal, handler)
    }
    const child = spawn(request.file, [...request.args], {
      env: { ...request.env },
      stdio: 'inherit',
    })
    const end = (result: PipedResult): void => {
      for (const [signal, handler] of handlers) process.off(signal, handler)
      resolve(result)
    }
    child.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'UNKNOWN'
      end({ exitCode: code === 'ENOENT' ? 127 : 126, startError: code })
    })
    child.once('exit', (code, signal) => {
      const ended = signal === null ? 1 : 128 + constants.signals[signal]
      end({ exitCode: code ?? ended, startError: undefined })
    })
  })
