import { describe, expect, it } from 'vitest'
import { plainOf, segmentsOf } from './ansi.ts'

const esc = String.fromCharCode(27)
const shown = (line: string): string[] =>
  segmentsOf(line).map(({ text, style, symbol }) => `${symbol ? '!' : ''}${style}|${text}`)

describe('segmentsOf', () => {
  it('turns the colours of a terminal into names, and forgets them at a reset', () => {
    expect(shown(`a ${esc}[1;31mred${esc}[0m plain ${esc}[96mcyan${esc}[39m.`)).toEqual([
      '|a ',
      'red bold|red',
      '| plain ',
      'cyan|cyan',
      '|.',
    ])
  })

  it('takes a colour of 256 and one by its parts as one, and nothing of them for a colour of their own', () => {
    expect(shown(`${esc}[38;5;9mred${esc}[38;2;31;32;33mother${esc}[48;5;1;4mlined`)).toEqual([
      'red|red',
      'red|other',
      'red underline|lined',
    ])
  })

  it('shows controls, marks of direction and invisible characters as symbols', () => {
    expect(shown(`a\u0000b\u0007${esc}]8;;x\u202Eevil\u200B\u2028`)).toEqual([
      '|a',
      '!|^@',
      '|b',
      '!|^G',
      '!|^[',
      '|]8;;x',
      '!|<U+202E>',
      '|evil',
      '!|<U+200B>',
      '!|<U+2028>',
    ])
  })

  it('leaves tabulators and letters of all scripts, and drops the CR of a terminal', () => {
    expect(plainOf('a\tß 日本 😀\r')).toBe('a\tß 日本 😀')
  })
})
