// Which of several found values need to be managed, and which are plain: one judgement for `init`, for `import` and for the
// dashboard. Pure.
import { steersCompose } from '../formats/steers-compose.ts'
import { minPatternBytes } from '../masking/min-pattern-bytes.ts'
import { looksSecret } from './looks-secret.ts'

interface FoundValue {
  readonly key: string
  /** undefined: it is no text. */
  readonly value: string | undefined
}

const nameOrForm = ({ key, value }: FoundValue): boolean =>
  value === undefined || looksSecret(key, value)

/** Those that are no secret, by name and form, and hold none of the others. */
export const plainAmong = <T extends FoundValue>(
  values: readonly T[],
  isSecret: (value: T) => boolean = nameOrForm,
): ReadonlySet<T> => {
  const secrets = values.filter(isSecret)
  const texts = secrets.flatMap(({ value }) =>
    value !== undefined && value.length >= minPatternBytes ? [value] : [],
  )
  const isOne = new Set(secrets)
  return new Set(
    values.filter(
      (found) => !isOne.has(found) && !texts.some((text) => found.value?.includes(text)),
    ),
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
