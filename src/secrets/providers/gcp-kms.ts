// Google Cloud KMS, over its REST transport. The SDK handles credentials, retries and their delays. The
// purpose of a key is its additional authenticated data.
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { defined } from '../../kernel/defined.ts'
import type { KeyService } from './remote.ts'

export interface GcpKmsSettings {
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K` */
  readonly key: string
  /** Another address for the service: `https://host[:port]`. */
  readonly endpoint?: string | undefined
  /** Used in place of Application Default Credentials. */
  readonly credentials?: { readonly client_email: string; readonly private_key: string }
}

const splitVersion = (name: string): { keyId: string; version: string } => {
  const [keyId = '', version = ''] = name.split('/cryptoKeyVersions/')
  return { keyId, version }
}

const base64 = (bytes: Uint8Array | string | null | undefined): Buffer =>
  typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : Buffer.from(bytes ?? [])

/** Words of google.rpc.Code. */
const remedies: Record<string, string> = {
  DEADLINE_EXCEEDED: 'it did not answer in time; look at its health and at the network',
  NOT_FOUND: 'the key is not found: check STAGELY_KMS_KEY',
  PERMISSION_DENIED:
    'access is denied: grant roles/cloudkms.cryptoKeyEncrypterDecrypter on the key',
  RESOURCE_EXHAUSTED: 'it throttles: ask for a higher quota, or try again',
  FAILED_PRECONDITION: 'the key version is disabled or destroyed: enable or restore it',
  UNAVAILABLE: 'it is not available just now: try again',
  UNAUTHENTICATED: 'it does not accept the credentials: renew them',
}

/** Over REST the SDK throws the HTTP error unchanged; its message is the service's answer. */
const wordOf = (error: unknown): string | undefined =>
  error instanceof Error ? /"status"\s*:\s*"([A-Z_]+)"/.exec(error.message)?.[1] : undefined

const explain = (error: unknown): string | undefined => {
  const word = wordOf(error)
  if (word !== undefined) return remedies[word] ?? `it answers ${word}: try again`
  const message = error instanceof Error ? error.message : ''
  return message.includes('default credentials')
    ? 'no credentials were found: give the controller a Google service account'
    : undefined
}

/** Over REST the codes are HTTP statuses. */
const callOptions = {
  timeout: 4_500,
  retry: {
    retryCodes: [429, 500, 503, 504],
    backoffSettings: {
      initialRetryDelayMillis: 100,
      retryDelayMultiplier: 2,
      maxRetryDelayMillis: 1_000,
      initialRpcTimeoutMillis: 2_500,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: 2_500,
      totalTimeoutMillis: 4_500,
    },
  },
}

export const openGcpKms = ({ key, endpoint, credentials }: GcpKmsSettings): KeyService => {
  const url = endpoint === undefined ? undefined : new URL(endpoint)
  const port = url?.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url?.port)
  const client = new KeyManagementServiceClient({
    fallback: true,
    ...defined({ credentials }),
    ...(url !== undefined && {
      apiEndpoint: url.hostname,
      port,
      protocol: url.protocol.replace(':', ''),
    }),
  })
  const aad = (context: string): Buffer => Buffer.from(`stagely ${context}`)
  return {
    name: 'gcp-kms',
    keyId: key,
    encrypt: async (plaintext, context) => {
      const request = { name: key, plaintext, additionalAuthenticatedData: aad(context) }
      const [answer] = await client.encrypt(request, callOptions)
      return { ciphertext: base64(answer.ciphertext), ...splitVersion(answer.name ?? '') }
    },
    decrypt: async ({ ciphertext, context }) => {
      const request = { name: key, ciphertext, additionalAuthenticatedData: aad(context) }
      const [answer] = await client.decrypt(request, callOptions)
      // The service does not name the key in its answer; it only ever uses the requested one.
      return { plaintext: base64(answer.plaintext), keyId: undefined }
    },
    isDamaged: (error) => wordOf(error) === 'INVALID_ARGUMENT',
    explain,
    close: () => {
      client.close().catch(() => undefined)
    },
  }
}
