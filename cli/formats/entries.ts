// What a file of secrets says, whatever its format.
import type { SecretInput } from '../../src/resources/secret-fields.ts'

export interface Entry {
  readonly key: string
  /** Absent where the value comes from elsewhere: `value_from` among the fields. */
  readonly value?: Buffer
  /** Where it stands in the file: `line 3`, `secrets[2]`. */
  readonly where: string
  /** Absent where the format has no place for it: the command's flags say it. */
  readonly scope?: string
  readonly stagelet?: string
  /** What else the file says of the secret, by the names of the REST API. */
  readonly fields?: SecretInput
}

/** `message` never repeats a byte of a value. */
export interface EntryFault {
  readonly where: string
  readonly message: string
}

export interface Parsed {
  readonly entries: readonly Entry[]
  readonly faults: readonly EntryFault[]
}

/** The text of a value, or undefined where the bytes are not UTF-8. */
export const textOf = (value: Buffer): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    return undefined
  }
}
