// AES-256-GCM with a fresh random nonce. Sealed text: `s1:<key id>:<base64 of nonce|ciphertext|tag>`.
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto'
import { StagelyError } from '../kernel/errors.ts'

const format = 's1'
/** A KeyObject keeps the bytes out of heap dumps, and wipes them when it is freed. */
export type KeyBytes = Buffer | KeyObject

const nonceBytes = 12
const tagBytes = 16

export interface SealKey {
  /** Written into the sealed text, so that the reader knows which key to use. Must not hold ':'. */
  readonly id: string
  /** 32 bytes. */
  readonly bytes: KeyBytes
}

/** Format and key id are authenticated too: neither can be exchanged. */
const fullAad = (keyId: string, aad: string): Buffer =>
  Buffer.from(`stagely ${format} ${keyId}\n${aad}`)

/** The place that a sealed value is bound to: it cannot be opened for another place. */
export interface ValueContext {
  readonly projectUid: string
  readonly secretId: string
  readonly key: string
  readonly scope: string
  readonly type: string
  readonly version: number
  /** A value that was sealed as masked does not open as plain. */
  readonly plain?: true | undefined
}

/** JSON of a fixed list, so that two contexts never have the same bytes. */
export const valueAad = (c: ValueContext): string =>
  JSON.stringify([
    ...['stagely value v1', c.projectUid, c.secretId, c.key, c.scope, c.type, c.version],
    ...(c.plain === true ? ['plain'] : []),
  ])

export const seal = (key: SealKey, plaintext: Buffer, aad: string): string => {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce)
  cipher.setAAD(fullAad(key.id, aad))
  const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return `${format}:${key.id}:${body.toString('base64')}`
}

const damaged = (): StagelyError =>
  new StagelyError(
    'InternalError',
    'a sealed value does not open: it was changed, moved, or sealed with another key',
  )

const openBody = (key: KeyBytes, body: Buffer, aad?: Buffer): Buffer => {
  if (body.length < nonceBytes + tagBytes) throw damaged()
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes))
    if (aad !== undefined) decipher.setAAD(aad)
    decipher.setAuthTag(body.subarray(-tagBytes))
    const plaintext = decipher.update(body.subarray(nonceBytes, -tagBytes))
    decipher.final() // with GCM, final() returns nothing: it only checks the tag
    return plaintext
  } catch {
    throw damaged() // without the cause, which adds nothing and might contain bytes
  }
}

/** The key id of a sealed text; InternalError for text of another format. */
export const keyIdOf = (sealed: string): string => {
  const [version, id, body, ...rest] = sealed.split(':')
  if (version !== format || id === undefined || body === undefined || rest.length > 0)
    throw damaged()
  return id
}

/** InternalError when anything does not match: bytes, key, or AAD. */
export const open = (key: SealKey, sealed: string, aad: string): Buffer => {
  const prefix = `${format}:${key.id}:`
  if (!sealed.startsWith(prefix)) throw damaged()
  const text = sealed.slice(prefix.length)
  const body = Buffer.from(text, 'base64')
  // Node ignores characters that are not base64. Only the canonical text of the bytes is accepted.
  if (body.toString('base64') !== text) throw damaged()
  return openBody(key.bytes, body, fullAad(key.id, aad))
}

/** Opens base64(nonce|ciphertext|tag) without AAD, the format of the earlier Go program. */
export const openLegacy = (encryptedValue: string, key: Buffer): Buffer =>
  openBody(key, Buffer.from(encryptedValue, 'base64'))
