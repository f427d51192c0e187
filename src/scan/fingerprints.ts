// Fingerprints: what a scanner gets in place of values. Of a strong value: its length, 24 bits of a keyed rolling hash of
// its first bytes, and a MAC. Of a weak one: that values of its length exist. See ADR 0087.
import { createHmac, hkdfSync } from 'node:crypto'
import type { KeyBytes } from '../secrets/aead.ts'
import { minPatternBytes } from '../masking/min-pattern-bytes.ts'
import { isStrong } from './strength.ts'

/** Bytes that the rolling hash is of. No strong value is shorter. */
const windowBytes = 16
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

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

const enteringOf = (scanKey: Buffer): Int32Array => {
  const bytes = Buffer.from(hkdfSync('sha256', scanKey, '', 'stagely rolling hash v1', 1024))
  return Int32Array.from({ length: 256 }, (_, i) => bytes.readInt32LE(4 * i))
}

/** The hash of a window of 16 bytes, as a fingerprint tells it. */
type WindowHash = (window: Uint8Array) => number

export const createWindowHash = (scanKey: Buffer): WindowHash => {
  const entering = enteringOf(scanKey)
  return (window) => {
    let hash = 0
    for (let at = 0; at < windowBytes; at++) hash = rotated(hash, 1) ^ entering[window[at]!]!
    return hash & filterMask
  }
}

export interface Windows {
  /** Calls back for each window whose hash is wanted: the hash, and where the window begins. */
  find(text: Uint8Array, length: number, take: (hash: number, start: number) => void): void
}

/** Bits of the hash that are looked up first: so many bits are 8 KiB, which a processor has at hand. */
const firstMask = (1 << 16) - 1

export const createWindows = (scanKey: Buffer, wanted: readonly number[]): Windows => {
  const entering = enteringOf(scanKey)
  // What leaves was turned by one bit at each step since.
  const leaving = entering.map((word) => rotated(word, windowBytes))
  const first = new Int32Array((firstMask + 1) >>> 5)
  for (const hash of wanted) first[(hash & firstMask) >>> 5]! |= 1 << (hash & 31)
  const all = new Set(wanted)
  return {
    find: (text, length, take) => {
      if (length < windowBytes) return
      let hash = 0
      for (let at = 0; at < windowBytes; at++)
        hash = ((hash << 1) | (hash >>> 31)) ^ entering[text[at]!]!
      for (let start = 0; ; start++) {
        if (((first[(hash & firstMask) >>> 5]! >>> hash) & 1) === 1 && all.has(hash & filterMask))
          take(hash & filterMask, start)
        const end = start + windowBytes
        if (end === length) return
        hash = ((hash << 1) | (hash >>> 31)) ^ entering[text[end]!]! ^ leaving[text[start]!]!
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
  hashOf: WindowHash,
  value: Buffer,
  generated: boolean,
): Fingerprint | undefined => {
  const part = knownPart(value)
  if (part.length < minPatternBytes) return undefined
  const mac = macOf(scanKey, part)
  if (part.length < windowBytes || !isStrong(value, { generated }))
    return { strength: 'weak', length: part.length, mac }
  return { strength: 'strong', filter: hashOf(part), length: part.length, mac }
}
