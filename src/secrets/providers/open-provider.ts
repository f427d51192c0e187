// Opens key providers by their settings, each loaded only when it is used.
import type { Clock } from '../../kernel/clock.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { createKeyRing, type KeyRing } from '../key-ring.ts'
import type { KeyProvider } from '../key-provider.ts'
import { createLocalKeyProvider } from './local.ts'
import { createRemoteKeyProvider, type RemoteOptions } from './remote.ts'
import type { KeyProviderSettings } from './settings.ts'

const openDeadlineMs = 10_000

/** ServiceUnavailable when a service that must be asked for its key does not answer. */
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

/** The first wraps; all of them open. */
export const openKeyRing = async (
  settings: readonly [KeyProviderSettings, ...KeyProviderSettings[]],
  options: { readonly clock: Clock } & RemoteOptions,
): Promise<KeyRing> => {
  const opened: KeyProvider[] = []
  try {
    for (const one of settings) opened.push(await openKeyProvider(one, options))
    const [current, ...previous] = opened
    return createKeyRing(current!, previous, options.clock)
  } catch (error) {
    for (const provider of opened) provider.close()
    throw error
  }
}
