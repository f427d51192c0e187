// Opens the provider of a store. Each is loaded when a store asks for it.
import type { ProviderSpec } from '../../src/resources/store-providers.ts'
import { storeHttp, type CallDeps } from './http.ts'
import type { StoreIdentity } from './identities.ts'
import type { Opening } from './opening.ts'
import { StoreFault, type StoreProvider } from './provider.ts'

export interface ProviderDeps extends CallDeps {
  /** Folder of executables; undefined: the operator has named none. */
  readonly storesDir: string | undefined
  /** Of `auth.identity`, after `grantedIdentity` said yes; undefined: `credential` counts. */
  readonly identity?: StoreIdentity | undefined
}

/** One line of visible characters: what a header may hold. */
const checked = (text: string | undefined): string => {
  const credential = text?.trim() ?? ''
  if (credential === '') throw new StoreFault('Unauthorized', 'there is no credential')
  return credential
}

const openingOf = (credential: string | undefined, deps: ProviderDeps): Opening => ({
  ...{ clock: deps.clock, egress: deps.egress },
  spend: (signal) => deps.spend?.(signal) ?? Promise.resolve(),
  http: (to) => storeHttp(deps, to),
  isOwn: deps.identity !== undefined && deps.identity.credentialFile === undefined,
  credential: async () => Promise.resolve(checked(credential)),
})

/** `credential`: the value of `auth.secretRef`. Makes no call. StoreFault where it cannot be opened. */
export const openProvider = async (
  spec: ProviderSpec,
  credential: string | undefined,
  deps: ProviderDeps,
): Promise<StoreProvider> => {
  const opening = openingOf(credential, deps)
  const { aws, vault, onePassword, infisical, doppler, gcp } = spec
  if (aws !== undefined) return (await import('./providers/aws.ts')).openAws(aws, opening)
  if (vault !== undefined) return (await import('./providers/vault.ts')).openVault(vault, opening)
  if (onePassword !== undefined)
    return (await import('./providers/one-password.ts')).openOnePassword(onePassword, opening)
  if (infisical !== undefined)
    return (await import('./providers/infisical.ts')).openInfisical(infisical, opening)
  if (doppler !== undefined)
    return (await import('./providers/doppler.ts')).openDoppler(doppler, opening)
  if (gcp !== undefined) return (await import('./providers/gcp.ts')).openGcp(gcp, opening)
  throw new StoreFault('Unavailable', 'this kind of store is not known yet')
}
