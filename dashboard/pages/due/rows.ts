// Values that end, grow too old for the policy of their project, or are known outside: nearest first. Pure.
import type { Secret } from '../../../src/rest/types.ts'

export interface DueRow {
  readonly secret: Secret
  /** The first moment at which it should be another one. */
  readonly at: string
  readonly why: 'expiry' | 'certificate' | 'store' | 'age' | 'revealed'
}

const wordOf = { Spec: 'expiry', Certificate: 'certificate', Store: 'store' } as const

const dueOf = (secret: Secret): DueRow | undefined => {
  const {
    expires_at: ends,
    expires_from: from,
    rotation_due_at: old,
    known_outside: exposure,
  } = secret
  const moments: [at: string | undefined, why: DueRow['why']][] = [
    [ends, wordOf[from ?? 'Spec']],
    [old, 'age'],
    [exposure?.since, 'revealed'],
  ]
  return moments
    .flatMap(([at, why]) => (at === undefined ? [] : [{ secret, at, why }]))
    .reduce<DueRow | undefined>(
      (first, row) => (first && first.at <= row.at ? first : row),
      undefined,
    )
}

export const dueRows = (secrets: readonly Secret[]): DueRow[] =>
  secrets
    .flatMap((secret) => dueOf(secret) ?? [])
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.secret.name < b.secret.name ? -1 : 1))
