// vitest globalSetup: a throw-away Postgres server on a loopback port, or the one of DATABASE_URL; and
// an embedded cluster to copy.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { ensureCluster } from '../../src/store/pglite-cluster.ts'
import { createPostgresServer } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which databases may be created and dropped. */
    postgresUrl: string
    /** The folder of a fresh embedded cluster: a copy of it costs less than a new one. */
    emptyCluster: string
  }
}

const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), 'stagely-cluster-'))
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const cluster = join(folder, 'postgres')
  await ensureCluster(cluster)
  project.provide('emptyCluster', cluster)
  const given = process.env.DATABASE_URL
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given)
    return removeFolder
  }
  const server = await createPostgresServer()
  await server.start()
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.remove()
    await removeFolder()
  }
}

// vitest wants a default export here.
// eslint-disable-next-line import-x/no-default-export
export default setup
