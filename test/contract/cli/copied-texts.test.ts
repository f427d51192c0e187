// Texts of "copy as": what a shell and a parser of YAML make of them, whatever names hold.
import { execFileSync } from 'node:child_process'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import {
  stdinValue,
  inputOf,
  placeholder,
  printing,
  words,
  yaml,
  type JsonValue,
} from '../../../dashboard/api/text.ts'

const hostile = [
  `it's`,
  `"quoted"`,
  '<script>alert(1)</script>',
  '$(touch /tmp/x) `id` $HOME',
  'two\nlines',
  '-n',
  '%s %d \\n',
  '',
  'é ü 日本',
]

const sh = (text: string, input = ''): string =>
  execFileSync('sh', ['-c', text], { input, encoding: 'utf8' })

describe('words of a command line', () => {
  it('stay what they are, whatever they hold', () => {
    for (const text of hostile) expect(sh(`printf '%s' ${words([text])}`)).toBe(text)
  })
})

describe('a text with new values', () => {
  it('holds one value of standard input, byte for byte', () => {
    const value = 'a "b" $c\n'
    const text = printing({ key: `it's`, value_base64: stdinValue('KEY'), after: '%s' })
    const shown = JSON.parse(sh(text, value)) as { value_base64: string }
    expect(shown).toEqual({
      key: `it's`,
      value_base64: Buffer.from(value).toString('base64'),
      after: '%s',
    })
  })

  it('reads several values from a line each, in order', () => {
    const body = { list: [{ a: stdinValue('A') }, { b: stdinValue('B') }] }
    expect(inputOf(body)).toBe('one line with the base64 of each value: A, B')
    expect(JSON.parse(sh(printing(body), 'QQ==\nQg==\n'))).toEqual({
      list: [{ a: 'QQ==' }, { b: 'Qg==' }],
    })
  })

  it('reads nothing where no value is new', () => {
    expect(inputOf({ a: 1 })).toBeUndefined()
    expect(JSON.parse(sh(printing({ a: hostile })))).toEqual({ a: hostile })
  })
})

describe('YAML', () => {
  it('is read back as it was, by a parser of YAML 1.1, with a placeholder for a new value', () => {
    const object: JsonValue = {
      kind: 'Stagelet',
      metadata: { name: 'no', 'a: b': 'x' },
      spec: {
        list: ['on', '0600', ...hostile],
        nested: [{ a: 1, b: [true, null] }, { c: {} }],
        empty: [],
        left: undefined,
      },
    }
    expect(parse(yaml(object), { version: '1.1' })).toEqual(JSON.parse(JSON.stringify(object)))
    expect(parse(yaml({ value: stdinValue('KEY') }))).toEqual({ value: placeholder('KEY') })
  })
})
