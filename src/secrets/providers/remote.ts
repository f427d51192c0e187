// The common part of all key services: a deadline, a pause after a failure, the check that an answer
// matches the request, and errors with a remedy.
import type { Clock } from '../../kernel/clock.ts'
import { StagelyError, isAbort } from '../../kernel/errors.ts'
import {
  parseWrapHeader,
  renderWrapped,
  wrapDamaged,
  type KeyProvider,
  type WrapHeader,
} from '../key-provider.ts'

interface Encrypted {
  readonly ciphertext: Buffer
  /** Version of the key that was used; empty when the service has no versions. */
  readonly version: string
  /** The key that answered. */
  readonly keyId: string
}

interface Decrypted {
  readonly plaintext: Buffer
  /** The key that answered; undefined when the service does not name it. */
  readonly keyId: string | undefined
}

/** One key of a key service. Methods reject with the service's own errors. */
export interface KeyService {
  readonly name: string
  /** The service's own name of the key. */
  readonly keyId: string
  encrypt(plaintext: Buffer, context: string, signal: AbortSignal): Promise<Encrypted>
  decrypt(
    what: { ciphertext: Buffer; context: string; version: string },
    signal: AbortSignal,
  ): Promise<Decrypted>
  /** True when the error means: not wrapped by this key for this context. */
  isDamaged(error: unknown): boolean
  /** The meaning of an error, with a remedy; undefined for an unknown error. */
  explain(error: unknown): string | undefined
  close(): void
}

export interface RemoteOptions {
  readonly clock: Clock
  /**
   * Time limit of one wrap or unwrap, retries included. A write may wait this long, and other writes
   * wait for it.
   */
  readonly deadlineMs?: number
}

const defaultDeadlineMs = 5_000
/**
 * After a failure, calls fail at once for this long: otherwise each waiting write would wait for the
 * time-out in turn.
 */
const restMs = 1_000

const unavailable = (service: KeyService, why: string, cause?: unknown): StagelyError =>
  new StagelyError(
    'ServiceUnavailable',
    `key provider ${service.name} (key ${service.keyId}): ${why}`,
    { retryAfterSeconds: 5 },
    cause,
  )

export const createRemoteKeyProvider = (
  service: KeyService,
  { clock, deadlineMs = defaultDeadlineMs }: RemoteOptions,
): KeyProvider => {
  let resting: { endsAt: number; error: StagelyError } | undefined

  const translate = (error: unknown): StagelyError => {
    if (error instanceof StagelyError) return error
    if (service.isDamaged(error)) return wrapDamaged()
    const why = service.explain(error)
    const silent = `it did not answer within ${deadlineMs / 1000} s; look at its health and at the network`
    const text =
      why ??
      (isAbort(error) ? silent : 'it cannot be reached; look at its health and at the network')
    const failure = unavailable(service, text)
    resting = { endsAt: clock.now() + restMs, error: failure }
    return failure
  }

  const call = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (resting !== undefined && resting.endsAt > clock.now()) throw resting.error
    const signal = AbortSignal.timeout(deadlineMs)
    try {
      const answer = await Promise.race([work(signal), rejectOn(signal)])
      resting = undefined
      return answer
    } catch (error) {
      throw translate(error)
    }
  }

  const headerOf = (wrapped: string): WrapHeader | undefined => {
    const header = parseWrapHeader(wrapped)
    const ours = header?.provider === service.name && header.keyId === service.keyId
    return ours ? header : undefined
  }

  const unwrap = (wrapped: string, context: string): Promise<Buffer> => {
    const header = headerOf(wrapped)
    if (header === undefined) return Promise.reject(wrapDamaged())
    const text = wrapped.slice(wrapped.lastIndexOf(':') + 1)
    const ciphertext = Buffer.from(text, 'base64')
    // Node ignores characters that are not base64. Only the canonical text of the bytes is accepted.
    if (ciphertext.toString('base64') !== text) return Promise.reject(wrapDamaged())
    const { version } = header
    return call(async (signal) => {
      const { plaintext, keyId } = await service.decrypt({ ciphertext, context, version }, signal)
      if (keyId !== undefined && keyId !== service.keyId) throw wrongKey(service, keyId)
      return plaintext
    })
  }

  return {
    name: service.name,
    keyId: service.keyId,
    wrap: async (plaintext, context) => {
      const { ciphertext, version, keyId } = await call((signal) =>
        service.encrypt(plaintext, context, signal),
      )
      if (keyId !== service.keyId) throw wrongKey(service, keyId)
      const wrapped = renderWrapped({ provider: service.name, keyId, version }, ciphertext)
      await proveWrapped(service, plaintext, () => unwrap(wrapped, context))
      return wrapped
    },
    unwrap,
    opens: (wrapped) => headerOf(wrapped) !== undefined,
    close: () => service.close(),
  }
}

const wrongKey = (service: KeyService, keyId: string): StagelyError =>
  unavailable(
    service,
    `it answered with another key, ${keyId}: nothing was used of the answer; look at what STAGELY_KMS_KEY and the endpoint name`,
  )

/**
 * Unwraps each new text once before it is stored: a key that was wrapped wrongly would be lost with
 * this process.
 */
const proveWrapped = async (
  service: KeyService,
  plaintext: Buffer,
  unwrap: () => Promise<Buffer>,
): Promise<void> => {
  let back: Buffer | undefined
  try {
    back = await unwrap()
  } catch (error) {
    if (!(error instanceof StagelyError && error.reason === 'InternalError')) throw error
  }
  const good = back?.equals(plaintext) === true
  back?.fill(0)
  if (good) return
  throw unavailable(
    service,
    'what it wrapped does not open again: nothing was stored; look at its health',
  )
}

/** A client that ignores its signal must not delay the caller beyond the deadline. */
const rejectOn = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
