// Settings of the key providers. Types only: the providers themselves are loaded when they are opened,
// because their SDKs take tens of MiB.
import type { AwsKmsSettings } from './aws-kms.ts'
import type { GcpKmsSettings } from './gcp-kms.ts'
import type { VaultTransitSettings } from './vault-transit.ts'

export const keyProviderNames = [
  'local',
  'key-file',
  'aws-kms',
  'gcp-kms',
  'vault-transit',
] as const
export type KeyProviderName = (typeof keyProviderNames)[number]

export type KeyProviderSettings =
  /** The first key wraps, the others only unwrap. */
  | { readonly provider: 'local' | 'key-file'; readonly keys: readonly [Buffer, ...Buffer[]] }
  | ({ readonly provider: 'aws-kms' } & AwsKmsSettings)
  | ({ readonly provider: 'gcp-kms' } & GcpKmsSettings)
  | ({ readonly provider: 'vault-transit' } & VaultTransitSettings)
