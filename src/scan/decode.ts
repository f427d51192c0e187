// The plain texts within a text: what base64, hexadecimal, percent-encoding and the escapes of JSON, HTML, shells and
// Compose stand for. A scanner looks in these too, so that one fingerprint finds every form of its value.

export interface PlainText {
  readonly bytes: Buffer
  /** The line of the outer text, from 1, at which an offset of `bytes` lies. Cheap for near offsets. */
  readonly lineAt: (offset: number) => number
  /** False for what is no text: only long values are looked for in it. */
  readonly isText: boolean
}

const newline = 10

const isText = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! < 9) return false
  return true
}

export const wholeText = (bytes: Buffer): PlainText => {
  let [at, line] = [0, 1]
  return {
    bytes,
    isText: isText(bytes),
    lineAt: (offset) => {
      for (; at < offset; at++) if (bytes[at] === newline) line++
      for (; at > offset; at--) if (bytes[at - 1] === newline) line--
      return line
    },
  }
}

/** Pieces below each other, each with the line that it is from; undefined for none. */
class Joined {
  readonly #pieces: Buffer[] = []
  readonly #from: number[] = []
  readonly #lines: number[] = []
  #length = 0

  add(piece: Buffer, line: number): void {
    this.#pieces.push(piece, Buffer.of(newline))
    this.#from.push(this.#length)
    this.#lines.push(line)
    this.#length += piece.length + 1
  }

  end(asText: boolean): PlainText | undefined {
    if (this.#length === 0) return undefined
    let i = 0
    return {
      bytes: Buffer.concat(this.#pieces, this.#length),
      isText: asText,
      lineAt: (offset) => {
        while (i > 0 && offset < this.#from[i]!) i--
        while (i + 1 < this.#from.length && this.#from[i + 1]! <= offset) i++
        return this.#lines[i]!
      },
    }
  }
}

const base64Runs = /(?:[A-Za-z0-9+/_-]{60,}\r?\n[ \t]*)*[A-Za-z0-9+/_-]{11,}/g
const hexRuns = /(?:[0-9a-fA-F]{60,}\r?\n[ \t]*)*(?:[0-9a-fA-F]{2}){8,}/g

/** Signs before the run may be no part of it: each of the four ways to cut it into groups. */
const decodeBase64 = (run: string): Buffer[] => {
  const joined = run.includes('\n') ? run.replace(/\s+/g, '') : run
  return [0, 1, 2, 3].map((skip) => Buffer.from(skip === 0 ? joined : joined.slice(skip), 'base64'))
}

const isPrintable = (bytes: Buffer): boolean => {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! < 9 || bytes[i]! === 127) return false
  return true
}

/** Shorter ones hold no strong value. */
const leastBinary = 16

/** What runs of encoded text stand for: texts, and the rest. */
const decodeRuns = ({ bytes, lineAt }: PlainText): (PlainText | undefined)[] => {
  const [texts, rest] = [new Joined(), new Joined()]
  const text = bytes.toString('latin1')
  const take = (pattern: RegExp, decode: (run: string) => Buffer[]): void => {
    for (const match of text.matchAll(pattern))
      for (const decoded of decode(match[0]))
        if (isPrintable(decoded)) texts.add(decoded, lineAt(match.index))
        else if (decoded.length >= leastBinary) rest.add(decoded, lineAt(match.index))
  }
  take(base64Runs, decodeBase64)
  take(hexRuns, (run) => [Buffer.from(run.replace(/\s+/g, ''), 'hex')])
  return [texts.end(true), rest.end(false)]
}

type Unescape = readonly [has: RegExp, unescape: (line: string) => string]

const fromLatin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

const json: Unescape = [
  /\\/,
  (line) =>
    line.replace(/\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g, (_, hex: string | undefined, sign: string) =>
      hex !== undefined
        ? fromLatin1(String.fromCharCode(Number.parseInt(hex, 16)))
        : ({ n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }[sign] ?? sign),
    ),
]
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}
const unescapes: readonly Unescape[] = [
  json,
  [
    /%[0-9a-fA-F]{2}/,
    (line) =>
      line
        .replaceAll('+', ' ')
        .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        ),
  ],
  [
    /%[0-9a-fA-F]{2}/,
    (line) =>
      line.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
  ],
  [
    /&(?:#x?[0-9a-f]+|amp|lt|gt|quot|apos);/i,
    (line) =>
      line.replace(/&(?:#(x?)([0-9a-f]+)|(amp|lt|gt|quot|apos));/gi, (all, x, code, name) =>
        name === undefined
          ? fromLatin1(
              String.fromCodePoint(
                Math.min(0x10ffff, Number.parseInt(code as string, x ? 16 : 10) || 0),
              ),
            )
          : (entities[(name as string).toLowerCase()] ?? all),
      ),
  ],
  [/\$\$/, (line) => line.replaceAll('$$', '$')],
  [/'\\''|'"'"'/, (line) => line.replaceAll("'\\''", "'").replaceAll(`'"'"'`, "'")],
  [/''|""/, (line) => line.replaceAll("''", "'").replaceAll('""', '"')],
]

/** The lines that have such escapes, each unescaped, one below the other. */
const unescapedLines = (
  lines: readonly string[],
  { lineAt, isText: asText }: PlainText,
  [has, unescape]: Unescape,
): PlainText | undefined => {
  const joined = new Joined()
  let start = 0
  for (const line of lines) {
    if (has.test(line)) joined.add(Buffer.from(unescape(line), 'latin1'), lineAt(start))
    start += line.length + 1
  }
  return joined.end(asText)
}

/** How often a form may be in another one, as in the JSON of a JSON text in base64. */
const deepest = 4
const deepestEncoded = 2

const within = function* (outer: PlainText, depth: number): Generator<PlainText> {
  yield outer
  if (depth === deepest || !outer.isText) return
  if (depth < deepestEncoded)
    for (const plain of decodeRuns(outer)) if (plain !== undefined) yield* within(plain, depth + 1)
  const text = outer.bytes.toString('latin1')
  const forms = unescapes.filter(([has]) => has.test(text))
  if (forms.length === 0) return
  const lines = text.split('\n')
  for (const form of forms) {
    const plain = unescapedLines(lines, outer, form)
    if (plain !== undefined) yield* within(plain, Math.max(depth + 1, deepestEncoded))
  }
}

/** The text itself, and every plain text within. */
export const plainTexts = (text: Buffer): Generator<PlainText> => within(wholeText(text), 0)
