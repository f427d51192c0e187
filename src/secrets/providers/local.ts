// Master keys in this process: from the environment, or from a file. The first one wraps; the others
// only unwrap older texts.
import { createHash } from 'node:crypto'
import { keyIdOf, open, seal, type SealKey } from '../aead.ts'
import { wrapDamaged, type KeyProvider } from '../key-provider.ts'

const aadOf = (context: string): string => `stagely wrap v1 ${context}`

const named = (bytes: Buffer): SealKey => {
  if (bytes.length !== 32) throw new Error('the master key must have 32 bytes')
  const hash = createHash('sha256').update('stagely key id').update(bytes)
  return { id: hash.digest('hex').slice(0, 16), bytes: Buffer.from(bytes) }
}

/** 32 bytes from standard base64; undefined for anything else. */
export const decodeMasterKey = (text: string): Buffer | undefined => {
  const trimmed = text.trim()
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(trimmed)) return undefined
  const key = Buffer.from(trimmed, 'base64')
  return key.length === 32 ? key : undefined
}

export const createLocalKeyProvider = (
  masterKey: Buffer,
  { name = 'local', previous = [] }: { name?: string; previous?: readonly Buffer[] } = {},
): KeyProvider => {
  const current = named(masterKey)
  const keys = new Map([...previous.map(named), current].map((key) => [key.id, key]))
  const keyOf = (wrapped: string): SealKey | undefined =>
    wrapped.startsWith('s1:') ? keys.get(keyIdOf(wrapped)) : undefined
  const unwrap = (wrapped: string, context: string): Buffer => {
    const key = keyOf(wrapped)
    if (key === undefined) throw wrapDamaged()
    return open(key, wrapped, aadOf(context))
  }
  return {
    name,
    keyId: current.id,
    wrap: (plaintext, context) => Promise.resolve(seal(current, plaintext, aadOf(context))),
    unwrap: (wrapped, context) => Promise.resolve().then(() => unwrap(wrapped, context)),
    opens: (wrapped) => keyOf(wrapped) !== undefined,
    close: () => undefined,
  }
}
