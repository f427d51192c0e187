// The words of a text that may be a value: between blanks and quotes, also between signs of assignments, also between
// parts of URLs; what follows `KEY=` or `key: ` on a line; and whole lines.

const codesOf = (signs: string): number[] => [...Buffer.from(signs)]
/** How many of the three kinds of words a byte ends. */
const ends = new Uint8Array(256)
for (const code of codesOf('@/?#')) ends[code] = 1
for (const code of codesOf('=:,;(){}<>[]|&')) ends[code] = 2
for (const code of codesOf(' \t\r\n"\'`')) ends[code] = 3

const newline = 10
const isBlank = (code: number | undefined): boolean => code === 32 || code === 9 || code === 13
const assigns = new Set(codesOf('=:'))
const quotes = new Set(codesOf('"\''))

/** `weak`: 1 at each length that is wanted. `lines`: how many end before the word. */
export const wordsIn = (
  text: Buffer,
  weak: Uint8Array,
  take: (start: number, end: number, lines: number) => void,
): void => {
  const note = (from: number, to: number): void => {
    if (weak[to - from] === 1) take(from, to, lines)
  }
  const trimmed = (from: number, to: number): void => {
    let [start, end] = [from, to]
    while (start < end && isBlank(text[start])) start++
    while (end > start && isBlank(text[end - 1])) end--
    note(start, end)
    const first = text[start]!
    if (end - start > 1 && quotes.has(first) && text[end - 1] === first) note(start + 1, end - 1)
  }
  const starts = [0, 0, 0]
  let lines = 0
  let lineStart = 0
  let assigned = -1
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? newline : text[at]!
    const level = ends[code]!
    if (level === 0) continue
    for (let kind = 0; kind < level; kind++) {
      note(starts[kind]!, at)
      starts[kind] = at + 1
    }
    if (assigned < 0 && assigns.has(code)) assigned = at + 1
    if (code !== newline) continue
    trimmed(lineStart, at)
    if (assigned >= 0) trimmed(assigned, at)
    lineStart = at + 1
    lines++
    assigned = -1
  }
}
