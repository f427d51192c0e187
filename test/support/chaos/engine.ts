// A Docker Engine of the test's own, which may be stopped and killed: other data, other socket, no
// network but the loopback of each container.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, closeSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { realClock } from '../../../src/kernel/clock.ts'

export interface OwnEngine {
  readonly socket: string
  readonly host: string
  /** Ends it with the signal, and starts it again after `pauseMs`. */
  restart(signal: 'SIGTERM' | 'SIGKILL', pauseMs: number): Promise<void>
  /** What it printed. */
  log(): Promise<string>
  stop(): Promise<void>
}

const answers = (socketPath: string): Promise<boolean> =>
  new Promise((resolve) => {
    const sent = request({ socketPath, path: '/_ping', timeout: 2_000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => {
      resolve(false)
    })
    sent.end()
  })

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null

/** One that was killed leaves mounts, which its successor does not know of. */
const unmountBelow = async (dir: string): Promise<void> => {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${dir}/`))
  for (const path of mounts.reverse()) await promisify(execFile)('umount', ['-l', path])
}

/** Needs root and `dockerd`. */
export const startOwnEngine = async (): Promise<OwnEngine> => {
  const dir = await mkdtemp('/var/tmp/stagely-engine-')
  const [socket, logFile] = [join(dir, 'docker.sock'), join(dir, 'log')]
  const args = [
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec')],
    ...['--pidfile', join(dir, 'pid'), '-H', `unix://${socket}`, '--log-level', 'warn'],
    ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--shutdown-timeout', '5'],
  ]
  const start = async (): Promise<ChildProcess> => {
    // A killed one leaves it behind, and the number may belong to somebody else by now.
    await rm(join(dir, 'pid'), { force: true })
    const log = openSync(logFile, 'a', 0o600)
    // In a network namespace: one that is told to have no bridge takes the machine's docker0 away.
    const child = spawn('unshare', ['--net', '--', 'dockerd', ...args], {
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    for (let tries = 0; tries < 600; tries++) {
      if (await answers(socket)) return child
      if (hasEnded(child)) break
      await realClock.sleep(100)
    }
    throw new Error(`the test's own dockerd did not come up:\n${await readFile(logFile, 'utf8')}`)
  }
  const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (hasEnded(child)) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  let child = await start()
  return {
    socket,
    host: `unix://${socket}`,
    restart: async (signal, pauseMs) => {
      await end(child, signal)
      await realClock.sleep(pauseMs)
      child = await start()
    },
    log: () => readFile(logFile, 'utf8'),
    stop: async () => {
      await end(child, 'SIGTERM')
      await unmountBelow(dir)
      await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
}
