import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMasker, mark } from './masker.ts'
import { maskPatterns } from './patterns.ts'
import { runs } from '../../test/support/soak.ts'

const patternsOf = (value: string): string[] =>
  maskPatterns([Buffer.from(value)]).map((p) => p.toString())

describe('the patterns of a value', () => {
  it('are only the value, base64 and hexadecimal for a plain word', () => {
    expect(patternsOf('sk_test_abc123')).toHaveLength(6)
  })

  it('are none for a value under eight bytes', () => {
    expect(patternsOf('1234567')).toEqual([])
  })

  it('hide a value whose newline the program has cut off', () => {
    const masker = createMasker([Buffer.from('hunter2-x\n'), Buffer.from('short1\n\n')])
    expect(masker.mask('password=[hunter2-x] [short1]')).toBe(`password=[${mark}] [short1]`)
  })

  it('hold the escaped forms that programs print', () => {
    const patterns = patternsOf(`pass "word" it's $5 ü/x`)
    expect(patterns).toContain(`pass \\"word\\" it's $5 ü/x`)
    expect(patterns).toContain(`pass \\"word\\" it's $5 \\u00fc/x`)
    expect(patterns).toContain(`pass%20%22word%22%20it%27s%20%245%20%C3%BC%2Fx`)
    expect(patterns).toContain(`pass+%22word%22+it%27s+%245+%C3%BC%2Fx`)
    expect(patterns).toContain(`pass "word" it'\\''s $5 ü/x`)
    expect(patterns).toContain(`pass\\ \\"word\\"\\ it\\'s\\ \\$5\\ \\ü/x`)
    expect(patterns).toContain(`pass \\"word\\" it's \\$5 ü/x`)
    expect(patterns).toContain(`pass "word" it's $$5 ü/x`)
  })

  it('hold the escapes of JSON in JSON, of CSV and of HTML, where the value has such characters', () => {
    const value = `a"b\\c'<d>&e-f`
    const masker = createMasker([Buffer.from(value)])
    const json = (text: string): string => JSON.stringify(text).slice(1, -1)
    const html = `a&quot;b\\c&#39;&lt;d&gt;&amp;e-f`
    for (const shown of [
      json(json(value)),
      json(json(json(value))),
      value.replaceAll('"', '""'),
      json(value).replaceAll('"', '""'),
      html,
      html.replaceAll('&quot;', '&#34;'),
      html.replaceAll('&#39;', '&#x27;'),
      html.replaceAll('&#39;', '&#039;'),
      html.replaceAll('&#39;', '&apos;'),
      html.replaceAll('&#39;', "'"),
      html.replaceAll('&#39;', "'").replaceAll('&quot;', '"'),
    ])
      expect(masker.mask(`<${shown}>`)).toBe(`<${mark}>`)
    expect(patternsOf('https://user@host/path')).toEqual(
      expect.not.arrayContaining([expect.stringContaining('\\\\/')]),
    )
  })

  it('find a value inside base64 at any place', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 9, maxLength: 60 }),
        fc.uint8Array({ maxLength: 10 }),
        fc.uint8Array({ maxLength: 10 }),
        fc.constantFrom('base64' as const, 'base64url' as const),
        (value, before, after, encoding) => {
          const text = Buffer.concat([before, value, after]).toString(encoding)
          expect(createMasker([Buffer.from(value)]).mask(text)).toContain(mark)
        },
      ),
      runs(100, 20_000),
    )
  })

  it('hold the telling lines of a multi-line value, without PEM armour and JSON structure', () => {
    const pem =
      '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nshort\n-----END PRIVATE KEY-----\n'
    expect(patternsOf(pem)).toContain('MIIEvQIBADANBgkqhkiG9w0BAQEFAASC')
    expect(patternsOf(pem)).not.toContain('-----BEGIN PRIVATE KEY-----')
    expect(patternsOf(pem)).not.toContain('short')
    const json =
      '{\n  "service_account_settings": {\n    "client_secret": "GOCSPX-1234",\n    "x": 1\n  }\n}'
    expect(patternsOf(json)).toContain('"client_secret": "GOCSPX-1234"')
    expect(patternsOf(json)).not.toContain('"service_account_settings": {')
  })

  it('are cut to pieces that cover a long value', () => {
    const value = Buffer.from(
      Array.from({ length: 10_000 }, (_, i) => (i * 7919).toString(36)).join(''),
    )
    for (const pattern of maskPatterns([value])) expect(pattern.length).toBeLessThanOrEqual(4096)
    expect(createMasker([value]).mask(`a ${value.toString()} b`)).toBe(`a ${mark} b`)
    expect(createMasker([value]).mask(`a ${value.toString('base64')} b`)).not.toContain(
      value.toString('base64').slice(100, 200),
    )
  })
})
