// A provider of the master key. It wraps data keys, digest keys and the controller's own secrets.
// Wrapped text names its key, so that the reader knows which key to use, and a scan can count the texts
// under an old key: `s1:<key id>:…` for a key in this process, `w1:<provider>:<key id>:<key version>:…`
// for a key service (key id and version as base64url).
import { StagelyError } from '../kernel/errors.ts'

export interface KeyProvider {
  /** Name in STAGELY_KEY_PROVIDER. */
  readonly name: string
  /** Identifies the master key without revealing anything about it. */
  readonly keyId: string
  /**
   * `context` is the purpose of the plaintext; unwrap needs the same. ServiceUnavailable, with the
   * remedy, when the provider is down or refuses.
   */
  wrap(plaintext: Buffer, context: string): Promise<string>
  /**
   * InternalError when the text was not wrapped by this key for this context; ServiceUnavailable as
   * above.
   */
  unwrap(wrapped: string, context: string): Promise<Buffer>
  /** True when this provider has, or may use, the key that wrapped the text. */
  opens(wrapped: string): boolean
  /** Ends renewals and connections. */
  close(): void
}

/** A wrapped text without its ciphertext: the same for all texts that one key version wrapped. */
export const wrapPrefix = (wrapped: string): string =>
  wrapped.slice(0, wrapped.lastIndexOf(':') + 1)

/** The same as an SQL expression, for a column or expression. */
export const wrapPrefixSql = (column: string): string => `regexp_replace(${column}, '[^:]*$', '')`

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const decode = (text: string): string => Buffer.from(text, 'base64url').toString()

/** The common prefix of all texts that this key wraps, in every version. */
export const prefixOfKey = (provider: string, keyId: string): string =>
  provider === 'local' || provider === 'key-file'
    ? `s1:${keyId}:`
    : `w1:${provider}:${encode(keyId)}::`

export interface WrapHeader {
  readonly provider: string
  readonly keyId: string
  /** Empty when the service has no versions. */
  readonly version: string
}

export const renderWrapped = (
  { provider, keyId, version }: WrapHeader,
  ciphertext: Buffer,
): string => `w1:${provider}:${encode(keyId)}:${encode(version)}:${ciphertext.toString('base64')}`

/** The header of a wrapped text or of its prefix; undefined for text of another format. */
export const parseWrapHeader = (wrapped: string): WrapHeader | undefined => {
  const [format, first = '', keyId = '', version = ''] = wrapped.split(':')
  if (format === 's1') return { provider: 'local', keyId: first, version: '' }
  if (format !== 'w1') return undefined
  return { provider: first, keyId: decode(keyId), version: decode(version) }
}

/** For messages: `local key 3f2a…`, `vault-transit key transit/stagely version 3`. */
export const describeWrap = (wrapped: string): string => {
  const header = parseWrapHeader(wrapped)
  if (header === undefined) return 'a key of an unknown format'
  const version = header.version === '' ? '' : ` version ${header.version}`
  return `${header.provider} key ${header.keyId}${version}`
}

export const wrapDamaged = (): StagelyError =>
  new StagelyError(
    'InternalError',
    'a wrapped key does not open: it was changed, moved, or wrapped by another key',
  )
