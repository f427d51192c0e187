// vitest globalSetup: a throw-away Postgres server on a loopback port, or the one of DATABASE_URL; and
// an embedded cluster to copy.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { ensureCluster } from '../../src/store/pglite-cluster.ts'
import { anyPostgres } from './postgres-server.ts'

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
  const cluster = join(folder, 'postgres')
  await ensureCluster(cluster)
  project.provide('emptyCluster', cluster)
  const postgres = await anyPostgres()
  project.provide('postgresUrl', postgres.url)
  return async () => {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

// vitest wants a default export here.
// eslint-disable-next-line import-x/no-default-export
export default setup
