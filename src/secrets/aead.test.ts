import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { open, openLegacy, seal, valueAad, type ValueContext } from './aead.ts'
import { createLocalKeyProvider } from './providers/local.ts'

const key = { id: 'k1', bytes: Buffer.alloc(32, 7) }
const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((a) => Buffer.from(a))
const context: fc.Arbitrary<ValueContext> = fc.record({
  projectUid: fc.string(),
  secretId: fc.string(),
  key: fc.string(),
  scope: fc.string(),
  type: fc.constantFrom('env', 'file'),
  version: fc.nat(),
})

describe('seal and open', () => {
  it('give back any bytes under any context', () => {
    fc.assert(
      fc.property(bytes(500), context, (value, c) => {
        expect(open(key, seal(key, value, valueAad(c)), valueAad(c)).equals(value)).toBe(true)
      }),
    )
  })

  it('never seal the same way twice', () => {
    const aad = 'a'
    expect(seal(key, Buffer.from('x'), aad)).not.toBe(seal(key, Buffer.from('x'), aad))
  })

  it('fail for any flipped bit', () => {
    fc.assert(
      fc.property(bytes(100), fc.nat(), fc.integer({ min: 0, max: 7 }), (value, index, bit) => {
        const sealed = seal(key, value, 'aad')
        const body = Buffer.from(sealed.slice(6), 'base64')
        body[index % body.length]! ^= 1 << bit
        expect(() => open(key, `s1:k1:${body.toString('base64')}`, 'aad')).toThrow(/does not open/)
      }),
    )
  })

  it('fail for any changed character of the text', () => {
    const sealed = seal(key, Buffer.from('value'), 'aad')
    for (let i = 0; i < sealed.length; i++) {
      const other = sealed[i] === 'A' ? 'B' : 'A'
      const changed = sealed.slice(0, i) + other + sealed.slice(i + 1)
      expect(() => open(key, changed, 'aad')).toThrow(/does not open/)
    }
  })

  it('fail for any changed part of the context', () => {
    fc.assert(
      fc.property(context, context, bytes(50), (a, b, value) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b))
        const sealed = seal(key, value, valueAad(a))
        for (const field of Object.keys(a) as (keyof ValueContext)[]) {
          if (a[field] === b[field]) continue
          expect(() => open(key, sealed, valueAad({ ...a, [field]: b[field] }))).toThrow()
        }
      }),
    )
  })

  it('fail under another key, key id or format', () => {
    const sealed = seal(key, Buffer.from('value'), 'aad')
    const aad = 'aad'
    expect(() => open({ id: 'k1', bytes: Buffer.alloc(32, 8) }, sealed, aad)).toThrow()
    expect(() => open({ id: 'k2', bytes: key.bytes }, sealed, aad)).toThrow()
    expect(() => open({ id: 'k2', bytes: key.bytes }, sealed.replace('k1', 'k2'), aad)).toThrow()
    expect(() => open(key, sealed.replace('s1', 's2'), aad)).toThrow()
    expect(() => open(key, 's1:k1:', aad)).toThrow()
  })
})

describe('openLegacy', () => {
  const file = new URL('../../test/fixtures/go-aes-gcm.json', import.meta.url)
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as {
    key_base64: string
    plaintext_base64: string
    encrypted_value: string
  }[]

  it('opens what the Go program sealed', () => {
    expect(vectors.length).toBeGreaterThan(5)
    for (const vector of vectors) {
      const opened = openLegacy(vector.encrypted_value, Buffer.from(vector.key_base64, 'base64'))
      expect(opened.toString('base64')).toBe(vector.plaintext_base64)
    }
  })

  it('refuses another key and cut text', () => {
    const { encrypted_value: text } = vectors[1]!
    expect(() => openLegacy(text, Buffer.alloc(32))).toThrow(/does not open/)
    expect(() => openLegacy('AAAA', Buffer.alloc(32))).toThrow(/does not open/)
  })
})

describe('createLocalKeyProvider', () => {
  it('unwraps only what it wrapped, only for the same purpose', async () => {
    const provider = createLocalKeyProvider(Buffer.alloc(32, 1))
    const other = createLocalKeyProvider(Buffer.alloc(32, 2))
    const wrapped = await provider.wrap(Buffer.from('k'), 'this')
    expect((await provider.unwrap(wrapped, 'this')).toString()).toBe('k')
    await expect(provider.unwrap(wrapped, 'that')).rejects.toThrow(/does not open/)
    await expect(other.unwrap(wrapped, 'this')).rejects.toThrow(/does not open/)
    expect(provider.keyId).toMatch(/^[0-9a-f]{16}$/)
    expect(provider.keyId).not.toBe(other.keyId)
  })
})
