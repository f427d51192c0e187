// A database of today's schema for a test, on the server that postgres-setup.ts provides.
import { inject } from 'vitest'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

/** A copy of one that is migrated already costs 0.1 s of CPU; an embedded one costs 5 s. */
export const freshDatabase = (): Promise<TestDatabase> =>
  createTestDatabase(inject('postgresUrl'), inject('postgresTemplate'))
