// The built command at a terminal: util-linux's script(1) makes a real one. What is typed and what is
// shown are one stream, as a person sees it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { main } from './cli.ts'
import { shortLived } from './short-lived.ts'

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

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

export const runAtTerminal = async (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  steps: readonly Step[],
): Promise<Session> => {
  const command = [process.execPath, ...shortLived, '--', main, ...args].map(quoted).join(' ')
  const child = spawn('script', ['-qefc', `exec ${command}`, '/dev/null'], {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let screen = ''
  let seen = 0
  const left = [...steps]
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString()
    const [next] = left
    const at = next === undefined ? -1 : screen.indexOf(next.wait, seen)
    if (next === undefined || at < 0) return
    left.shift()
    seen = at + next.wait.length
    child.stdin.write(next.keys)
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  if (left.length > 0) throw new Error(`never shown: ${left[0]?.wait}\n${screen}`)
  return { code: code ?? -1, screen: screen.replaceAll('\r\n', '\n') }
}
