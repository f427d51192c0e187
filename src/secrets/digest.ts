// Digests decide whether a container is current. They are keyed, so that nobody can test guesses of a
// weak secret against a label.
import { createHash, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { KeyBytes } from './aead.ts'
import type { FileSpec } from '../kinds/secret/schema.ts'
import type { SetEntry } from './visible.ts'

interface DigestInput {
  readonly type: 'env' | 'file'
  readonly key: string
  readonly value: Buffer
  readonly file?: FileSpec | undefined
  /** True for a template. It never has the digest of the same bytes without references. */
  readonly refers?: boolean
}

/** Length-prefixed fields: different inputs never have the same bytes. */
const canonical = (fields: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(
    fields.flatMap((field) => {
      const bytes = typeof field === 'string' ? Buffer.from(field, 'utf8') : field
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return [length, bytes]
    }),
  )

/** HMAC-SHA256 under the project's digest key over (type, key, bytes, path, mode, uid, gid, target, envVar, whether it refers to others); hex. */
export const valueDigest = (
  digestKey: KeyBytes,
  { type, key, value, file, refers = false }: DigestInput,
): string => {
  const fileFields =
    type === 'file'
      ? [
          file?.path ?? '',
          (file?.mode ?? '0600').padStart(4, '0'),
          String(file?.uid ?? 0),
          String(file?.gid ?? 0),
          file?.target ?? '',
          file?.envVar ?? '',
        ]
      : []
  return createHmac('sha256', digestKey)
    .update(canonical([type, key, value, ...fileFields, ...(refers ? ['references'] : [])]))
    .digest('hex')
}

/** HMAC-SHA256 over the bytes of a finished value alone: equal for equal values, whatever their key and type; hex. */
export const fingerprintOf = (digestKey: KeyBytes, value: Buffer): string =>
  createHmac('sha256', digestKey)
    .update(canonical(['finished value', value]))
    .digest('hex')

/**
 * SHA-256 over the sorted value digests of the secrets that one service sees; undefined when it sees
 * none.
 */
export const serviceDigest = (visible: readonly SetEntry[]): string | undefined => {
  if (visible.length === 0) return undefined
  const hash = createHash('sha256')
  for (const digest of visible.map((e) => e.valueDigest).sort()) hash.update(digest).update('\n')
  return hash.digest('hex')
}

const macKeys = new WeakMap<KeyBytes, KeyObject>()

/** Derived once for each copy of the digest key in memory, and freed with it. */
export const macKeyOf = (digestKey: KeyBytes): KeyObject => {
  let key = macKeys.get(digestKey)
  if (key === undefined) {
    const bytes = Buffer.from(hkdfSync('sha256', digestKey, '', 'stagely set mac v1', 32))
    key = createSecretKey(bytes)
    bytes.fill(0)
    macKeys.set(digestKey, key)
  }
  return key
}

/**
 * HMAC over a revision and its sorted (secret id, version) pairs: the older form, for sets that were
 * last saved before SetLines.
 */
export const setMac = (
  digestKey: KeyBytes,
  revision: number,
  entries: readonly { readonly secretId: string; readonly version: number }[],
): string => {
  const macKey = macKeyOf(digestKey)
  const lines = entries.map((e) => `${e.secretId} ${e.version}\n`).sort()
  return createHmac('sha256', macKey)
    .update(`revision ${revision}\n${lines.join('')}`)
    .digest('hex')
}
