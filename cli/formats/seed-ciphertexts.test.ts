import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openSeedCiphertext, parseSeedKey, parseSeedRows } from './seed-ciphertexts.ts'

interface Vector {
  readonly key_base64: string
  readonly plaintext_base64: string
  readonly encrypted_value: string
}

const vectors = JSON.parse(
  await readFile(new URL('../../test/fixtures/go-aes-gcm.json', import.meta.url), 'utf8'),
) as Vector[]

describe('ciphertexts of the first Stagely', () => {
  it('open with their key to the values that its Go code sealed', () => {
    for (const vector of vectors) {
      const key = parseSeedKey(Buffer.from(`${vector.key_base64}\n`))
      expect(openSeedCiphertext(vector.encrypted_value, key)?.toString('base64')).toBe(
        vector.plaintext_base64,
      )
    }
    expect(vectors.length).toBeGreaterThan(5)
  })

  it('become secrets with scope, type and file; a row that does not open is named', () => {
    const [, , first, second] = vectors as [Vector, Vector, Vector, Vector]
    const rows = [
      {
        id: 'x',
        key: 'A',
        encrypted_value: first.encrypted_value,
        scope: 'web',
        secret_type: 'file',
        file_path: './a.json',
        file_permissions: '0400',
      },
      { key: 'B', encrypted_value: second.encrypted_value, file_path: null },
      { key: 'C' },
    ]
    const { entries, faults } = parseSeedRows(
      JSON.stringify(rows),
      Buffer.from(first.key_base64, 'base64'),
    )
    expect(entries).toEqual([
      {
        key: 'A',
        value: Buffer.from(first.plaintext_base64, 'base64'),
        where: 'row 1',
        scope: 'web',
        fields: { type: 'file', file_path: './a.json', file_permissions: '0400' },
      },
    ])
    expect(faults.map(({ where }) => where)).toEqual(['row 2', 'row 3'])
    expect(() => parseSeedKey(Buffer.from('short'))).toThrow('32 bytes')
  })
})
