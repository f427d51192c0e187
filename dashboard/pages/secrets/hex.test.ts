import { expect, it } from 'vitest'
import { bytesOfBase64, hexRows } from './hex.ts'

it('shows bytes as numbers with the letters among them, and says how many are left out', () => {
  expect(hexRows(bytesOfBase64('AP9B'))).toEqual([`0000  00 ff 41${' '.repeat(41)}..A`])
  expect(hexRows(new Uint8Array(1030)).at(-1)).toBe('… 6 more')
})
