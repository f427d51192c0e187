// Opens stores with what the controller's configuration names for them.
import { isReason } from '../../src/kernel/errors.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import type { Egress } from '../egress/gate.ts'
import { createBudgets, type Budgets } from './budgets.ts'
import type { ProviderOpener, OpenStore } from './connection.ts'
import { grantedIdentity, readStoreIdentities, type StoreIdentity } from './identities.ts'
import { openProvider } from './open-provider.ts'
import { StoreFault } from './provider.ts'
import type { StoresConfig } from './store-config.ts'

/** What the operator gives to stores. */
export interface StoreMeans {
  readonly storesDir: string | undefined
  readonly identities: readonly StoreIdentity[]
  readonly budgets: Budgets
}

/** ConfigError where the file of identities has faults. */
export const readStoreMeans = async (
  { dir, identities }: StoresConfig,
  clock: Clock,
): Promise<StoreMeans> => ({
  storesDir: dir,
  budgets: createBudgets(clock),
  identities: await readStoreIdentities(identities),
})

interface ProviderOpenerDeps {
  readonly egress: Egress
  readonly clock: Clock
  readonly storeMeans: StoreMeans
}

/** What is not granted is not asked for again until the spec or the configuration changes. */
const identityFor = (
  { identities }: StoreMeans,
  { namespace, spec }: OpenStore,
): StoreIdentity | undefined => {
  try {
    return grantedIdentity(identities, namespace, spec)
  } catch (error) {
    if (isReason(error, 'Forbidden')) throw new StoreFault('Unauthorized', error.message)
    throw error
  }
}

export const openerWith =
  ({ egress, clock, storeMeans }: ProviderOpenerDeps): ProviderOpener =>
  async (store) => {
    const { spec, credential, spend } = store
    const identity = identityFor(storeMeans, store)
    const { storesDir } = storeMeans
    return openProvider(spec, credential, { egress, clock, storesDir, identity, spend })
  }
