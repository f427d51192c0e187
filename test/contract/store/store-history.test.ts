import { inject } from 'vitest'
import { openTestStore } from '../../support/databases/open-test-store.ts'
import { soak } from '../../support/soak.ts'
import { audienceContract } from './store-audience.contract.ts'
import { environmentsContract } from './store-environments.contract.ts'
import { separationContract } from './store-separation.contract.ts'
import { historyContract } from './store-history.contract.ts'
import { plainContract } from './store-plain.contract.ts'
import { referencesContract } from './store-references.contract.ts'
import { testOpener, valuesContract } from './store-values.contract.ts'
import type { OpenStore } from './store.contract.ts'

const sealedValues = testOpener
const onServer: OpenStore = (options) =>
  openTestStore(inject('postgresUrl'), { ...options, sealedValues })
const inFolder: OpenStore = (options) => openTestStore(undefined, { ...options, sealedValues })

historyContract('a Postgres server', onServer)
valuesContract('a Postgres server', onServer)
audienceContract('a Postgres server', onServer)
environmentsContract('a Postgres server', onServer)
separationContract('a Postgres server', onServer)
plainContract('a Postgres server', onServer)
referencesContract('a Postgres server', onServer)
historyContract('PGlite', inFolder)
valuesContract('PGlite', inFolder)
// What rests on the same, in the long form.
if (soak(0, 1) === 1) {
  audienceContract('PGlite', inFolder)
  environmentsContract('PGlite', inFolder)
  plainContract('PGlite', inFolder)
  referencesContract('PGlite', inFolder)
}
