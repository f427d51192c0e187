// Values that should be others by now, or will have to be: nearest first. Pure.
import type { Secret } from '../../../src/generated/rest-types.ts'

export interface DueRow {
  readonly secret: Secret
  readonly due: NonNullable<Secret['due']>
}

export const dueRows = (secrets: readonly Secret[]): DueRow[] =>
  secrets
    .flatMap((secret) => (secret.due === undefined ? [] : [{ secret, due: secret.due }]))
    .sort((a, b) => a.due.at.localeCompare(b.due.at) || a.secret.name.localeCompare(b.secret.name))
