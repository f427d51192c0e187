import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { formatFault, maxPatternInput, patternFault } from './value-format.ts'
import type { Format } from './value-source.ts'

const pem = generateKeyPairSync('ed25519')
  .privateKey.export({ format: 'pem', type: 'pkcs8' })
  .toString()
const fault = (format: Format, value: string, pattern?: string): string | undefined =>
  formatFault({ format, pattern }, Buffer.from(value))

describe('formatFault', () => {
  it.each<[Format, string[], string[]]>([
    ['json', ['{"a":1}', '"x"', 'null'], ['', '{a:1}', '{"a":1']],
    ['url', ['https://a.b/c?d', 'postgres://u:p@db:5432/x'], ['a.b/c', '/path', 'https://a b', '']],
    ['pem', [pem, `${pem}\n${pem}`], ['', pem.slice(0, 60), pem.replace('MC4C', 'MC4D')]],
    ['base64', ['YQ==', 'YWJj\n'], ['', 'YQ', 'a_b-', 'YQ==YQ==', 'YR==']],
    ['port', ['1', '65535'], ['0', '65536', '080', '-1', '1.5', '']],
    ['integer', ['0', '-12', '123456789012345678901'], ['', '01', '1e3', '1.0', ' 1']],
  ])('tells a good %s from a bad one', (format, good, bad) => {
    for (const value of good) expect(fault(format, value), value).toBeUndefined()
    for (const value of bad) expect(fault(format, value), value).toMatch(/^(is|holds|block)/)
  })

  it('matches the whole value against the pattern', () => {
    expect(fault('regex', 'sk_live_1', 'sk_(live|test)_\\d+')).toBeUndefined()
    expect(fault('regex', 'xsk_live_1', 'sk_(live|test)_\\d+')).toBe('does not match spec.pattern')
    expect(fault('regex', 'a\nb', 'a')).toBe('does not match spec.pattern')
    expect(fault('regex', 'a'.repeat(maxPatternInput + 1), 'a*')).toMatch(/longer than/)
  })

  it('gives up on a pattern that backtracks without end', () => {
    expect(fault('regex', `${'a'.repeat(60)}!`, '(a+)+')).toMatch(/more than \d+ ms/)
    expect(fault('regex', 'sk_live_1', 'sk_(live|test)_\\d+')).toBeUndefined()
  })

  it('takes no pattern that is none, or that breaks out of its group', () => {
    expect(patternFault('[a')).toMatch(/not a regular expression/)
    expect(patternFault('a)|(?:b')).toMatch(/not a regular expression/)
    expect(patternFault('[a-z]+')).toBeUndefined()
  })
})
