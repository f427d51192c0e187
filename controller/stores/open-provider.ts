// Opens the provider of a store. Each is loaded when a store asks for it.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { lazy } from '../../src/kernel/lazy.ts'
import type { ProviderSpec } from '../../src/kinds/secret-store/providers.ts'
import type { SecretStoreSpec } from '../../src/kinds/secret-store/schema.ts'
import { Budget } from './budget.ts'
import { storeHttp, type CallDeps } from './http.ts'
import type { StoreIdentity } from './identities.ts'
import type { StoreOpening } from './opening.ts'
import { StoreFault, type StoreProvider } from './provider.ts'

interface ProviderDeps extends CallDeps {
  /** Folder of executables; undefined: the operator has named none. */
  readonly storesDir: string | undefined
  /** Of `auth.identity`, after `grantedIdentity` said yes; undefined: `credential` counts. */
  readonly identity?: StoreIdentity | undefined
}

const keyOfProcess = lazy(() => randomBytes(32).toString('hex'))

const checked = (text: string | undefined): string => {
  const credential = text?.trim() ?? ''
  if (credential === '') throw new StoreFault('Unauthorized', 'there is no credential')
  return credential
}

/** Read each time, so that another program may replace it. */
const fromFile = async (path: string): Promise<string> => {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new StoreFault('Unauthorized', `the credential file ${path} cannot be read`)
  })
  return checked(text)
}

const openingOf = (credential: string | undefined, deps: ProviderDeps): StoreOpening => {
  const { identity } = deps
  const file = identity?.credentialFile
  return {
    clock: deps.clock,
    egress: deps.egress,
    keyOfProcess: keyOfProcess(),
    spend: (signal) => deps.spend?.(signal) ?? Promise.resolve(),
    http: (to) => storeHttp(deps, to),
    isOwn: identity !== undefined && identity.provider !== 'command' && file === undefined,
    hasCredential: credential !== undefined || file !== undefined,
    credential: () =>
      file === undefined ? Promise.resolve().then(() => checked(credential)) : fromFile(file),
  }
}

type Spec = ProviderSpec & Pick<SecretStoreSpec, 'push'>

/** Calls to a queue of notifications cost the store none. */
const mostQueueCalls = 300

const openAws = async ({ aws, push }: Spec, opening: StoreOpening): Promise<StoreProvider> => {
  const provider = (await import('./providers/aws.ts')).openAws(aws!, opening)
  if (push?.sqs === undefined) return provider
  const { openAwsQueue } = await import('./providers/aws-queue.ts')
  const budget = new Budget(opening.clock, mostQueueCalls)
  const spend = (signal: AbortSignal): Promise<void> => budget.spend(signal)
  return {
    ...provider,
    notifications: openAwsQueue(aws!, push.sqs.queueUrl, { ...opening, spend }),
  }
}

/** `credential`: the value of `auth.secretRef`. Makes no call. StoreFault where it cannot be opened. */
export const openProvider = async (
  spec: Spec,
  credential: string | undefined,
  deps: ProviderDeps,
): Promise<StoreProvider> => {
  const opening = openingOf(credential, deps)
  const { aws, vault, onePassword, infisical, doppler, gcp, command } = spec
  if (aws !== undefined) return openAws(spec, opening)
  if (vault !== undefined) return (await import('./providers/vault.ts')).openVault(vault, opening)
  if (onePassword !== undefined)
    return (await import('./providers/one-password.ts')).openOnePassword(onePassword, opening)
  if (infisical !== undefined)
    return (await import('./providers/infisical.ts')).openInfisical(infisical, opening)
  if (doppler !== undefined)
    return (await import('./providers/doppler.ts')).openDoppler(doppler, opening)
  if (gcp !== undefined) return (await import('./providers/gcp.ts')).openGcp(gcp, opening)
  if (command !== undefined)
    return (await import('./providers/command.ts')).openCommand(command, opening, deps.storesDir)
  throw new StoreFault('Unavailable', 'the spec names no kind of store')
}
