import { inject } from 'vitest'
import { openTestStore } from '../support/open-test-store.ts'
import { historyContract } from './store-history.contract.ts'

historyContract('a Postgres server', (options) => openTestStore(inject('postgresUrl'), options))
historyContract('PGlite', (options) => openTestStore(undefined, options))
