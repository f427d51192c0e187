// JSON with secrets: a map of keys to texts, or of services to such maps, or a list of secrets as `secrets export` writes it, with all fields.
import { defined } from '../kernel/defined.ts'
import { isRecord } from '../kernel/record.ts'
import type { LineFault } from './dotenv.ts'

/** One secret of a file. It has `value`, `value_base64`, or another source among the fields. */
export interface StructuredLine {
  readonly key: string
  /** Place in the file: `secrets[2]`, the key, or `web.KEY`. */
  readonly where: string
  readonly value?: string
  readonly value_base64?: string
  readonly scope?: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  /** Other fields by their REST names; absent for a pair of a map. */
  readonly fields?: Readonly<Record<string, unknown>>
}

export interface Structured {
  readonly lines: readonly StructuredLine[]
  readonly faults: readonly LineFault[]
  /** Its lines say nothing but a key and a value. */
  readonly isDotenv?: true
}

export const valueNames = ['value', 'value_base64', 'value_from'] as const

/** Fields of a secret in a list, checked. */
export interface CheckedLine {
  readonly key: string
  readonly scope?: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  readonly value?: string
  readonly value_base64?: string
}

/** Says what a secret of a list may hold; a text is the fault. */
export type CheckLine = (line: unknown) => CheckedLine | string

export const readStructure = (parsed: unknown, check: CheckLine): Structured => {
  const list = isRecord(parsed) && Array.isArray(parsed['secrets']) ? parsed['secrets'] : parsed
  const results = Array.isArray(list)
    ? list.map((line: unknown, index) => readLine(line, `secrets[${index}]`, check))
    : isRecord(list)
      ? Object.entries(list).flatMap(([key, value]) =>
          isRecord(value)
            ? Object.entries(value).map(([inner, text]) => readPair(inner, text, key))
            : readPair(key, value),
        )
      : [
          {
            where: 'file',
            message:
              'must be a map of keys to texts, of services to such maps, or a list of secrets',
          },
        ]
  return {
    lines: results.flatMap((result) => ('message' in result ? [] : [result])),
    faults: results.flatMap((result) => ('message' in result ? [result] : [])),
  }
}

/** `scope`: the service under which the key is. */
const readPair = (key: string, value: unknown, scope?: string): StructuredLine | LineFault => {
  const where = scope === undefined ? key : `${scope}.${key}`
  return typeof value === 'string'
    ? { key, value, where, ...defined({ scope }) }
    : { where, message: 'must be text; quote it' }
}

const readLine = (line: unknown, where: string, check: CheckLine): StructuredLine | LineFault => {
  const checked = check(line)
  if (typeof checked === 'string') return { where, message: checked }
  const { key, scope, stagelet, environments, value, value_base64: base64, ...fields } = checked
  return {
    key,
    where,
    fields,
    ...defined({ scope, stagelet, environments, value, value_base64: base64 }),
  }
}

export const parseJsonSecrets = (source: string, check: CheckLine): Structured => {
  let parsed: unknown
  try {
    parsed = JSON.parse(source)
  } catch {
    // The parser's message quotes the text around the fault.
    return { lines: [], faults: [{ where: 'file', message: 'is not valid JSON' }] }
  }
  return readStructure(parsed, check)
}
