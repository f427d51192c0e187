// Curve25519 keys in their wire form: raw 32 bytes. Importing a key costs 30–80 µs, so callers keep
// KeyObjects.
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { StagelyError } from '../kernel/errors.ts'
import type { PublicKeys } from '../kernel/key-fingerprint.ts'

type Curve = 'Ed25519' | 'X25519'

export interface KeyPair {
  readonly privateKey: KeyObject
  /** Raw 32 bytes. */
  readonly publicKey: Buffer
}

/** Raw 32 bytes of the public half of `key`, private or public; not of Node's pool, as they are kept for long. */
export const rawPublicKey = (key: KeyObject): Buffer => {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  const raw = Buffer.alloc(32)
  raw.write(x!, 'base64url')
  return raw
}

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

/**
 * Points of small order, without the sign bit: anybody can forge signatures for them. Includes the
 * non-canonical encodings of each coordinate (the same number modulo p).
 */
const weakEd25519: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** BadRequest for keys of a wrong length, and for weak keys, with which anybody could sign or read. */
export const checkPublicKeys = (keys: PublicKeys): void => {
  const signing = Buffer.from(keys.ed25519, 'base64url')
  publicKeyFromRaw('Ed25519', signing)
  const unsigned = Buffer.from(signing)
  unsigned[31] = unsigned[31]! & 0x7f
  if (weakEd25519.has(unsigned.toString('hex')))
    throw new StagelyError('BadRequest', 'the Ed25519 key is weak: anybody could sign for it')
  const { privateKey } = generateKeys('X25519')
  const publicKey = publicKeyFromRaw('X25519', Buffer.from(keys.x25519, 'base64url'))
  try {
    // OpenSSL refuses points of small order: with them the shared secret would always be zero.
    diffieHellman({ privateKey, publicKey })
  } catch (cause) {
    const message = 'the X25519 key is weak: anybody could read what is sealed to it'
    throw new StagelyError('BadRequest', message, {}, cause)
  }
}
