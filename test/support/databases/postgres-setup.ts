// vitest globalSetup: a throw-away Postgres server on a loopback port, or the one of DATABASE_URL; and
// an embedded database to copy.
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProvidedContext } from 'vitest'
import type { TestProject } from 'vitest/node'
import { realClock } from '../../../src/kernel/clock.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { migrate } from '../../../src/store/drivers/migrate.ts'
import { openPg } from '../../../src/store/drivers/pg.ts'
import { ensureCluster } from '../../../src/store/drivers/pglite-cluster.ts'
import { memoryFolder } from '../memory-folder.ts'
import { anyPostgres, forgetful } from './postgres-server.ts'
import type { Sql } from '../../../src/store/drivers/sql.ts'
import { createTestDatabase } from './test-database.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which databases may be created and dropped. */
    postgresUrl: string
    /** A database on it with the schema of today, to copy. */
    postgresTemplate: string
    /** A folder with the same, embedded. */
    embeddedTemplate: string
  }
}

const migrated = (sql: Sql): Promise<unknown> => migrate(sql).finally(() => sql.close())

interface Databases {
  readonly provided: Pick<ProvidedContext, 'postgresUrl' | 'postgresTemplate' | 'embeddedTemplate'>
  readonly remove: () => Promise<void>
}

const makeDatabases = async (): Promise<Databases> => {
  const folder = await mkdtemp(join(memoryFolder, 'stagely-template-'))
  await ensureCluster(join(folder, 'postgres'))
  const postgres = await anyPostgres(memoryFolder, forgetful)
  const template = await createTestDatabase(postgres.url)
  await migrated(openPg({ databaseUrl: template.url, clock: realClock, log: silentLogger }))
  return {
    provided: {
      postgresUrl: postgres.url,
      postgresTemplate: new URL(template.url).pathname.slice(1),
      embeddedTemplate: join(folder, 'postgres'),
    },
    remove: async () => {
      await template.drop()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Each project loads this file for itself, in the same process: the databases are made once. */
const shared = globalThis as { stagelyTests?: { made: Promise<Databases>; users: number } }

const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const tests = (shared.stagelyTests ??= { made: makeDatabases(), users: 0 })
  tests.users++
  const { provided, remove } = await tests.made
  project.provide('postgresUrl', provided.postgresUrl)
  project.provide('postgresTemplate', provided.postgresTemplate)
  project.provide('embeddedTemplate', provided.embeddedTemplate)
  return async () => {
    if (--tests.users > 0) return
    delete shared.stagelyTests
    await remove()
  }
}

// vitest wants a default export here.
// eslint-disable-next-line import-x/no-default-export
export default setup
