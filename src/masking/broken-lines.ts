// Programs break long base64 into lines: `base64` after 76 characters, PEM after 64. A break can lie
// anywhere in a secret, so no pattern can hold it. Instead, lines of base64 are joined and searched once more.
import type { Search, Ranges } from './search.ts'

/** Shorter lines are not joined with the next: programs break at 60 or more, and most lines of logs end in less. */
export const leastLine = 32
/** A break may be followed by so much indentation, as in YAML. */
const maxIndent = 32
/** JSON in JSON in JSON writes a newline as `\\\\n`. */
const maxBackslashes = 4

const [tab, newline, carriageReturn, space] = [9, 10, 13, 32]
const [backslash, letterN, letterR] = [92, 110, 114]

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'
const isLetter = new Uint8Array(256)
for (const letter of Buffer.from(letters)) isLetter[letter] = 1

/** Lines of base64 with a break after each but the last. */
interface Block {
  /** Half-open ranges of the text: start0, end0, start1, … */
  readonly lines: number[]
  /** May go on after the end of the text. */
  readonly isOpen: boolean
}

/** What of the end of a text may be the beginning of a secret. */
export interface HeldTail {
  readonly from: number
  /** A break may follow it. */
  readonly to: number
  /** Bytes of it, without the breaks between lines. */
  readonly bytes: number
}

/** `before`: see lettersBefore(). `ranges`: union of all occurrences in joined lines. */
export type LineSearch = (
  text: Buffer,
  before: number,
) => { readonly ranges: Ranges; readonly held: HeldTail | undefined }

export const createLineSearch =
  (search: Search): LineSearch =>
  (text, before) => {
    const ranges: number[] = []
    let held: HeldTail | undefined
    for (const { lines, isOpen } of findBlocks(text, before)) {
      const joined = join(text, lines)
      if (lines.length > 2) ranges.push(...findIn(search, joined, lines))
      // Only the last block reaches the end of the text.
      const bytes = isOpen ? search.heldSuffix(joined) : 0
      if (bytes > 0)
        held = { from: placeOf(lines, joined.length - bytes), to: lines.at(-1)!, bytes }
    }
    return { ranges, held }
  }

const findIn = (search: Search, joined: Buffer, lines: readonly number[]): number[] =>
  search
    .find(joined)
    .map((at, i) => (i % 2 === 0 ? placeOf(lines, at) : placeOf(lines, at - 1) + 1))

/**
 * How many characters of base64 end right before `at`, as far as that matters; `before`: so many ended
 * right before the text.
 */
export const lettersBefore = (text: Buffer, at: number, before: number): number => {
  let from = at
  while (from > 0 && at - from < leastLine && isLetter[text[from - 1]!] === 1) from--
  return Math.min(leastLine, from === 0 ? at + before : at - from)
}

const join = (text: Buffer, lines: readonly number[]): Buffer => {
  const parts: Buffer[] = []
  for (let i = 0; i < lines.length; i += 2) parts.push(text.subarray(lines[i], lines[i + 1]))
  return Buffer.concat(parts)
}

/** Where in the text the joined byte `at` lies. */
const placeOf = (lines: readonly number[], at: number): number => {
  let left = at
  let i = 0
  for (; lines[i]! + left >= lines[i + 1]!; i += 2) left -= lines[i + 1]! - lines[i]!
  return lines[i]! + left
}

const findBlocks = (text: Buffer, before: number): Block[] => {
  const blocks: Block[] = []
  let start = 0
  let least = Math.max(1, leastLine - before)
  while (start + least <= text.length) {
    // From the end of the shortest line that would do: where another character is, no line is around it.
    let at = start + least - 1
    while (at >= start && isLetter[text[at]!] === 1) at--
    if (at >= start) start = at + 1
    else {
      const block = followLines(text, start, start + least)
      if (block.isOpen || block.lines.length > 2) blocks.push(block)
      start = block.lines.at(-1)!
    }
    least = leastLine
  }
  return blocks
}

const endOfLine = (text: Buffer, from: number): number => {
  let end = from
  while (end < text.length && isLetter[text[end]!] === 1) end++
  return end
}

/** The first line begins at `start` and is known to reach `known`. */
const followLines = (text: Buffer, start: number, known: number): Block => {
  let end = endOfLine(text, known)
  const lines = [start, end]
  for (;;) {
    const next = endOfBreak(text, end)
    if (next === undefined) return { lines, isOpen: false }
    if (next === text.length) return { lines, isOpen: true }
    end = endOfLine(text, next)
    if (end > next) lines.push(next, end)
    if (end === text.length) return { lines, isOpen: true }
    if (lettersBefore(text, end, 0) < leastLine) return { lines, isOpen: false }
  }
}

/** Where the break at `at` ends: at the end of the text also one that is not whole; undefined: there is none. */
const endOfBreak = (text: Buffer, at: number): number | undefined => {
  const { length } = text
  const isEscaped = text[at] === backslash
  const plain = text[at] === carriageReturn ? at + 1 : at
  let end = isEscaped ? endOfEscape(text, at) : plain
  if (end === undefined || end >= length) return end === undefined ? undefined : length
  if (!isEscaped) {
    if (text[end] !== newline) return undefined
    end++
  }
  const indented = end
  while (end < length && (text[end] === space || text[end] === tab)) end++
  return end - indented > maxIndent ? undefined : end
}

/** The end of `\n` or `\r\n`, with the backslashes of one level or more. */
const endOfEscape = (text: Buffer, at: number): number | undefined => {
  const letter = endOfBackslashes(text, at)
  if (letter === undefined || letter === text.length) return letter
  if (text[letter] === letterN) return letter + 1
  if (text[letter] !== letterR || letter + 1 === text.length)
    return text[letter] === letterR ? letter + 1 : undefined
  if (text[letter + 1] !== backslash) return undefined
  const second = endOfBackslashes(text, letter + 1)
  if (second === undefined || second === text.length) return second
  return text[second] === letterN ? second + 1 : undefined
}

const endOfBackslashes = (text: Buffer, at: number): number | undefined => {
  let end = at
  while (text[end] === backslash) end++
  return end - at > maxBackslashes ? undefined : end
}
