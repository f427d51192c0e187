// The .env format as Docker Compose reads it (compose-go's dotenv, tested with Compose 2.26.1 and
// 2.40.3): quotes, escapes, multi-line values, comments, and `${OTHER}` of earlier lines.
import { expand, ExpandError } from './expand.ts'

interface Line {
  readonly key: string
  readonly value: string
  /** Place in the file: `line 3`. */
  readonly where: string
}

/** `message` never repeats a byte of a value. */
export interface LineFault {
  readonly where: string
  readonly message: string
}

/** Parses the whole text. An unset variable is a fault; Compose would put an empty text. */
export const parseDotenv = (
  text: string,
): { readonly entries: readonly Line[]; readonly faults: readonly LineFault[] } => {
  const source = text.replace(/^\uFEFF/, '')
  const entries: Line[] = []
  const faults: LineFault[] = []
  const values = new Map<string, string>()
  for (const { key, taken, where } of assignments(source)) {
    const value = key === undefined ? undefined : valueOf(key, taken, values)
    if (key === undefined) faults.push({ where, message: 'is not KEY=VALUE' })
    else if (value instanceof ExpandError) faults.push({ where, message: value.message })
    else if (value !== undefined) {
      values.set(key, value)
      entries.push({ key, value, where })
    }
  }
  return { entries, faults }
}

interface Assignment {
  /** undefined for a comment or an empty line. */
  readonly key: string | undefined
  readonly taken: Taken
  readonly where: string
}

function* assignments(source: string): Generator<Assignment> {
  let line = 1
  for (let offset = 0; offset < source.length;) {
    const end = lineEnd(source, offset)
    const head = headOf(source.slice(offset, end))
    const taken = takeValue(
      source,
      offset + (head === undefined ? end - offset : head.valueAt),
      end,
    )
    if (head !== undefined) yield { key: head.key, taken, where: `line ${line}` }
    line += source.slice(offset, taken.end + 1).split('\n').length - 1
    offset = taken.end + 1
  }
}

const valueOf = (
  key: string,
  { raw, literal, quoted, isCut }: Taken,
  variables: ReadonlyMap<string, string>,
): string | ExpandError => {
  if (raw === undefined)
    return new ExpandError(`the quote around the value of ${key} is not closed`)
  if (isCut) return new ExpandError(`something follows the closing quote of the value of ${key}`)
  if (literal) return raw
  try {
    return expand(raw, quoted, variables)
  } catch (error) {
    if (error instanceof ExpandError) return new ExpandError(`the value of ${key} ${error.message}`)
    throw error
  }
}

const lineEnd = (source: string, from: number): number => {
  const end = source.indexOf('\n', from)
  return end < 0 ? source.length : end
}

interface Head {
  readonly key: string | undefined
  /** Position of the value in the line. */
  readonly valueAt: number
}

/** White space within a line, as in compose-go. */
const space = String.raw`[\t\v\f\r \x85\xA0]`
const headPattern = new RegExp(String.raw`^\s*(?:export\s+)?([^\s=:#'"$]+)${space}*[=:]${space}*`)
const restPattern = new RegExp(`^${space}*(?:#|$)`)

/** Parses `export KEY = `; Compose accepts `:` for `=`. undefined for a comment or an empty line. */
const headOf = (line: string): Head | undefined => {
  if (/^\s*(?:#|$)/.test(line)) return undefined
  const match = headPattern.exec(line)
  return { key: match?.[1], valueAt: match?.[0].length ?? line.length }
}

interface Taken {
  /** undefined when a quote is not closed. */
  readonly raw: string | undefined
  /** True: the text holds no variables and no escapes. */
  readonly literal: boolean
  readonly quoted: boolean
  /** True when text follows a closing quote; Compose would take it for the next line. */
  readonly isCut: boolean
  /** Index of the newline (or the end) after the value. */
  readonly end: number
}

const takeValue = (source: string, from: number, end: number): Taken => {
  const quote = source[from]
  if (quote === '"' || quote === "'") {
    const close = closingQuote(source, from + 1, quote)
    if (close === undefined)
      return { raw: undefined, literal: true, quoted: true, isCut: false, end }
    const inner = source.slice(from + 1, close)
    const literal = quote === "'"
    const raw = literal ? inner.replaceAll("\\'", "'") : inner
    const last = lineEnd(source, close)
    const isCut = !restPattern.test(source.slice(close + 1, last))
    return { raw, literal, quoted: true, isCut, end: last }
  }
  const rest = source.slice(from, end)
  // A comment begins at a "#" after a space, not after a tab. At the beginning of the value, "#" is
  // part of it.
  const comment = rest.indexOf(' #')
  const raw = (comment < 0 ? rest : rest.slice(0, comment)).trimEnd()
  return { raw, literal: false, quoted: false, isCut: false, end }
}

const closingQuote = (source: string, from: number, quote: string): number | undefined => {
  for (let i = from; i < source.length; i++) {
    if (source[i] === '\\') i++
    else if (source[i] === quote) return i
  }
  return undefined
}
