// Calls of AWS's SDK through the gate, and the meaning of AWS's errors.
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import { isRecord, tryParseJson } from '../../../src/kernel/record.ts'
import { retryAfterMs } from '../../egress/answers.ts'
import { sdkHandler, type SdkHandler } from '../../egress/sdk-handler.ts'
import { faultOfGate } from '../http.ts'
import type { StoreOpening } from '../opening.ts'
import { StoreFault } from '../provider.ts'

interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/**
 * A credential as AWS writes one: with names in any case, perhaps inside of the answer of
 * `create-access-key` or `assume-role`.
 */
export const awsCredentials = (text: string): AwsCredentials => {
  const given = tryParseJson(text)
  const outer = isRecord(given) ? given : {}
  const inner = [outer['AccessKey'], outer['Credentials']].find(isRecord) ?? outer
  const field = (name: string): string | undefined => {
    const found = Object.entries(inner).find(([key]) => key.toLowerCase() === name)?.[1]
    return typeof found === 'string' && found !== '' ? found : undefined
  }
  const [accessKeyId, secretAccessKey] = [field('accesskeyid'), field('secretaccesskey')]
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new StoreFault(
      'Unauthorized',
      'a credential of AWS is JSON with accessKeyId and secretAccessKey, perhaps with sessionToken',
    )
  const sessionToken = field('sessiontoken')
  return { accessKeyId, secretAccessKey, ...defined({ sessionToken }) }
}

const unauthorized = new Set([
  'AuthFailure',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
])
const skewed = new Set(['RequestExpired', 'RequestInTheFuture', 'RequestTimeTooSkewed'])
const throttled = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown)/

interface AwsError {
  /** The name of an exception of AWS; undefined: it is none. */
  readonly name: string | undefined
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string>>
}

const awsErrorOf = (error: unknown): AwsError => {
  const { name, $metadata, $response } = error as {
    name?: unknown
    $metadata?: { httpStatusCode?: number }
    $response?: { statusCode?: number; headers?: Record<string, string> }
  }
  return {
    name:
      typeof name === 'string' && /^[A-Z][A-Za-z]{2,80}$/.test(name) && !/Unknown|^Error/.test(name)
        ? name
        : undefined,
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers: $response?.headers ?? {},
  }
}

/** The name that AWS gives to its refusal: `AccessDeniedException`. */
export const awsNameOf = (error: unknown): string | undefined =>
  isRefusal(error) ? awsErrorOf(error).name : undefined

/** True for an answer of AWS itself that refuses the request. */
const isRefusal = (error: unknown): boolean => {
  const { status = 0 } = awsErrorOf(error)
  return error instanceof Error && status >= 400 && status < 500
}

/** `now`: milliseconds, for a `Retry-After` that is a time. */
const faultOfAws = (error: unknown, now: number): unknown => {
  if (error instanceof StoreFault || error instanceof StagelyError) return faultOfGate(error)
  if (!(error instanceof Error)) return error
  const { name, status, headers } = awsErrorOf(error)
  const named = name === undefined ? `status ${status ?? 0}` : name
  if (status === 429 || (name !== undefined && throttled.test(name))) {
    const wait = retryAfterMs({ headers }, now)
    return new StoreFault('Throttled', `AWS asks for fewer calls (${named})`, wait)
  }
  if (name !== undefined && skewed.has(name))
    return new StoreFault('Unauthorized', `AWS says that the controller's clock is wrong (${name})`)
  if (status === 401 || (name !== undefined && unauthorized.has(name)))
    return new StoreFault(
      'Unauthorized',
      name === 'CredentialsProviderError'
        ? 'the controller finds no credential of AWS of its own'
        : `AWS does not accept the credential (${named})`,
    )
  if (status === undefined) return error
  if (status >= 300 && status < 400)
    return new StoreFault('Unavailable', `AWS answers with a redirect, which is not followed`)
  if (status < 300) return new StoreFault('Malformed', 'the answer of AWS cannot be read')
  return new StoreFault('Unavailable', `AWS answers ${named}`)
}

export interface AwsCalls {
  /** For the configuration of a client. */
  readonly config: {
    readonly region: string
    readonly maxAttempts: 1
    readonly requestHandler: SdkHandler
    readonly credentials?: () => Promise<AwsCredentials>
  }
  /**
   * Sends once, and once more where AWS has just told what time it is. Refusals that have a name in
   * `expected` are thrown as they are, the rest as StoreFault.
   */
  send<T>(
    call: (options: { abortSignal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
    expected?: readonly string[],
  ): Promise<T>
}

export const awsCalls = (
  opening: StoreOpening,
  region: string,
  ca: string | undefined,
): AwsCalls => ({
  config: {
    region,
    maxAttempts: 1,
    requestHandler: sdkHandler(opening.egress, ca),
    ...(opening.isOwn
      ? {}
      : { credentials: async () => awsCredentials(await opening.credential()) }),
  },
  send: async (call, signal, expected = []) => {
    for (let attempt = 0; ; attempt++) {
      await opening.spend(signal)
      try {
        return await call({ abortSignal: signal })
      } catch (error) {
        signal.throwIfAborted()
        const { $metadata } = error as { $metadata?: { clockSkewCorrected?: boolean } }
        if (attempt === 0 && $metadata?.clockSkewCorrected === true) continue
        if (expected.includes(awsNameOf(error) ?? '')) throw error
        throw faultOfAws(error, opening.clock.now())
      }
    }
  },
})
