// A throw-away Postgres server in a folder of its own, that can be ended and started again.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, chown, mkdtemp, rm } from 'node:fs/promises'

import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from '../http/free-port.ts'
import { findPostgresBin } from './postgres-bin.ts'

const run = promisify(execFile)

export interface PostgresServer {
  /** Of its first address. */
  readonly url: string
  start(): Promise<void>
  /** SIGINT: fast shutdown; SIGQUIT: at once, as in a crash. */
  stop(signal: 'SIGINT' | 'SIGQUIT'): Promise<void>
  remove(): Promise<void>
}

const waitForServer = async (url: string): Promise<void> => {
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => undefined)
      if (attempt > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

/** Whoever reaches `addresses` from their /24 is let in. Its files are below `parent`. */
export const createPostgresServer = async (
  addresses: readonly string[] = ['127.0.0.1'],
  parent = '/tmp',
  more: readonly string[] = [],
): Promise<PostgresServer> => {
  const bin = findPostgresBin()
  const folder = await mkdtemp(join(parent, 'stagely-pg-'))
  // Postgres refuses to run as root.
  const user: { uid?: number; gid?: number } = {}
  if (process.getuid?.() === 0) {
    user.uid = Number((await run('id', ['-u', 'postgres'])).stdout)
    user.gid = Number((await run('id', ['-g', 'postgres'])).stdout)
    await chown(folder, user.uid, user.gid)
  }
  await chmod(folder, 0o700)
  const data = join(folder, 'data')
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C']
  await run(join(bin, 'initdb'), [...initdb, '--no-sync'], { ...user, cwd: folder })
  const nets = addresses.map((address) => `host all all ${address}/24 trust\n`)
  await appendFile(join(data, 'pg_hba.conf'), nets.join(''))
  const port = await freePort(addresses[0])
  const settings = [
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    `listen_addresses=${addresses.join(',')}`,
    'max_connections=200',
    ...more,
  ]
  const url = `postgres://postgres@${addresses[0]}:${port}/postgres`
  let server: ChildProcess | undefined

  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, 'exit')
    running.kill(signal)
    await ended
  }
  return {
    url,
    start: async () => {
      const args = ['-D', data, ...settings.flatMap((s) => ['-c', s])]
      server = spawn(join(bin, 'postgres'), args, { ...user, cwd: folder, stdio: 'ignore' })
      await waitForServer(url)
    },
    stop,
    remove: async () => {
      await stop('SIGQUIT')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * For a server whose files nobody needs after it has ended, however it ends. That makes a database for a test
 * at half the CPU, and nobody tidies hundreds of databases that are dropped after seconds.
 */
export const forgetful = [
  'fsync=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
]

/** The server of DATABASE_URL, which is left as it is, or a throw-away one with its files below `parent`. */
export const anyPostgres = async (
  parent?: string,
  settings?: readonly string[],
): Promise<{ url: string; stop(): Promise<void> }> => {
  const given = process.env.DATABASE_URL
  if (given !== undefined && given !== '') return { url: given, stop: () => Promise.resolve() }
  const server = await createPostgresServer(undefined, parent, settings)
  await server.start()
  return { url: server.url, stop: () => server.remove() }
}
