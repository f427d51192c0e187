// Opens key providers by their settings. Each provider is loaded only when it is used.
import type { Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { createKeyRing, type KeyRing, type ProjectKey } from '../key-ring.ts'
import type { KeyProvider } from '../key-provider.ts'
import { createLocalKeyProvider } from './local.ts'
import { createRemoteKeyProvider, type RemoteOptions } from './remote.ts'
import type { KeyProviderSettings } from './settings.ts'

const openDeadlineMs = 10_000

/** ServiceUnavailable when a key service does not answer. */
export const openKeyProvider = async (
  settings: KeyProviderSettings,
  options: RemoteOptions,
): Promise<KeyProvider> => {
  switch (settings.provider) {
    case 'local':
    case 'key-file': {
      const [first, ...previous] = settings.keys
      return createLocalKeyProvider(first, { name: settings.provider, previous })
    }
    case 'aws-kms': {
      const { openAwsKms, explainAwsKms } = await import('./aws-kms.ts')
      const deadline = AbortSignal.timeout(options.deadlineMs ?? openDeadlineMs)
      const service = await openAwsKms(settings, deadline).catch((error: unknown) => {
        const why =
          explainAwsKms(error) ?? 'it cannot be reached; look at its health and the network'
        const message = `key provider aws-kms (key ${settings.key}): ${why}`
        throw new StagelyError('ServiceUnavailable', message, {}, error)
      })
      return createRemoteKeyProvider(service, options)
    }
    case 'gcp-kms': {
      const { openGcpKms } = await import('./gcp-kms.ts')
      return createRemoteKeyProvider(openGcpKms(settings), options)
    }
    case 'vault-transit': {
      const { openVaultTransit } = await import('./vault-transit.ts')
      return createRemoteKeyProvider(openVaultTransit(settings, options.clock), options)
    }
  }
}

/** A key that projects may name; see ProjectKey. */
export interface ProjectKeySettings {
  readonly name: string
  readonly teams: readonly string[] | undefined
  readonly settings: KeyProviderSettings
}

/** The first one wraps; all of them unwrap, and so do the keys that projects may name. */
export const openKeyRing = async (
  settings: readonly [KeyProviderSettings, ...KeyProviderSettings[]],
  options: { readonly clock: Clock } & RemoteOptions,
  projectKeys: readonly ProjectKeySettings[] = [],
): Promise<KeyRing> => {
  const opened: KeyProvider[] = []
  const open = async (providerSettings: KeyProviderSettings): Promise<KeyProvider> => {
    const provider = await openKeyProvider(providerSettings, options)
    opened.push(provider)
    return provider
  }
  try {
    const [first, ...others] = settings
    const current = await open(first)
    const previous: KeyProvider[] = []
    for (const earlier of others) previous.push(await open(earlier))
    const named: ProjectKey[] = []
    for (const { name, teams, settings: own } of projectKeys)
      named.push({ name, teams, provider: await open(own) })
    return createKeyRing(current, previous, options.clock, named)
  } catch (error) {
    for (const provider of opened) provider.close()
    throw error
  }
}
