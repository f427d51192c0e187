import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mariadbName, mariadbText, redisArgument, sqlName, sqlText } from './quote.ts'

/** What SQL reads of a quoted thing: undefined where it does not end at its end. */
const read = (quoted: string, mark: string): string | undefined => {
  if (!quoted.startsWith(mark) || !quoted.endsWith(mark) || quoted.length < 2) return undefined
  const inner = quoted.slice(1, -1)
  return inner.replaceAll(mark + mark, '').includes(mark)
    ? undefined
    : inner.replaceAll(mark + mark, mark)
}
const text = fc.string({
  unit: fc.constantFrom('a', '"', "'", '`', '\\', '\n', ';', '-', 'é', '$'),
})

describe('a name or text in a statement', () => {
  it('is read as it was, whatever is in it', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(read(sqlName(given), '"')).toBe(given)
        expect(read(mariadbName(given), '`')).toBe(given)
        const literal = sqlText(given)
        if (given.includes('\\')) expect(literal.startsWith(" E'")).toBe(true)
        const plain = read(literal.replace(/^ E/, ''), "'")
        expect(given.includes('\\') ? plain?.replaceAll('\\\\', '\\') : plain).toBe(given)
        const hex = /^X'([0-9a-f]*)'$/.exec(mariadbText(given))?.[1] ?? ''
        expect(Buffer.from(hex, 'hex').toString()).toBe(given)
      }),
    )
  })

  it('cannot end a line of redis-cli', () => {
    fc.assert(
      fc.property(text, (given) => {
        const argument = redisArgument(given)
        expect(argument).not.toContain('\n')
        expect(JSON.parse(argument)).toBe(given)
      }),
    )
  })

  it('holds no NUL, which would cut it', () => {
    for (const quote of [sqlName, sqlText, mariadbName, mariadbText, redisArgument])
      expect(() => quote('a\0b')).toThrow(/NUL/)
  })
})
