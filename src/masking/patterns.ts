// The byte strings that reveal a secret: the value itself and the forms in which programs print it.
// Values of less than 8 bytes are not masked: masking `8080` everywhere would hide more than it
// protects.

import { minPatternBytes } from './min-pattern-bytes.ts'

/**
 * Length of the longest pattern. A longer form is cut into pieces that together cover it. Limits what a
 * stream holds back.
 */
const maxPatternBytes = 4096
/** A line of a multi-line value is a pattern of its own from this length on. */
const minLineBytes = 16

/**
 * Every pattern for these values, without duplicates: the value; its base64 in all three alignments
 * (standard and URL alphabet); hexadecimal; percent-, JSON-, CSV-, HTML-, shell- and Compose-escaped
 * forms; its long lines, where `isTelling`.
 */
export const maskPatterns = (
  values: readonly Buffer[],
  isTelling: (line: string) => boolean = () => true,
): Buffer[] => {
  const found = new Map<string, Buffer>()
  for (const value of values) {
    if (value.length < minPatternBytes) continue
    for (const form of [...formsOf(value, isTelling), ...trimmedForms(value, isTelling)]) {
      if (form.length < minPatternBytes) continue
      for (const piece of piecesOf(form)) found.set(piece.toString('latin1'), piece)
    }
  }
  return [...found.values()]
}

/** Programs remove the newline that a file or `echo` puts at the end of a value. */
const trimmedForms = (value: Buffer, isTelling: (line: string) => boolean): Buffer[] => {
  const trimmed = Buffer.from(value.toString('latin1').trim(), 'latin1')
  return trimmed.length === value.length ? [] : formsOf(trimmed, isTelling)
}

const formsOf = (value: Buffer, isTelling: (line: string) => boolean): Buffer[] => [
  value,
  ...linesOf(value, isTelling),
  ...base64Forms(value),
  ...hexForms(value),
  ...percentForms(value),
  ...escapedForms(value),
]

/** `form` itself, or pieces that together cover all of it. */
const piecesOf = (form: Buffer): Buffer[] => {
  if (form.length <= maxPatternBytes) return [form]
  const pieces: Buffer[] = []
  for (let offset = 0; offset + maxPatternBytes < form.length; offset += maxPatternBytes) {
    pieces.push(form.subarray(offset, offset + maxPatternBytes))
  }
  return [...pieces, form.subarray(form.length - maxPatternBytes)]
}

/**
 * What base64 of any text with `value` in it contains: one string for each alignment, without the
 * characters at both ends that depend on neighbouring bytes.
 */
const base64Forms = (value: Buffer): Buffer[] => {
  const skipped = [0, 2, 3]
  return skipped.flatMap((skip, k) => {
    const text = Buffer.concat([Buffer.alloc(k), value]).toString('base64')
    const standard = text.slice(skip, Math.floor(((value.length + k) * 8) / 6))
    const url = standard.replaceAll('+', '-').replaceAll('/', '_')
    return [Buffer.from(standard), Buffer.from(url)]
  })
}

const hexForms = (value: Buffer): Buffer[] => {
  const hex = value.toString('hex')
  return [Buffer.from(hex), Buffer.from(hex.toUpperCase())]
}

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const safeBytes = (extra: string): Set<number> => new Set(Buffer.from(alphanumeric + extra))
const unreserved = safeBytes('-._~') // RFC 3986
const component = safeBytes("-._~!'()*") // encodeURIComponent
const formSafe = safeBytes('-._*') // application/x-www-form-urlencoded
const path = safeBytes("-._~!'()*/:@&=+$,;?#") // encodeURI

const percentForms = (value: Buffer): Buffer[] => {
  const strict = percent(value, unreserved)
  return [
    strict,
    strict.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
    percent(value, component),
    percent(value, path),
    percent(value, formSafe).replaceAll('%20', '+'),
  ].map((text) => Buffer.from(text))
}

const percent = (value: Buffer, safe: ReadonlySet<number>): string => {
  let text = ''
  for (const byte of value) {
    text += safe.has(byte)
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}

/** JSON as JavaScript, Go and Python write it; shell quoting; YAML and Compose quoting. Text only. */
const escapedForms = (value: Buffer): Buffer[] => {
  const text = value.toString('utf8')
  if (!Buffer.from(text).equals(value)) return []
  const json = inJson(text)
  const jsonForms = [
    json,
    json.replace(/[<>&\u2028\u2029]/g, unicodeEscape),
    json.replace(/[^\0-~]/g, unicodeEscape),
  ]
  const jsonInJson = jsonForms.map(inJson)
  return [
    ...jsonForms,
    json.replaceAll('/', '\\/'),
    ...jsonInJson,
    ...jsonInJson.map(inJson),
    text.replaceAll('"', '""'),
    json.replaceAll('"', '""'),
    ...htmlForms(text),
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll("'", "''"),
    text.replace(/[^A-Za-z0-9_@%+=:,./\n-]/gu, '\\$&'),
    text.replace(/[\\"$`]/g, '\\$&'),
    text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n'),
    text.replaceAll('$', '$$$$'),
    json.replaceAll('$', '$$$$'),
  ].map((escaped) => Buffer.from(escaped))
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** How programs escape `"` and `'` in HTML: Go; Python; PHP; most of JavaScript; XML; and unescaped. */
const htmlQuotes = [
  ['&#34;', '&#39;'],
  ['&quot;', '&#x27;'],
  ['&quot;', '&#039;'],
  ['&quot;', '&#39;'],
  ['&quot;', '&apos;'],
  ['&quot;', "'"],
  ['"', "'"],
] as const

const htmlForms = (text: string): string[] => {
  const tags = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return htmlQuotes.map(([double, single]) => tags.replaceAll('"', double).replaceAll("'", single))
}

const unicodeEscape = (char: string): string =>
  `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

const pemArmour = /^-----(BEGIN|END) [^-]*-----$/
/** Brackets and commas, or a key that only opens a bracket: reveals nothing and occurs everywhere. */
const jsonStructure = /^("[^"]*"\s*:)?[\s{}[\],:]*$/

/**
 * Lines of a value that reveal something, without indentation and a trailing comma. Byte-exact through
 * latin1.
 */
const linesOf = (value: Buffer, isTelling: (line: string) => boolean): Buffer[] => {
  const lines = value.toString('latin1').split(/\r?\n|\r/)
  if (lines.length < 2) return []
  return lines
    .map((line) => line.trim().replace(/,$/, ''))
    .filter(
      (line) =>
        line.length >= minLineBytes &&
        !pemArmour.test(line) &&
        !jsonStructure.test(line) &&
        isTelling(line),
    )
    .map((line) => Buffer.from(line, 'latin1'))
}
