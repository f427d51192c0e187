// Programs break long base64 into lines: `base64` after 76 characters, PEM after 64. A break may lie
// anywhere in a secret, so that no pattern can contain it. So lines of base64 are joined, and the
// joined text is searched too.
import { append } from '../kernel/append.ts'
import type { Search, Ranges, TakeOccurrence } from './search.ts'

/**
 * Shorter lines are not joined with the next line: programs break after 60 characters or more, and most
 * lines of logs end in less.
 */
const minLine = 32
/** Maximum indentation after a break, as in YAML. */
const maxIndent = 32
/** JSON nested three times writes a newline as `\\\\n`. */
const maxBackslashes = 4

const [tab, newline, carriageReturn, space] = [9, 10, 13, 32]
const [backslash, letterN, letterR] = [92, 110, 114]

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'
const isLetter = new Uint8Array(256)
for (const letter of Buffer.from(letters)) isLetter[letter] = 1

/** Lines of base64; all but the last end with a break. */
interface Block {
  /** Half-open ranges of the text: start0, end0, start1, … */
  readonly lines: number[]
  /** The block may continue after the end of the text. */
  readonly isOpen: boolean
}

/** The end of a text that may be the beginning of a secret. */
export interface HeldTail {
  readonly from: number
  /** End of the tail, without a break that may follow. */
  readonly to: number
  /** Number of bytes, without the breaks between lines. */
  readonly bytes: number
}

/**
 * `before`: see lettersBefore(). `ranges`: the union of all occurrences in joined lines. `take` gets
 * each of them, too.
 */
export type LineSearch = (
  text: Buffer,
  before: number,
  take?: TakeOccurrence,
) => { readonly ranges: Ranges; readonly held: HeldTail | undefined }

export const createLineSearch =
  (search: Search): LineSearch =>
  (text, before, take) => {
    const ranges: number[] = []
    let held: HeldTail | undefined
    for (const { lines, isOpen } of findBlocks(text, before)) {
      const joined = join(text, lines)
      if (lines.length > 2) {
        append(ranges, findIn(search, joined, lines))
        if (take !== undefined)
          search.occurrences(joined, (start, end, pattern) =>
            take(placeOf(lines, start), placeOf(lines, end - 1) + 1, pattern),
          )
      }
      // Only the last block may continue in the next text.
      const bytes = isOpen ? search.heldSuffix(joined) : 0
      if (bytes > 0)
        held = { from: placeOf(lines, joined.length - bytes), to: lines.at(-1)!, bytes }
    }
    return { ranges, held }
  }

const findIn = (search: Search, joined: Buffer, lines: readonly number[]): number[] =>
  search
    .find(joined)
    .map((offset, i) => (i % 2 === 0 ? placeOf(lines, offset) : placeOf(lines, offset - 1) + 1))

/**
 * How many characters of base64 end right before `offset`, up to the number that matters. `before`: how
 * many of them ended right before the text.
 */
export const lettersBefore = (text: Buffer, offset: number, before: number): number => {
  let from = offset
  while (from > 0 && offset - from < minLine && isLetter[text[from - 1]!] === 1) from--
  return Math.min(minLine, from === 0 ? offset + before : offset - from)
}

const join = (text: Buffer, lines: readonly number[]): Buffer => {
  const parts: Buffer[] = []
  for (let i = 0; i < lines.length; i += 2) parts.push(text.subarray(lines[i], lines[i + 1]))
  return Buffer.concat(parts)
}

/** Position in the text of byte `offset` of the joined lines. */
const placeOf = (lines: readonly number[], offset: number): number => {
  let left = offset
  let i = 0
  for (; lines[i]! + left >= lines[i + 1]!; i += 2) left -= lines[i + 1]! - lines[i]!
  return lines[i]! + left
}

const findBlocks = (text: Buffer, before: number): Block[] => {
  const blocks: Block[] = []
  let start = 0
  let least = Math.max(1, minLine - before)
  while (start + least <= text.length) {
    // Jump to the end of the shortest possible line: another character there rules out every line
    // around it.
    let offset = start + least - 1
    while (offset >= start && isLetter[text[offset]!] === 1) offset--
    if (offset >= start) start = offset + 1
    else {
      const block = followLines(text, start, start + least)
      if (block.isOpen || block.lines.length > 2) blocks.push(block)
      start = block.lines.at(-1)!
    }
    least = minLine
  }
  return blocks
}

const endOfLine = (text: Buffer, from: number): number => {
  let end = from
  while (end < text.length && isLetter[text[end]!] === 1) end++
  return end
}

/** Follows lines from `start`. The first line is known to be base64 up to `searchedTo`. */
const followLines = (text: Buffer, start: number, searchedTo: number): Block => {
  let end = endOfLine(text, searchedTo)
  const lines = [start, end]
  for (;;) {
    const next = endOfBreak(text, end)
    if (next === undefined) return { lines, isOpen: false }
    if (next === text.length) return { lines, isOpen: true }
    end = endOfLine(text, next)
    if (end > next) lines.push(next, end)
    if (end === text.length) return { lines, isOpen: true }
    if (lettersBefore(text, end, 0) < minLine) return { lines, isOpen: false }
  }
}

/** End of the break at `offset`; undefined: no break. At the end of the text an incomplete break counts. */
const endOfBreak = (text: Buffer, offset: number): number | undefined => {
  const { length } = text
  const isEscaped = text[offset] === backslash
  const plain = text[offset] === carriageReturn ? offset + 1 : offset
  let end = isEscaped ? endOfEscape(text, offset) : plain
  if (end === undefined || end >= length) return end === undefined ? undefined : length
  if (!isEscaped) {
    if (text[end] !== newline) return undefined
    end++
  }
  const indented = end
  while (end < length && (text[end] === space || text[end] === tab)) end++
  return end - indented > maxIndent ? undefined : end
}

/** End of an escaped `\n` or `\r\n`, with the backslashes of one or more levels of JSON. */
const endOfEscape = (text: Buffer, offset: number): number | undefined => {
  const letter = endOfBackslashes(text, offset)
  if (letter === undefined || letter === text.length) return letter
  if (text[letter] === letterN) return letter + 1
  if (text[letter] !== letterR || letter + 1 === text.length)
    return text[letter] === letterR ? letter + 1 : undefined
  if (text[letter + 1] !== backslash) return undefined
  const second = endOfBackslashes(text, letter + 1)
  if (second === undefined || second === text.length) return second
  return text[second] === letterN ? second + 1 : undefined
}

const endOfBackslashes = (text: Buffer, offset: number): number | undefined => {
  let end = offset
  while (text[end] === backslash) end++
  return end - offset > maxBackslashes ? undefined : end
}
