// Programs that run until they are killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { main } from './cli.ts'
import { shortLived } from '../short-lived.ts'

/** A long-running program of ours. `output` is everything it printed, for the leak test. */
export interface Program {
  readonly child: ChildProcess
  output(): string
  /** Ends it with the signal and waits for its exit; a program that is gone already is fine. */
  kill(signal: NodeJS.Signals): Promise<void>
}

interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** Does not wait for anything. */
export const launchProgram = ({ file, args }: Command, env: NodeJS.ProcessEnv): Program => {
  const child = spawn(file, [...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const take = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  return {
    child,
    output: () => output,
    kill: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
    },
  }
}

/**
 * `within` is a command that becomes the program, such as nsenter; `built` that of another build; `node` the flags of Node.
 */
export const startProgram = (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  ready: string,
  {
    within = [],
    built = main,
    node = shortLived,
  }: {
    within?: readonly string[]
    built?: string | undefined
    node?: readonly string[] | undefined
  } = {},
): Promise<Program> => {
  const [file = '', ...words] = [...within, process.execPath, ...node, built, ...args]
  return spawnProgram({ file, args: words }, env, ready)
}

const longestStartMs = 150_000

/**
 * Waits until it has printed `ready`. Also for one that is started in another way, such as within a
 * sandbox; it must `exec` what it starts.
 */
export const spawnProgram = async (
  command: Command,
  env: NodeJS.ProcessEnv,
  ready: string,
): Promise<Program> => {
  const program = launchProgram(command, env)
  const { child } = program
  const what = [command.file, ...command.args].join(' ')
  await new Promise<void>((onReady, onFail) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      // While it goes on its folder cannot be removed, and that would be told in place of this.
      child.kill('SIGKILL')
    }, longestStartMs)
    const look = (): void => {
      if (!program.output().includes(ready)) return
      clearTimeout(timer)
      child.stdout?.off('data', look)
      child.stderr?.off('data', look)
      onReady()
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      const how = isLate
        ? 'was not ready within ${longestStartMs / 1_000} s'
        : `ended with ${code ?? signal}`
      onFail(new Error(`${what} ${how}\n${program.output()}`))
    })
  })
  return program
}
