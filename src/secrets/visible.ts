// Which service sees which secret. The controller (diff, in sync, blast radius) and the agent
// (override) use the same function, so that they always agree.
import { everyService } from './place.ts'
import { createResolvedDigest } from './resolved-digest.ts'
import { winnersFor, type SetEntry } from './set-entry.ts'

export type { SetEntry } from './set-entry.ts'

/**
 * The entries that `service` of `stagelet` sees: one for each key, by precedence, sorted by key. The
 * digest of an entry with references covers their targets too. Throws when a reference cannot be
 * followed.
 */
export const visibleTo = <E extends SetEntry>(
  service: string,
  stagelet: string,
  entries: Iterable<E>,
): E[] => {
  const all = Array.isArray(entries) ? (entries as E[]) : [...entries]
  const winners = [...winnersFor(service, stagelet, all).values()].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  )
  if (winners.every((entry) => entry.references === undefined)) return winners
  return winners.map(createResolvedDigest(all, stagelet))
}

/** Global env entries for `stagelet`, by precedence: the values for `${VAR}` in the user's compose file. */
export const globalsFor = <E extends SetEntry>(stagelet: string, entries: Iterable<E>): E[] =>
  visibleTo(everyService, stagelet, entries).filter((e) => e.type === 'env')
