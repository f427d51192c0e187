// Fingerprints: what a scanner gets in place of values. Of a strong value: its length, 24 bits of a keyed rolling hash of
// its first bytes, and a MAC. Of a weak one: that values of its length exist. See ADR 0087.
import { createHmac, hkdfSync } from 'node:crypto'
import type { KeyBytes } from '../secrets/aead.ts'
import { minPatternBytes } from '../masking/min-pattern-bytes.ts'
import { isStrong } from './strength.ts'

/** Bytes that the rolling hash is of. No strong value is shorter. */
export const windowBytes = 16
const filterBits = 24
const filterMask = (1 << filterBits) - 1

export interface StrongFingerprint {
  /** Bits of the rolling hash. */
  readonly filter: number
  readonly length: number
  readonly mac: string
}

/** `weak`: only the controller knows its MAC. */
export type Fingerprint =
  | ({ readonly strength: 'strong' } & StrongFingerprint)
  | { readonly strength: 'weak'; readonly length: number; readonly mac: string }

/** The key of a project's fingerprints. Who has it can make no value of them. */
export const scanKeyOf = (digestKey: KeyBytes): Buffer =>
  Buffer.from(hkdfSync('sha256', digestKey, '', 'stagely scan key v1', 32))

/** 128 bits, in base64url. */
export const macOf = (scanKey: Buffer, bytes: Uint8Array): string =>
  createHmac('sha256', scanKey).update(bytes).digest().subarray(0, 16).toString('base64url')

export interface RollingHash {
  /** Calls back for each window: its hash, and where it begins. */
  roll(text: Uint8Array, take: (hash: number, start: number) => void): void
}

export const createRollingHash = (scanKey: Buffer): RollingHash => {
  const bytes = Buffer.from(hkdfSync('sha256', scanKey, '', 'stagely rolling hash v1', 1024))
  const table = Int32Array.from({ length: 256 }, (_, i) => bytes.readInt32LE(4 * i))
  // What leaves was turned by one bit at each step since.
  const leaving = table.map((word) => (word << windowBytes) | (word >>> (32 - windowBytes)))
  return {
    roll: (text, take) => {
      let hash = 0
      for (let end = 0; end < text.length; end++) {
        hash = ((hash << 1) | (hash >>> 31)) ^ table[text[end]!]!
        if (end >= windowBytes) hash ^= leaving[text[end - windowBytes]!]!
        if (end >= windowBytes - 1) take(hash & filterMask, end - windowBytes + 1)
      }
    },
  }
}

const armour = /^-----/
const unique = /[A-Za-z0-9+/=_-]{32,}/

/** A value of several lines is known by its first line that is as good as unique. */
const knownPart = (value: Buffer): Buffer => {
  const lines = value.toString('latin1').trim().split(/\r?\n/)
  const telling =
    lines.length < 2 ? undefined : lines.find((l) => !armour.test(l) && unique.test(l))
  return Buffer.from((telling ?? lines.join('\n')).trim(), 'latin1')
}

/** undefined for a value that is too short to be looked for. */
export const fingerprintOf = (
  scanKey: Buffer,
  rolling: RollingHash,
  value: Buffer,
  made: boolean,
): Fingerprint | undefined => {
  const part = knownPart(value)
  if (part.length < minPatternBytes) return undefined
  const mac = macOf(scanKey, part)
  if (part.length < windowBytes || !isStrong(part, made))
    return { strength: 'weak', length: part.length, mac }
  let filter = 0
  rolling.roll(part.subarray(0, windowBytes), (hash) => {
    filter = hash
  })
  return { strength: 'strong', filter, length: part.length, mac }
}
