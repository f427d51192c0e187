import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { maskPatterns } from '../masking/patterns.ts'
import { generateValue } from '../secrets/generate.ts'
import { createWindowHash, fingerprintOf, macOf, type Fingerprint } from './fingerprints.ts'
import { createScanner, scanText, type FingerprintFile, type Scanner } from './scanner.ts'
import { isStrong } from './strength.ts'

const key = Buffer.alloc(32, 7)
const hashOf = createWindowHash(key)
/** A program of ours has drawn the strong one. */
const print = (value: string): Fingerprint =>
  fingerprintOf(key, hashOf, Buffer.from(value), value === strong)!

/** As the route makes it. */
const fileOf = (values: readonly string[]): FingerprintFile => {
  const all = values.map((value) => print(value))
  const weak = all.filter(({ strength }) => strength === 'weak').map(({ length }) => length)
  return {
    key: key.toString('base64url'),
    strong: all.flatMap((found) => (found.strength === 'strong' ? [found] : [])),
    weak_lengths: [...new Set(weak)].sort((a, b) => a - b),
  }
}
const scan = (values: readonly string[], text: string | Buffer, path = 'file'): Scanner => {
  const scanner = createScanner(fileOf(values))
  scanText([scanner], { path, bytes: Buffer.from(text) })
  return scanner
}
const isFound = (value: string, text: string | Buffer): boolean => {
  const scanner = scan([value], text)
  return scanner.hits.length > 0 || scanner.macsOfWords().has(print(value).mac)
}

const strong = 'q8$Vx/2+Kd "zP\'7&<mW9>:rT4=uY6'
const weak = 'hunter2-hunter2'

describe('a scanner', () => {
  it('finds a strong value in every form that the masker knows', () => {
    expect(print(strong).strength).toBe('strong')
    const missed = maskPatterns([Buffer.from(strong)]).filter(
      (form) =>
        !isFound(strong, Buffer.concat([Buffer.from('A: "'), form, Buffer.from('"\nB: 1')])),
    )
    // Pieces of base64 that no whole text has: those of one alignment are found in whole texts below.
    const texts = missed.map(String).filter((form) => !/^[A-Za-z0-9+/_-]+$/.test(form))
    expect(texts).toEqual([])
    for (const before of ['', 'x', 'xy', 'some text, '])
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        const text = Buffer.from(`${before}${strong}; and more`).toString(encoding)
        expect(isFound(strong, `TOKEN=${text}\n`)).toBe(true)
        expect(isFound(strong, text.replace(/.{76}/g, '$&\n'))).toBe(true)
      }
  })

  it('finds a value in an encoded text within another one', () => {
    const manifest = JSON.stringify({ data: JSON.stringify({ password: strong }) })
    expect(isFound(strong, Buffer.from(manifest).toString('base64'))).toBe(true)
    expect(isFound(strong, `postgres://app:${encodeURIComponent(strong)}@db/shop`)).toBe(true)
  })

  it('notes words that have the length of a weak value, and finds it among them', () => {
    expect(print(weak).strength).toBe('weak')
    for (const text of [
      `PASSWORD=${weak}`,
      `  password: '${weak}'`,
      `"password": "${weak}",`,
      `postgres://app:${weak}@db/shop`,
      `docker run -e PASSWORD=${weak} web`,
      Buffer.from(`the password is ${weak}`).toString('base64'),
    ])
      expect(isFound(weak, text), text).toBe(true)
    const spaced = 'a weak pass phrase'
    expect(isFound(spaced, `PHRASE=${spaced}\n`)).toBe(true)
    expect(isFound(spaced, `PHRASE="${spaced}"\n`)).toBe(true)
    expect(isFound(weak, `PASSWORD=${weak}x`)).toBe(false)
  })

  it('says the line, also within escaped text', () => {
    expect(scan([strong], `a\nb\nX=${strong}\n`).hits).toMatchObject([{ path: 'file', line: 3 }])
    const inJson = `{\n  "a": "${'b'.repeat(40)}",\n  "c": ${JSON.stringify(strong)}\n}\n`
    expect(scan([strong], inJson).hits).toMatchObject([{ line: 3 }])
  })

  it('knows a value of many lines by one that is as good as unique', async () => {
    const pem = (await generateValue({ keypair: 'ed25519' })).toString()
    expect(isFound(pem, `KEY=${pem.replaceAll('\n', '\\n')}`)).toBe(true)
    const indented = pem.replace(/^/gm, '    ')
    expect(isFound(pem, `key: |\n${indented}`)).toBe(true)
    const other = (await generateValue({ keypair: 'ed25519' })).toString()
    expect(isFound(pem, other)).toBe(false)
  })

  it('finds nothing in other text', () => {
    const values = Array.from({ length: 200 }, () => randomBytes(24).toString('base64'))
    const words = Array.from({ length: 20_000 }, () => randomBytes(12).toString('hex'))
    const scanner = scan([...values, weak], words.join(' = '))
    expect(scanner.hits).toEqual([])
    expect(scanner.macsOfWords().has(print(weak).mac)).toBe(false)
  })
})

describe('an attacker who has the file of a scanner', () => {
  const dictionary = Array.from({ length: 2_000 }, (_, i) => `winter-${2000 + i}`)

  it('cannot tell one weak value from another one of its length, with a dictionary that holds all', () => {
    const texts = new Set(dictionary.map((word) => JSON.stringify(fileOf([word, strong]))))
    expect(texts.size).toBe(1)
    const [text = ''] = texts
    // What he can compute of each word with the key that the file holds.
    for (const word of dictionary) expect(text).not.toContain(macOf(key, Buffer.from(word)))
  })

  const typed = (value: string): boolean => isStrong(Buffer.from(value), { generated: false })
  const random = (bytes: number, encoding: 'hex' | 'base64url'): string =>
    randomBytes(bytes).toString(encoding).replace(/[-_]/g, 'x')

  it.each([
    'correct-horse-battery-staple-correct',
    'Password-2026-12-01-Password-2026',
    'Acme-Prod-Db-Passw0rd-2026!-and-more-of-it',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    createHash('md5').update('letmein').digest('hex'),
    createHash('sha256').update('letmein').digest('hex'),
    createHash('sha256').update('letmein').digest('base64'),
    '{"username": "admin", "password": "admin", "host": "db.internal.example.com"}',
    'postgres://app:hunter2@db.internal.example.com:5432/shop?sslmode=require',
    'sk_live_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'ghp_the-password-of-our-production-database-2026',
  ])('gets no hash of what a person may have written: %s', (value) => {
    expect(typed(value)).toBe(false)
  })

  it('gets hashes of what a generator, or a service by the form of its tokens, has drawn', () => {
    for (const value of [
      `ghp_${random(27, 'base64url')}`,
      `sk_live_${random(24, 'base64url')}`,
      `dop_v1_${random(32, 'hex')}`,
      generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ])
      expect(typed(value), value).toBe(true)
    const drawn = (value: string): boolean => isStrong(Buffer.from(value), { generated: true })
    expect(drawn(random(16, 'hex'))).toBe(true)
    expect(drawn('0f'.repeat(8))).toBe(false)
  })

  it('has no fingerprint at all of values under eight bytes', () => {
    expect(fingerprintOf(key, hashOf, Buffer.from('1234567'), true)).toBeUndefined()
    expect(fingerprintOf(key, hashOf, Buffer.from('12345678'), false)?.strength).toBe('weak')
  })
})
