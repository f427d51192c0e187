// Opens the provider of a store. Each is loaded when a store asks for it.
import type { Clock } from '../../src/kernel/clock.ts'
import type { ProviderSpec } from '../../src/resources/store-providers.ts'
import type { Egress } from '../egress/gate.ts'
import type { StoreIdentity } from './identities.ts'
import { StoreFault, type StoreProvider } from './provider.ts'

export interface ProviderDeps {
  readonly egress: Egress
  readonly clock: Clock
  /** Folder of executables; undefined: the operator has named none. */
  readonly storesDir: string | undefined
  /** Of `auth.identity`, after `grantedIdentity` said yes; undefined: `credential` counts. */
  readonly identity?: StoreIdentity | undefined
  /** Waited for before each call to the store: the budget of the spec. */
  readonly spend?: (signal: AbortSignal) => Promise<void>
}

/** `credential`: the value of `auth.secretRef`. Makes no call. StoreFault where the credential cannot be one. */
export const openProvider = async (
  spec: ProviderSpec,
  credential: string | undefined,
  deps: ProviderDeps,
): Promise<StoreProvider> => {
  await Promise.resolve([spec, credential, deps])
  throw new StoreFault('Unavailable', 'this kind of store is not known yet')
}
