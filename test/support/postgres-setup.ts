// vitest globalSetup: a throw-away Postgres server on a loopback port, or the one of DATABASE_URL; and
// an embedded database to copy.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { realClock } from '../../src/kernel/clock.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openPg } from '../../src/store/pg.ts'
import { openPglite } from '../../src/store/pglite.ts'
import { anyPostgres } from './postgres-server.ts'
import type { Sql } from '../../src/store/sql.ts'
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

const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const folder = await mkdtemp(join(tmpdir(), 'stagely-template-'))
  await migrated(await openPglite({ dataDir: folder }))
  project.provide('embeddedTemplate', join(folder, 'postgres'))
  const postgres = await anyPostgres()
  project.provide('postgresUrl', postgres.url)
  const template = await createTestDatabase(postgres.url)
  await migrated(openPg({ databaseUrl: template.url, clock: realClock, log: silentLogger }))
  project.provide('postgresTemplate', new URL(template.url).pathname.slice(1))
  return async () => {
    await template.drop()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

// vitest wants a default export here.
// eslint-disable-next-line import-x/no-default-export
export default setup
