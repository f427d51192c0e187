// Texts for a POSIX shell and for YAML, from words and values of JSON. Whatever a name holds, it stays text. Pure.

/** A value of JSON. What somebody gives as a new value is a `StdinValue`, and never in it. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | StdinValue
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined }

/** Stands for a new value, which is read from standard input as base64. `of` is its key. */
interface StdinValue {
  readonly [stdinKey]: string
}

/** A symbol, since a field of any name may be in a body. */
const stdinKey = Symbol('key of a value from standard input')

export const stdinValue = (name: string): StdinValue => ({ [stdinKey]: name })

export const isStdinValue = (value: unknown): value is StdinValue =>
  typeof value === 'object' && value !== null && stdinKey in value

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/

/** One word of a command line, whatever it holds. */
const word = (text: string): string =>
  plainWord.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** `raw`: the shell reads it as it is. */
export type Word = string | { readonly raw: string }

export const words = (list: readonly Word[]): string =>
  list.map((part) => (typeof part === 'string' ? word(part) : part.raw)).join(' ')

/** JSON, cut at the new values: `[text, key, text, key, text]`. */
const pieces = (value: JsonValue): readonly string[] => {
  const keys: string[] = []
  const mark = '\u0000'
  const text = JSON.stringify(value, (_, part: JsonValue) => {
    if (!isStdinValue(part)) return part
    keys.push(part[stdinKey])
    return mark
  })
  const texts = text.split(JSON.stringify(mark))
  return texts.flatMap((piece, i) => (i < keys.length ? [piece, keys[i] ?? ''] : [piece]))
}

/** Keys of the new values, in the order in which they are read. */
const givenIn = (value: JsonValue): string[] => pieces(value).filter((_, i) => i % 2 === 1)

/** The program that reads base64 lines, or one value whole, and prints the JSON. */
export const printing = (value: JsonValue): string => {
  const parts = pieces(value)
  const count = (parts.length - 1) / 2
  if (count === 0) return `printf '%s' ${word(parts[0] ?? '')}`
  const texts = parts.map((part, i) => {
    if (i % 2 === 1)
      return count === 1 ? `"$(base64 | tr -d '\\n')"` : `"$v${((i + 1) / 2).toString()}"`
    const [before, after] = [i > 0 ? '"' : '', i < parts.length - 1 ? '"' : '']
    return word(`${before}${part}${after}`)
  })
  const print = `printf '%s' ${texts.join(' ')}`
  if (count === 1) return print
  const reads = Array.from({ length: count }, (_, i) => `read -r v${(i + 1).toString()}`)
  return `{ ${[...reads, print].join(' && ')}; }`
}

/** What standard input has to be; undefined: nothing is read. */
export const inputOf = (value: JsonValue): string | undefined => {
  const keys = givenIn(value)
  if (keys.length === 0) return undefined
  return keys.length === 1
    ? `the value of ${keys[0] ?? ''}, byte for byte`
    : `one line with the base64 of each value: ${keys.join(', ')}`
}

const plainText = /^[A-Za-z][A-Za-z0-9_./-]*$/
/** Words that YAML 1.1 takes for something else than text. */
const taken = /^(y|n|yes|no|true|false|on|off|null|none)$/i

const scalar = (value: string | number | boolean | null): string =>
  typeof value === 'string' && plainText.test(value) && !taken.test(value)
    ? value
    : JSON.stringify(value)

export const placeholder = (key: string): string => `BASE64_OF_${key}`

const lines = (value: JsonValue, indent: string): string[] => {
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).flatMap((item) => {
      const [first = '', ...rest] = lines(item, `${indent}  `)
      return [`${indent}- ${first.trimStart()}`, ...rest]
    })
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar(value)}`]
  return Object.entries(value as Readonly<Record<string, JsonValue | undefined>>).flatMap(
    ([name, part]) => {
      if (part === undefined) return []
      const start = `${indent}${scalar(name)}:`
      if (isStdinValue(part)) return [`${start} ${placeholder(part[stdinKey])}`]
      if (typeof part !== 'object' || part === null) return [`${start} ${scalar(part)}`]
      if (Array.isArray(part) && part.length === 0) return [`${start} []`]
      if (Object.keys(part).length === 0) return [`${start} {}`]
      return [start, ...lines(part, `${indent}  `)]
    },
  )
}

/** YAML as people write it; a new value is a placeholder. */
export const yaml = (value: JsonValue): string => `${lines(value, '').join('\n')}\n`
