// HPKE (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; base and auth mode.
// Implemented on node:crypto because that is synchronous and 7 times cheaper than a library; tests open
// and seal against one. Pure: the only state is a context's sequence number.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import { StagelyError } from '../kernel/errors.ts'
import { generateKeys, publicKeyFromRaw, rawPublicKey, type KeyPair } from './keys.ts'

const tagLength = 16
const kemSuite = Buffer.from('KEM\x00\x20', 'latin1')
const hpkeSuite = Buffer.from('HPKE\x00\x20\x00\x01\x00\x02', 'latin1')
const empty = Buffer.alloc(0)

const hmac = (key: Buffer, ...parts: Buffer[]): Buffer => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

const labeledExtract = (suite: Buffer, salt: Buffer, label: string, ikm: Buffer): Buffer =>
  hmac(salt, Buffer.from('HPKE-v1'), suite, Buffer.from(label), ikm)

/** One block of HKDF-Expand: every output of this suite has at most 32 bytes. */
const labeledExpand = (
  suite: Buffer,
  prk: Buffer,
  { label, info, length }: { label: string; info: Buffer; length: number },
): Buffer => {
  const head = Buffer.concat([
    Buffer.from([0, length]),
    Buffer.from('HPKE-v1'),
    suite,
    Buffer.from(label),
  ])
  return hmac(prk, head, info, Buffer.from([1])).subarray(0, length)
}

const extractAndExpand = (dh: Buffer, kemContext: Buffer): Buffer => {
  const prk = labeledExtract(kemSuite, empty, 'eae_prk', dh)
  return labeledExpand(kemSuite, prk, { label: 'shared_secret', info: kemContext, length: 32 })
}

interface Schedule {
  readonly key: Buffer
  readonly baseNonce: Buffer
  readonly exportKey: (label: string) => Buffer
}

const keySchedule = (auth: boolean, sharedSecret: Buffer, info: Buffer): Schedule => {
  const context = Buffer.concat([
    Buffer.from([auth ? 2 : 0]),
    labeledExtract(hpkeSuite, empty, 'psk_id_hash', empty),
    labeledExtract(hpkeSuite, empty, 'info_hash', info),
  ])
  const secret = labeledExtract(hpkeSuite, sharedSecret, 'secret', empty)
  const expand = (label: string, length: number): Buffer =>
    labeledExpand(hpkeSuite, secret, { label, info: context, length })
  const exporter = expand('exp', 32)
  return {
    key: expand('key', 32),
    baseNonce: expand('base_nonce', 12),
    exportKey: (label) =>
      labeledExpand(hpkeSuite, exporter, { label: 'sec', info: Buffer.from(label), length: 32 }),
  }
}

/** Base nonce XOR sequence number. Six bytes are enough: no stream sends 2^48 messages. */
const nonceAt = (baseNonce: Buffer, seq: number): Buffer => {
  const nonce = Buffer.from(baseNonce)
  const counter = Buffer.alloc(12)
  counter.writeUIntBE(seq, 6, 6)
  for (let i = 0; i < 12; i++) nonce[i] = nonce[i]! ^ counter[i]!
  return nonce
}

export interface Sealer {
  /** Encapsulated key, raw 32 bytes; the receiver needs it. */
  readonly enc: Buffer
  /** Sequence number of the next seal. */
  readonly seq: number
  /** A secret of 32 bytes that only both ends can derive; a different one for each label. */
  exportKey(label: string): Buffer
  seal(aad: Buffer, plaintext: Buffer): Buffer
}

export interface Opener {
  /** Sequence number that the next open expects. */
  readonly seq: number
  /** The same secrets as the sealer's. */
  exportKey(label: string): Buffer
  /** BadRequest when anything does not match; the sequence number then stays the same. */
  open(aad: Buffer, ciphertext: Buffer): Buffer
}

/** A sending context. With `sender` (auth mode) only the holder of that private key can make it. */
export const createSealer = (to: {
  recipient: KeyObject
  info: Buffer
  sender?: KeyPair
}): Sealer => {
  const ephemeral = generateKeys('X25519')
  const shares = [diffieHellman({ privateKey: ephemeral.privateKey, publicKey: to.recipient })]
  const names = [ephemeral.publicKey, rawPublicKey(to.recipient)]
  if (to.sender !== undefined) {
    shares.push(diffieHellman({ privateKey: to.sender.privateKey, publicKey: to.recipient }))
    names.push(to.sender.publicKey)
  }
  const shared = extractAndExpand(Buffer.concat(shares), Buffer.concat(names))
  const { key, baseNonce, exportKey } = keySchedule(to.sender !== undefined, shared, to.info)
  let seq = 0
  return {
    exportKey,
    enc: ephemeral.publicKey,
    get seq() {
      return seq
    },
    seal: (aad, plaintext) => {
      const cipher = createCipheriv('aes-256-gcm', key, nonceAt(baseNonce, seq))
      seq += 1
      cipher.setAAD(aad)
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    },
  }
}

/** A receiving context. With `sender` (a raw public key) it opens only messages from that sender. */
export const createOpener = (from: {
  recipient: KeyPair
  enc: Buffer
  info: Buffer
  sender?: Buffer
}): Opener => {
  const { privateKey, publicKey: own } = from.recipient
  const shares = [exchange(privateKey, from.enc)]
  const names = [from.enc, own]
  if (from.sender !== undefined) {
    shares.push(exchange(privateKey, from.sender))
    names.push(from.sender)
  }
  const shared = extractAndExpand(Buffer.concat(shares), Buffer.concat(names))
  const { key, baseNonce, exportKey } = keySchedule(from.sender !== undefined, shared, from.info)
  let seq = 0
  return {
    exportKey,
    get seq() {
      return seq
    },
    open: (aad, ciphertext) => {
      const plaintext = decrypt({ key, nonce: nonceAt(baseNonce, seq) }, aad, ciphertext)
      seq += 1
      return plaintext
    },
  }
}

/** OpenSSL refuses an all-zero result. So a low-order public key causes an error and not a known secret. */
const exchange = (privateKey: KeyObject, raw: Buffer): Buffer => {
  const publicKey = publicKeyFromRaw('X25519', raw)
  try {
    return diffieHellman({ privateKey, publicKey })
  } catch (cause) {
    throw new StagelyError('BadRequest', 'the peer’s key is not usable', {}, cause)
  }
}

const decrypt = (
  { key, nonce }: { key: Buffer; nonce: Buffer },
  aad: Buffer,
  sealed: Buffer,
): Buffer => {
  if (sealed.length < tagLength) throw new StagelyError('BadRequest', 'a sealed message is cut off')
  const split = sealed.length - tagLength
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(split))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, split)), decipher.final()])
  } catch {
    const message = 'a sealed message does not open: changed, out of order, or not from this sender'
    throw new StagelyError('BadRequest', message)
  }
}
