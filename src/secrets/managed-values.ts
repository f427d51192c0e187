// Which of several found values need to be managed, and which are plain: one judgement for `init`, for `import` and for the
// dashboard. Pure.
import { steersCompose } from '../formats/steers-compose.ts'
import { hasSecretForm, isPath, isPlainName, looksSecret } from './looks-secret.ts'

interface FoundValue {
  readonly key: string
  /** undefined: it is no text. */
  readonly value: string | undefined
}

/** From this length on an equal text is the same value; a shorter one may be equal by chance. */
export const minTellingLength = 8

const nameOrForm = ({ key, value }: FoundValue): boolean =>
  value === undefined || looksSecret(key, value)

const hostOfUrl = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]*(?=[/?#]|$)/i

/** A word such as `postgres` is a password in one place, and a user, a host or in the name of a folder in another one. */
const mayHold = ({ key, value = '' }: FoundValue, text: string): boolean =>
  hasSecretForm(text) || !(isPlainName(key) || (isPath(value) && value !== text))

const holds = (found: FoundValue, text: string): boolean =>
  (found.value ?? '').replace(hostOfUrl, '').includes(text) && mayHold(found, text)

/** Those that are no secret, by name and form, and hold none of the others. */
export const plainAmong = <T extends FoundValue>(
  values: readonly T[],
  isSecret: (value: T) => boolean = nameOrForm,
): ReadonlySet<T> => {
  const secrets = values.filter(isSecret)
  const texts = secrets.flatMap(({ value }) =>
    value !== undefined && value.length >= minTellingLength ? [value] : [],
  )
  const isOne = new Set(secrets)
  return new Set(
    values.filter((found) => !isOne.has(found) && !texts.some((text) => holds(found, text))),
  )
}

/** What a line of a `.env` is: a setting of Compose itself, plain configuration, or a secret. */
export type LineKind = 'Steers' | 'Plain' | 'Secret'

/** For each line, in order. */
export const kindsOfLines = (lines: readonly FoundValue[]): LineKind[] => {
  const plain = plainAmong(lines)
  return lines.map((line) => {
    if (steersCompose(line.key, line.value)) return 'Steers'
    return plain.has(line) ? 'Plain' : 'Secret'
  })
}

/** Whether a line stays in its file, unless a person takes it. What is stored already is managed. */
export const staysInFile = (
  kind: LineKind,
  { isPlaceSaid, isStored }: { readonly isPlaceSaid: boolean; readonly isStored: boolean },
): boolean => !isPlaceSaid && (kind === 'Steers' || (kind === 'Plain' && !isStored))
