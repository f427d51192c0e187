// How key services name their keys. Apart from the providers, whose SDKs would be loaded with them.

/** Undefined, or what is wrong with the name. */
export const gcpKeyFault = (key: string): string | undefined =>
  /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/.test(key)
    ? undefined
    : 'STAGELY_KMS_KEY must be projects/P/locations/L/keyRings/R/cryptoKeys/K for gcp-kms'

/** Undefined, or what is wrong with the name. */
export const vaultKeyFault = (key: string): string | undefined =>
  /^[\w.-]+(\/[\w.-]+)+$/.test(key)
    ? undefined
    : 'STAGELY_KMS_KEY must be MOUNT/KEY for vault-transit, such as transit/stagely'

/** Undefined, or what is wrong with the name: an alias may be pointed at another key. */
export const awsKeyArnFault = (key: string): string | undefined =>
  /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(key)
    ? undefined
    : 'STAGELY_KMS_KEY must be the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias'
