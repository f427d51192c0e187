// The digest of a finished value: it covers what the value refers to.
import { createHash } from 'node:crypto'
import { createResolver } from './references.ts'
import type { SetEntry } from './set-entry.ts'

const digestOf = (entry: SetEntry, referred: readonly string[]): string => {
  if (entry.references === undefined) return entry.valueDigest
  const lines = ['stagely references v1', entry.valueDigest, ...referred]
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

/**
 * `entry` with the digest of its finished value for `stagelet`; `entry` itself when it refers to
 * nothing.
 */
export const createResolvedDigest = <E extends SetEntry>(
  entries: readonly E[],
  stagelet: string | undefined,
): ((entry: E) => E) => {
  const fold = createResolver<E, string>(entries, stagelet, digestOf)
  return (entry) =>
    entry.references === undefined ? entry : { ...entry, valueDigest: fold(entry) }
}
