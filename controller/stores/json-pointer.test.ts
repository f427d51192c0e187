import { describe, expect, it } from 'vitest'
import { cutProperty } from './json-pointer.ts'

const cut = (text: string | Buffer, pointer?: string): string => {
  const found = cutProperty(Buffer.from(text), pointer)
  return 'fault' in found ? `${found.fault}: ${found.why}` : found.value.toString()
}

describe('a property of a secret', () => {
  it('is a member that a JSON pointer names', () => {
    const text = JSON.stringify({ a: { 'b/c': ['x', 'y'], '~': true }, n: 5432, '': 'empty name' })
    expect(cut(text)).toBe(text)
    expect(cut(text, '/a/b~1c/1')).toBe('y')
    expect(cut(text, '/a/~0')).toBe('true')
    expect(cut(text, '/n')).toBe('5432')
    expect(cut(text, '/')).toBe('empty name')
  })

  it.each(['/b', '/a/b', '/list/2', '/list/01', '/list/-', '/toString', '/__proto__', '/nothing'])(
    'is missing at %s',
    (pointer) => {
      const text = JSON.stringify({ a: 'x', list: ['x', 'y'], nothing: null })
      expect(cut(text, pointer)).toMatch(/^PropertyMissing: the secret has no member/)
    },
  )

  it('is refused where it cannot be told exactly, without a word of the value', () => {
    expect(cut('{"a": 12345678901234567890}', '/a')).toMatch(/^Refused: .*cannot be told exactly/)
    expect(cut('{"a": 1.10}', '/a')).toMatch(/^Refused: .*cannot be told exactly/)
    expect(cut('{"a": {"b": 1}}', '/a')).toMatch(/^Refused: .*holds others/)
    expect(cut('canary {', '/a')).toBe('Refused: the secret is not JSON, so it has no /a')
    expect(cut(Buffer.from([0x22, 0xff, 0x22]), '/a')).toMatch(/^Refused: the secret is not JSON/)
  })
})
