// The built command at a terminal: util-linux's script(1) makes a real one. What is typed and what is
// shown are one stream, as a person sees it.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { main } from './cli.ts'
import { shortLived } from '../short-lived.ts'

/** `keys` are typed when `wait` is on the screen after what was there at the last step. */
export interface Step {
  readonly wait: string
  readonly keys: string
}

export const enter = '\r'
export const ctrlC = '\x03'

export interface Session {
  readonly code: number
  readonly screen: string
}

/** Commands one after the other at one terminal, by a process that is there already. */
export interface Terminal {
  run(args: readonly string[], env: NodeJS.ProcessEnv, steps: readonly Step[]): Promise<Session>
  close(): void
}

const hostProgram = resolve(import.meta.dirname, 'pty-host.mjs')
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

const startAtTerminal = (
  words: readonly string[],
  env: NodeJS.ProcessEnv,
): ChildProcessWithoutNullStreams => {
  const command = [process.execPath, ...shortLived, '--', ...words].map(quoted).join(' ')
  const child = spawn('script', ['-qefc', `exec ${command}`, '/dev/null'], {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'xterm', ...env },
  })
  child.stderr.pipe(process.stderr)
  return child
}

/** Types the keys of each step until the screen ends as `end` says, or the program does. */
const follow = async (
  child: ChildProcessWithoutNullStreams,
  steps: readonly Step[],
  end = /$^/,
): Promise<Session> => {
  let screen = ''
  let seen = 0
  const left = [...steps]
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const code = await new Promise<number>((resolve) => {
    const look = (chunk: Buffer): void => {
      screen += chunk.toString()
      const ended = end.exec(screen)
      if (ended !== null) done(Number(ended[1]))
      const [next] = left
      const at = next === undefined ? -1 : screen.indexOf(next.wait, seen)
      if (next === undefined || at < 0) return
      left.shift()
      seen = at + next.wait.length
      child.stdin.write(next.keys)
    }
    const done = (code: number | null): void => {
      child.stdout.off('data', look)
      child.off('close', done)
      resolve(code ?? -1)
    }
    child.stdout.on('data', look)
    child.on('close', done)
  })
  clearTimeout(timer)
  if (left.length > 0) throw new Error(`never shown: ${left[0]?.wait}\n${screen}`)
  return { code, screen: screen.replace(end, '').replaceAll('\r\n', '\n') }
}

/** In a process of its own. */
export const runAtTerminal = (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  steps: readonly Step[],
): Promise<Session> => follow(startAtTerminal([main, ...args], env), steps)

export const openTerminal = async (): Promise<Terminal> => {
  const path = join(tmpdir(), `stagely-terminal-${process.pid}`)
  const server = createServer().listen(path)
  const child = startAtTerminal([hostProgram, main, path], {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  server.close()
  rmSync(path, { force: true })
  return {
    run: (args, env, steps) => {
      const given = { PATH: process.env['PATH'], TERM: 'xterm', ...env }
      socket.write(`${JSON.stringify({ args, env: given })}\n`)
      return follow(child, steps, /\x1b\](\d+)\x07$/)
    },
    close: () => {
      socket.destroy()
      child.kill()
    },
  }
}
