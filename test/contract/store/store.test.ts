import { inject } from 'vitest'
import { openTestStore } from '../../support/databases/open-test-store.ts'
import { soak } from '../../support/soak.ts'
import { activityContract } from './store-activity.contract.ts'
import { feedContract, folderContract, sharedContract } from './store-feed.contract.ts'
import { groupContract } from './store-group.contract.ts'
import { orderContract } from './store-order.contract.ts'
import { ownerContract } from './store-owner.contract.ts'
import { peopleContract, peopleOnTwoControllers } from './store-people.contract.ts'
import { secretsContract } from './store-secrets.contract.ts'
import { storeContract, type OpenStore } from './store.contract.ts'

const onServer: OpenStore = (options) => openTestStore(inject('postgresUrl'), options)
const inFolder: OpenStore = (options) => openTestStore(undefined, options)

storeContract('a Postgres server', onServer)
secretsContract('a Postgres server', onServer)
groupContract('a Postgres server', onServer)
feedContract('a Postgres server', onServer)
sharedContract(onServer)
orderContract('a Postgres server', onServer)
ownerContract('a Postgres server', onServer)
peopleContract('a Postgres server', onServer)
activityContract('a Postgres server', onServer)
peopleOnTwoControllers(onServer)

storeContract('PGlite', inFolder)
secretsContract('PGlite', inFolder)
feedContract('PGlite', inFolder)
folderContract(inFolder)
// What rests on the same, in the long form.
if (soak(0, 1) === 1) {
  groupContract('PGlite', inFolder)
  orderContract('PGlite', inFolder)
  ownerContract('PGlite', inFolder)
  peopleContract('PGlite', inFolder)
  activityContract('PGlite', inFolder)
}
