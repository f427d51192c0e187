// Values that end, or grow too old for the policy of their project: nearest first. Pure.
import type { Secret } from '../../api/types.ts'

export interface DueRow {
  readonly secret: Secret
  /** The earlier of its end and its greatest age. */
  readonly at: string
  readonly why: 'expiry' | 'certificate' | 'age'
}

export const dueOf = (secret: Secret): DueRow | undefined => {
  const { expires_at: ends, rotation_due_at: old } = secret
  if (ends !== undefined && (old === undefined || ends <= old))
    return {
      secret,
      at: ends,
      why: secret.expires_from === 'Certificate' ? 'certificate' : 'expiry',
    }
  return old === undefined ? undefined : { secret, at: old, why: 'age' }
}

export const dueRows = (secrets: readonly Secret[]): DueRow[] =>
  secrets
    .flatMap((secret) => dueOf(secret) ?? [])
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.secret.name < b.secret.name ? -1 : 1))
