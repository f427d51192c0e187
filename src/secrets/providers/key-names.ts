// Checks the names of keys of key services. Separate from the providers, so that their SDKs are not
// loaded.

/** The fault of the name; undefined: none. */
export const gcpKeyFault = (key: string): string | undefined =>
  /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/.test(key)
    ? undefined
    : 'STAGELY_KMS_KEY must be projects/P/locations/L/keyRings/R/cryptoKeys/K for gcp-kms'

/** The fault of the name; undefined: none. */
export const vaultKeyFault = (key: string): string | undefined =>
  /^[\w.-]+(\/[\w.-]+)+$/.test(key)
    ? undefined
    : 'STAGELY_KMS_KEY must be MOUNT/KEY for vault-transit, such as transit/stagely'

/**
 * The fault of the name; undefined: none. Only an ARN is accepted: an alias may be moved to another
 * key.
 */
export const awsKeyArnFault = (key: string): string | undefined =>
  /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(key)
    ? undefined
    : 'STAGELY_KMS_KEY must be the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias'
