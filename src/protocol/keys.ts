// Curve25519 keys as they travel: raw 32 bytes. Importing costs 30–80 µs, so callers keep KeyObjects.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { StagelyError } from '../kernel/errors.ts'

export type Curve = 'Ed25519' | 'X25519'

export interface KeyPair {
  readonly privateKey: KeyObject
  /** Raw 32 bytes. */
  readonly publicKey: Buffer
}

/** Raw 32 bytes of the public half of `key`, private or public. */
export const rawPublicKey = (key: KeyObject): Buffer =>
  Buffer.from(
    (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' }).x!,
    'base64url',
  )

/** BadRequest when `raw` is not 32 bytes. */
export const publicKeyFromRaw = (curve: Curve, raw: Buffer): KeyObject => {
  if (raw.length !== 32) throw new StagelyError('BadRequest', `a ${curve} public key has 32 bytes`)
  const jwk = { kty: 'OKP', crv: curve, x: raw.toString('base64url') }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

export const generateKeys = (curve: Curve): KeyPair => {
  const { privateKey, publicKey } =
    curve === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')
  return { privateKey, publicKey: rawPublicKey(publicKey) }
}
