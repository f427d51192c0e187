import { createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { charsets, type GenerateSpec } from '../kinds/secret/value-source.ts'
import { generateValue, publicHalf } from './generate.ts'

const text = async (spec: GenerateSpec): Promise<string> => (await generateValue(spec)).toString()

describe('generateValue', () => {
  it.each(charsets)('draws every character of %s, and no other', async (charset) => {
    const drawn = new Set(await text({ length: 4096, charset }))
    const sizes = { alphanumeric: 62, hex: 16, base64url: 64, digits: 10, printable: 89 }
    expect(drawn.size).toBe(sizes[charset])
    expect([...drawn].filter((c) => /[\s"'$\\`]/.test(c))).toEqual([])
  })

  it('makes 32 letters and digits where nothing is said, never the same twice', async () => {
    expect(await text({})).toMatch(/^[A-Za-z0-9]{32}$/)
    expect(await text({})).not.toBe(await text({}))
  })

  it('makes an RSA key whose public half is told', async () => {
    const pem = await generateValue({ keypair: 'rsa' })
    expect(createPrivateKey(pem).asymmetricKeyDetails?.modulusLength).toBe(3072)
    const half = createPublicKey(publicHalf(pem) ?? '')
    expect(half.equals(createPublicKey(pem))).toBe(true)
    expect(publicHalf(Buffer.from('none'))).toBeUndefined()
  })
})
