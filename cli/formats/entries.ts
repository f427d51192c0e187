// The content of a file of secrets, in any format.
import type { SecretInput } from '../../src/kinds/secret/rest-fields.ts'
import type { LineFault } from '../../src/formats/dotenv.ts'

export interface Entry {
  readonly key: string
  /** Absent when the value has another source: `value_from` among the fields. */
  readonly value?: Buffer
  /** Place in the file: `line 3`, `secrets[2]`. */
  readonly where: string
  /** Absent when the format has no scope: then the command's flags give it. */
  readonly scope?: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  /** A new secret of this line becomes plain. */
  readonly isPlain?: true
  /** Other fields of the secret, by their REST names. */
  readonly fields?: SecretInput
}

export interface ParsedEntries {
  readonly entries: readonly Entry[]
  readonly faults: readonly LineFault[]
}

/** The text of a value; undefined when the bytes are not UTF-8. */
export const entryText = (value: Buffer): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    return undefined
  }
}
