// AWS KMS. The SDK handles credentials, retries and their delays. The purpose of a key is its
// encryption context, which KMS authenticates and writes to CloudTrail.
import {
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  KMSServiceException,
  type KMSClientConfig,
} from '@aws-sdk/client-kms'
import { defined } from '../../kernel/defined.ts'
import type { KeyService } from './remote.ts'

export interface AwsKmsSettings {
  /** Key id, key ARN, alias or alias ARN. */
  readonly key: string
  /** Another address for the service, such as a VPC endpoint. */
  readonly endpoint?: string | undefined
  /** Used in place of the SDK's credential chain. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

/**
 * The region in an ARN such as `arn:aws:kms:eu-central-1:…`; undefined for another name: then the SDK
 * uses AWS_REGION and its profile.
 */
const regionOf = (key: string): string | undefined => /^arn:[^:]+:kms:([^:]+):/.exec(key)?.[1]

const contextOf = (context: string): Record<string, string> => ({ 'stagely:purpose': context })

/** Names of exceptions, from the KMS API reference of Encrypt and Decrypt. */
const remedies: Record<string, string> = {
  DisabledException: 'the key is disabled: enable it',
  KMSInvalidStateException: 'the key is not in a usable state (deleted or pending): restore it',
  NotFoundException: 'the key is not found: check STAGELY_KMS_KEY and the region',
  AccessDeniedException: 'access is denied: allow kms:Encrypt and kms:Decrypt on the key',
  InvalidKeyUsageException: 'the key is not a symmetric encryption key: name one that is',
  KeyUnavailableException: 'the key is not available just now: try again',
  ThrottlingException: 'it throttles: ask for a higher quota, or try again',
  UnrecognizedClientException: 'it does not know these credentials: renew them',
  ExpiredTokenException: 'the credentials have expired: renew them',
  CredentialsProviderError: 'no credentials were found: give the controller an AWS role or keys',
}
const damagedNames = new Set(['InvalidCiphertextException', 'IncorrectKeyException'])

export const explainAwsKms = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined
  const remedy = remedies[error.name]
  if (remedy !== undefined) return remedy
  return error instanceof KMSServiceException ? `it answers ${error.name}: try again` : undefined
}

/** Asks KMS once for the ARN of the key: answers always contain the ARN. */
export const openAwsKms = async (
  { key, endpoint, credentials }: AwsKmsSettings,
  signal: AbortSignal,
): Promise<KeyService> => {
  const region = regionOf(key)
  const config: KMSClientConfig = {
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 1_500, requestTimeout: 2_500 },
    ...defined({ region, endpoint, credentials }),
  }
  const client = new KMSClient(config)
  const encrypt = async (
    keyId: string,
    what: { plaintext: Buffer; context: string },
    abortSignal: AbortSignal,
  ): Promise<{ ciphertext: Buffer; keyId: string; version: string }> => {
    const answer = await client.send(
      new EncryptCommand({
        KeyId: keyId,
        Plaintext: what.plaintext,
        EncryptionContext: contextOf(what.context),
      }),
      { abortSignal },
    )
    const ciphertext = Buffer.from(answer.CiphertextBlob ?? [])
    return { ciphertext, keyId: answer.KeyId ?? '', version: '' }
  }
  const service = (keyId: string): KeyService => ({
    name: 'aws-kms',
    keyId,
    encrypt: (plaintext, context, abort) => encrypt(keyId, { plaintext, context }, abort),
    decrypt: async ({ ciphertext, context }, abortSignal) => {
      const command = new DecryptCommand({
        KeyId: keyId,
        CiphertextBlob: ciphertext,
        EncryptionContext: contextOf(context),
      })
      const answer = await client.send(command, { abortSignal })
      return { plaintext: Buffer.from(answer.Plaintext ?? []), keyId: answer.KeyId }
    },
    isDamaged: (error) => error instanceof Error && damagedNames.has(error.name),
    explain: explainAwsKms,
    close: () => client.destroy(),
  })
  if (key.startsWith('arn:') && key.includes(':key/')) return service(key)
  const probe = { plaintext: Buffer.from('probe'), context: 'probe' }
  try {
    return service((await encrypt(key, probe, signal)).keyId)
  } catch (error) {
    client.destroy()
    throw error
  }
}
