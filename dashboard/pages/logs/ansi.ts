// The text of a log line for the page: colours of a terminal become names of classes, and characters that nobody
// sees become symbols, so that no line can hide text or turn its direction. Pure.
import { symbolOf, invisible } from '../../ui/text/visible-text.ts'

export interface Segment {
  readonly text: string
  /** Names of classes, such as `red bold`; empty: plain. */
  readonly style: string
  /** It stands for a character that has no form of its own. */
  readonly symbol: boolean
}

const escape = String.fromCharCode(27)
// Sequences of a terminal that set a colour, and characters without a form but the tabulator.
const special = new RegExp(String.raw`${escape}\[([\d;:]*)m|((?!\t)${invisible})`, 'gu')

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

interface Look {
  colour: string
  readonly marks: Set<string>
}

const marksOf: Readonly<Record<number, string>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
}

/** A colour by number or by its parts: of 256, the first sixteen are known. Returns how many numbers it took. */
const takeExtended = (style: Look, codes: readonly number[], at: number): number => {
  if (codes[at + 1] === 2) return 4
  const index = codes[at + 2] ?? -1
  if (codes[at] === 38) style.colour = index < 16 ? (colours[index % 8] ?? '') : ''
  return 2
}

const apply = (style: Look, parameters: string): void => {
  const codes = parameters.split(/[;:]/).map(Number)
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    if (code === 0) {
      style.colour = ''
      style.marks.clear()
    } else if (code in marksOf) style.marks.add(marksOf[code] ?? '')
    else if (code === 22) {
      style.marks.delete('bold')
      style.marks.delete('dim')
    } else if (code === 23) style.marks.delete('italic')
    else if (code === 24) style.marks.delete('underline')
    else if (code === 39) style.colour = ''
    else if (code === 38 || code === 48) at += takeExtended(style, codes, at)
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97))
      style.colour = colours[code % 10] ?? ''
  }
}

export const segmentsOf = (line: string): readonly Segment[] => {
  // A terminal ends its lines with CR LF.
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  const segments: Segment[] = []
  const style: Look = { colour: '', marks: new Set() }
  const add = (part: string, symbol = false): void => {
    if (part === '') return
    segments.push({ text: part, style: [style.colour, ...style.marks].join(' ').trim(), symbol })
  }
  let from = 0
  for (const match of text.matchAll(special)) {
    add(text.slice(from, match.index))
    from = match.index + match[0].length
    if (match[2] === undefined) apply(style, match[1] ?? '')
    else add(symbolOf(match[2]), true)
  }
  add(text.slice(from))
  return segments
}

/** The line without colours, for the filter and for screen readers. */
export const plainOf = (line: string): string =>
  segmentsOf(line)
    .map(({ text }) => text)
    .join('')
