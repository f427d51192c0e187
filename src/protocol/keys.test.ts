import { expect, test } from 'vitest'
import { keyFingerprint } from '../kernel/key-fingerprint.ts'
import { checkPublicKeys, generateKeys } from './keys.ts'

const text = (key: Buffer): string => key.toString('base64url')
const good = {
  ed25519: text(generateKeys('Ed25519').publicKey),
  x25519: text(generateKeys('X25519').publicKey),
}
const fromHex = (hex: string): string => text(Buffer.from(hex, 'hex'))

/** Of order 1, 2, 4 and 8, and the same numbers modulo p. */
const lowOrderX25519 = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]
const lowOrderEd25519 = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(31)}`,
]

test('keys with which anybody could read or sign, or of another length, are refused', () => {
  expect(() => {
    checkPublicKeys(good)
  }).not.toThrow()
  for (const hex of lowOrderX25519)
    expect(() => {
      checkPublicKeys({ ...good, x25519: fromHex(hex) })
    }, hex).toThrow(/X25519 key is weak/)
  for (const hex of lowOrderEd25519)
    expect(() => {
      checkPublicKeys({ ...good, ed25519: fromHex(hex) })
    }, hex).toThrow(/Ed25519 key is weak/)
  expect(() => {
    checkPublicKeys({ ...good, x25519: 'short' })
  }).toThrow(/32 bytes/)
})

test('a fingerprint names both keys', () => {
  expect(keyFingerprint(good)).toMatch(/^[0-9a-f]{16}$/)
  const swapped = { ed25519: good.x25519, x25519: good.ed25519 }
  expect(keyFingerprint(swapped)).not.toBe(keyFingerprint(good))
})
