// vitest globalSetup: a throw-away Postgres server on a loopback port, or the one of DATABASE_URL.
import { execFile, spawn } from 'node:child_process'
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import pg from 'pg'
import { findPostgresBin } from './postgres-bin.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which databases may be created and dropped. */
    postgresUrl: string
  }
}

const run = promisify(execFile)

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  })

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

const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const given = process.env.DATABASE_URL
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given)
    return () => Promise.resolve()
  }
  const bin = findPostgresBin()
  const folder = await mkdtemp('/tmp/stagely-pg-')
  // Postgres refuses to run as root.
  const asRoot = process.getuid?.() === 0
  const user: { uid?: number; gid?: number } = {}
  if (asRoot) {
    user.uid = Number((await run('id', ['-u', 'postgres'])).stdout)
    user.gid = Number((await run('id', ['-g', 'postgres'])).stdout)
    await chown(folder, user.uid, user.gid)
  }
  await chmod(folder, 0o700)
  const data = join(folder, 'data')
  const initdb = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ]
  await run(join(bin, 'initdb'), initdb, { ...user, cwd: folder })
  const port = await freePort()
  const settings = [
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    'listen_addresses=127.0.0.1',
    'max_connections=200',
  ]
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((s) => ['-c', s])], {
    ...user,
    cwd: folder,
    stdio: 'ignore',
  })
  const ended = new Promise<void>((resolve) =>
    server.once('exit', () => {
      resolve()
    }),
  )
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  await waitForServer(url)
  project.provide('postgresUrl', url)
  return async () => {
    server.kill('SIGINT') // fast shutdown
    await ended
    await rm(folder, { recursive: true, force: true })
  }
}

// vitest wants a default export here.
// eslint-disable-next-line import-x/no-default-export
export default setup
