import { inject } from 'vitest'
import { openTestStore } from '../support/open-test-store.ts'
import { storeContract } from './store.contract.ts'

storeContract('a Postgres server', (options) => openTestStore(inject('postgresUrl'), options))
storeContract('PGlite', (options) => openTestStore(undefined, options))
