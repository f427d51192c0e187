// Which service sees which secret. One function, used by the controller (diff, in sync, blast
// radius) and by the agent (override), so that the two can never disagree.
import { createFollowedDigest } from './references.ts'
import { winnersFor, type SetEntry } from './set-entry.ts'

export type { SetEntry } from './set-entry.ts'

/**
 * The entries that `service` of `stagelet` sees, by precedence one for each key, sorted by key. The
 * digest of one that refers to others covers them too. Throws where a reference cannot be followed.
 */
export const visibleTo = <E extends SetEntry>(
  service: string,
  stagelet: string,
  entries: Iterable<E>,
): E[] => {
  const all = Array.isArray(entries) ? (entries as E[]) : [...entries]
  const seen = [...winnersFor(service, stagelet, all).values()].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  )
  if (seen.every((entry) => entry.references === undefined)) return seen
  return seen.map(createFollowedDigest(all, stagelet))
}

/** Global env entries for `stagelet`, by precedence: what satisfies `${VAR}` in the user's file. */
export const globalsFor = <E extends SetEntry>(stagelet: string, entries: Iterable<E>): E[] =>
  visibleTo('global', stagelet, entries).filter((e) => e.type === 'env')
