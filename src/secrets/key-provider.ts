// Who holds the master key. It wraps data keys, digest keys and the controller's own secrets.
import { createHash } from 'node:crypto'
import { open, seal } from './aead.ts'

export interface KeyProvider {
  /** `local`; others may follow. */
  readonly name: string
  /** Names the master key without telling anything about it. */
  readonly keyId: string
  /** `context` says what the plaintext is for; unwrap must be given the same. */
  wrap(plaintext: Buffer, context: string): Promise<string>
  /** InternalError when it was not wrapped by this key for this context. */
  unwrap(wrapped: string, context: string): Promise<Buffer>
}

const aadOf = (context: string): Buffer => Buffer.from(`stagely wrap v1 ${context}`)

/** Wraps with a 32-byte key that this process has. */
export const createLocalKeyProvider = (masterKey: Buffer): KeyProvider => {
  if (masterKey.length !== 32) throw new Error('the master key must have 32 bytes')
  const id = createHash('sha256')
    .update('stagely key id')
    .update(masterKey)
    .digest('hex')
    .slice(0, 16)
  const key = { id, bytes: Buffer.from(masterKey) }
  return {
    name: 'local',
    keyId: id,
    wrap: (plaintext, context) => Promise.resolve(seal(key, plaintext, aadOf(context))),
    unwrap: (wrapped, context) => Promise.resolve().then(() => open(key, wrapped, aadOf(context))),
  }
}
