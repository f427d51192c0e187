// The lines of an export, and the reading of one. The server writes the lines; a verifier on another machine or
// in a browser reads them. A field that no hash covers must not be shown as a fact: so none is let through that
// is not known here.
import type { AuditRecord, SignedHead } from './record.ts'
import { isRecord } from '../kernel/record.ts'

export type { AuditRecord, SignedHead } from './record.ts'

/**
 * The chain holds this commitment in place of a person's name: SHA-256 over a random salt and the
 * fields. After the erasure of the person only the digest is left.
 */
interface Commitment {
  readonly digest: string
  readonly salt?: string | undefined
}

/** A row in the chain. `subject_commitment` is of the person that the row is about. */
export interface ChainedRecord extends AuditRecord {
  readonly type: 'row'
  readonly actor_commitment: Commitment
  readonly subject_commitment?: Commitment | undefined
  readonly hash: string
  readonly signature?: string | undefined
}

/** A row that the reader may not see or did not ask for. The digest keeps the chain complete. */
export interface HiddenRecord {
  readonly type: 'hidden'
  readonly seq: number
  readonly digest: string
  readonly hash: string
  readonly signature?: string | undefined
}

/**
 * The point before the first row: the beginning (seq 0), the last pruned row (signed), or the end of an
 * earlier export.
 */
export interface StartLine {
  readonly type: 'start'
  readonly seq: number
  readonly hash: string
  readonly signature?: string | undefined
}

/** One line of an export: first a start, then rows in order, last the signed head. */
export type ExportLine = StartLine | ChainedRecord | HiddenRecord | SignedHead

/** The path of the first field that is not as it must be; undefined: none. */
type Check = (value: unknown, path: string) => string | undefined

const checkThat =
  (test: (value: unknown) => boolean): Check =>
  (value, path) =>
    test(value) ? undefined : path

const word = checkThat((value) => typeof value === 'string')
const place = checkThat((value) => Number.isSafeInteger(value) && Number(value) >= 0)
const position = checkThat((value) => Number.isSafeInteger(value) && Number(value) > 0)
const oneOf = (...words: string[]): Check => checkThat((value) => words.includes(value as string))
const maybe =
  (check: Check): Check =>
  (value, path) =>
    value === undefined ? undefined : check(value, path)

const object =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, path) => {
    if (!isRecord(value)) return path
    const pathOf = (name: string): string => (path === '' ? name : `${path}.${name}`)
    const unlisted = Object.keys(value).find((name) => !Object.hasOwn(fields, name))
    if (unlisted !== undefined) return pathOf(unlisted)
    for (const [name, check] of Object.entries(fields)) {
      const fault = check(value[name], pathOf(name))
      if (fault !== undefined) return fault
    }
    return undefined
  }

const commitment = object({ digest: word, salt: maybe(word) })

const lines: Readonly<Record<ExportLine['type'], Check>> = {
  start: object({ type: word, seq: place, hash: word, signature: maybe(word) }),
  row: object({
    type: word,
    seq: position,
    at: word,
    actor: object({ name: word, id: maybe(word), address: maybe(word), source: word }),
    action: word,
    object: object({ kind: word, namespace: word, name: word }),
    result: oneOf('success', 'denied'),
    request_id: maybe(word),
    detail: maybe(checkThat(isRecord)),
    actor_commitment: commitment,
    subject_commitment: maybe(commitment),
    hash: word,
    signature: maybe(word),
  }),
  hidden: object({ type: word, seq: position, digest: word, hash: word, signature: maybe(word) }),
  head: object({ type: word, seq: place, hash: word, signature: maybe(word), public_key: word }),
}

const isType = (type: unknown): type is ExportLine['type'] =>
  typeof type === 'string' && Object.hasOwn(lines, type)

/** A line of an export, or the reason why this is none: `malformed: actor.name`. */
export const readLine = (line: string): ExportLine | string => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return 'not JSON'
  }
  const type = isRecord(json) ? json['type'] : undefined
  const fault = isType(type) ? lines[type](json, '') : 'type'
  // Who reads the file may take the first of two equal keys, and this program takes the last.
  if (fault === undefined && JSON.stringify(json) !== line)
    return 'malformed: not as the controller writes it, such as with a key that stands twice'
  return fault === undefined ? (json as ExportLine) : `malformed: ${fault}`
}
