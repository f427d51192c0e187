import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isStorable, storableJson } from './storable.ts'

/** With what is odd more often than by chance, and backslashes that only look like it. */
const odd = fc
  .array(fc.constantFrom('\0', '\ud800', '\udfff', '😀', '\\', 'u0000', '\\ud800', '\u0001', 'a'))
  .map((parts) => parts.join(''))

describe('JSON for the database', () => {
  it('keeps all that can be stored, and has U+FFFD for the rest', () => {
    fc.assert(
      fc.property(odd, odd, (key, text) => {
        const back = JSON.parse(storableJson(JSON.stringify({ [key]: [text] }))) as object
        const kept = (was: string): string =>
          was.replaceAll('\0', '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd')
        expect(back).toEqual({ [kept(key)]: [kept(text)] })
        expect(isStorable(JSON.stringify(Object.entries(back)))).toBe(true)
        expect(kept(text) === text).toBe(isStorable(text))
      }),
    )
  })
})
