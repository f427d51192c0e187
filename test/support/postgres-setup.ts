// vitest globalSetup: a throw-away Postgres server on a loopback port, or the one of DATABASE_URL.
import type { TestProject } from 'vitest/node'
import { createPostgresServer } from './postgres-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A server on which databases may be created and dropped. */
    postgresUrl: string
  }
}

const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const given = process.env.DATABASE_URL
  if (given !== undefined && given !== '') {
    project.provide('postgresUrl', given)
    return () => Promise.resolve()
  }
  const server = await createPostgresServer()
  await server.start()
  project.provide('postgresUrl', server.url)
  return () => server.remove()
}

// vitest wants a default export here.
// eslint-disable-next-line import-x/no-default-export
export default setup
