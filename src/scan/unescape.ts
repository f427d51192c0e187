// Escapes of JSON, URLs, HTML, shells, Compose and YAML. Only lines that have some are undone.
import { Pieces, type PlainText } from './plain-text.ts'

interface Form {
  /** Every line with such escapes has one of these. */
  readonly marks: readonly string[]
  readonly undo: (line: string) => string
}

const fromLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const signOf = (code: string, base: number): string =>
  String.fromCodePoint(Math.min(0x10ffff, Number.parseInt(code, base) || 0))

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}
const percent = (line: string): string =>
  line.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
const form = (marks: readonly string[], undo: Form['undo']): Form => ({ marks, undo })

const forms: readonly Form[] = [
  form(['\\'], (line) =>
    line.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, hex: string | undefined, sign: string) =>
      hex === undefined
        ? (escapes[sign] ?? sign)
        : fromLatin1(String.fromCharCode(Number.parseInt(hex, 16))),
    ),
  ),
  form(['%'], percent),
  form(['%'], (line) => (line.includes('+') ? percent(line.replaceAll('+', ' ')) : line)),
  form(['&'], (line) =>
    line.replace(
      /&(?:#(x?)([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi,
      (all, x: string, code: string, name: string | undefined) =>
        name === undefined
          ? fromLatin1(signOf(code, x === '' ? 10 : 16))
          : (entities[name.toLowerCase()] ?? all),
    ),
  ),
  form(['$$'], (line) => line.replaceAll('$$', '$')),
  form(["'\\''", `'"'"'`], (line) => line.replaceAll("'\\''", "'").replaceAll(`'"'"'`, "'")),
  form(["''", '""'], (line) => line.replaceAll("''", "'").replaceAll('""', '"')),
]

const newline = 10
const marks = [...new Set(forms.flatMap((each) => each.marks))].map((mark) => Buffer.from(mark))

/** Where one of the marks is next; -1 for nowhere. Each is looked for once for each place. */
const createNext = (bytes: Buffer): ((from: number) => number) => {
  const places = marks.map((mark) => bytes.indexOf(mark))
  return (from) => {
    let first = -1
    for (let i = 0; i < marks.length; i++) {
      if (places[i]! >= 0 && places[i]! < from) places[i] = bytes.indexOf(marks[i]!, from)
      const place = places[i]!
      if (place >= 0 && (first < 0 || place < first)) first = place
    }
    return first
  }
}

/** How often a form may be in another one, as in the JSON of a JSON text. */
const deepest = 3
/** A line of many forms has many texts. */
const mostTexts = 32

/** What a line stands for: each form undone, and each form within that. Without the line itself. */
const textsOf = (line: string): Set<string> => {
  const all = new Set<string>()
  let last = [line]
  for (let depth = 0; depth < deepest; depth++) {
    const next: string[] = []
    for (const text of last)
      for (const each of forms) {
        if (!each.marks.some((mark) => text.includes(mark))) continue
        const undone = each.undo(text)
        if (undone === line || all.has(undone) || all.size === mostTexts) continue
        all.add(undone)
        next.push(undone)
      }
    last = next
  }
  return all
}

/** What the lines with escapes stand for, one below the other; undefined for none. */
export const unescaped = (plain: PlainText): PlainText | undefined => {
  const { bytes } = plain
  const pieces = new Pieces(plain)
  const next = createNext(bytes)
  for (let at = next(0); at >= 0;) {
    const start = bytes.lastIndexOf(newline, at) + 1
    const found = bytes.indexOf(newline, at)
    const end = found < 0 ? bytes.length : found
    for (const text of textsOf(bytes.toString('latin1', start, end)))
      pieces.add(Buffer.from(text, 'latin1'), start)
    at = end >= bytes.length ? -1 : next(end)
  }
  return pieces.end()
}
