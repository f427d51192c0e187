// Google Cloud KMS, over REST. Google's library finds the credentials, and tries again. The purpose of a key is
// its additional authenticated data. API: cloud.google.com/kms/docs/reference/rest
import { GoogleAuth } from 'google-auth-library'
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

const bytesOf = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')

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

interface Refusal {
  readonly response?: { readonly data?: { readonly error?: { readonly status?: string } } }
}

const wordOf = (error: unknown): string | undefined =>
  (error as Refusal).response?.data?.error?.status

const explain = (error: unknown): string | undefined => {
  const word = wordOf(error)
  if (word !== undefined) return remedies[word] ?? `it answers ${word}: try again`
  const message = error instanceof Error ? error.message : ''
  return message.includes('default credentials')
    ? 'no credentials were found: give the controller a Google service account'
    : undefined
}

const retryConfig = {
  retry: 4,
  httpMethodsToRetry: ['POST'],
  statusCodesToRetry: [
    [429, 429],
    [500, 500],
    [503, 504],
  ],
  retryDelay: 100,
  retryDelayMultiplier: 2,
  maxRetryDelay: 1_000,
  totalTimeout: 4_500,
}

interface Answer {
  readonly name?: string
  readonly ciphertext?: string
  readonly plaintext?: string
}

export const openGcpKms = ({ key, endpoint, credentials }: GcpKmsSettings): KeyService => {
  const base = (endpoint ?? 'https://cloudkms.googleapis.com').replace(/\/+$/, '')
  const auth = new GoogleAuth({
    scopes: 'https://www.googleapis.com/auth/cloud-platform',
    ...defined({ credentials }),
  })
  // A service account signs its own token: no other server is asked.
  auth.useJWTAccessWithScope = true
  const send = async (verb: string, body: object, signal: AbortSignal): Promise<Answer> => {
    const url = `${base}/v1/${key}:${verb}`
    const sent = { url, method: 'POST', data: body, signal, fetchImplementation: fetch } as const
    return (await auth.request<Answer>({ ...sent, retry: true, retryConfig })).data
  }
  const aad = (context: string): string => Buffer.from(`stagely ${context}`).toString('base64')
  return {
    name: 'gcp-kms',
    keyId: key,
    encrypt: async (plaintext, context, signal) => {
      const body = { plaintext: plaintext.toString('base64') }
      const answer = await send(
        'encrypt',
        { ...body, additionalAuthenticatedData: aad(context) },
        signal,
      )
      return { ciphertext: bytesOf(answer.ciphertext), ...splitVersion(answer.name ?? '') }
    },
    decrypt: async ({ ciphertext, context }, signal) => {
      const body = { ciphertext: ciphertext.toString('base64') }
      const answer = await send(
        'decrypt',
        { ...body, additionalAuthenticatedData: aad(context) },
        signal,
      )
      // The service does not name the key in its answer; it only ever uses the requested one.
      return { plaintext: bytesOf(answer.plaintext), keyId: undefined }
    },
    isDamaged: (error) => wordOf(error) === 'INVALID_ARGUMENT',
    explain,
    close: () => undefined,
  }
}
