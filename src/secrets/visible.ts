// Which service sees which secret. One function, used by the controller (diff, in sync, blast
// radius) and by the agent (override), so that the two can never disagree.
import type { FileSpec } from '../resources/stagelysecret.ts'

/** One secret of a set: everything about it but its value. */
export interface SetEntry {
  readonly secretId: string
  readonly name: string
  readonly version: number
  readonly key: string
  /** `global` or a service name. */
  readonly scope: string
  readonly type: 'env' | 'file'
  /** Only for this stagelet, when set. */
  readonly stagelet?: string
  readonly file?: FileSpec
  readonly bytes: number
  readonly valueDigest: string
}

/** A stagelet's own secret beats the project's; within each, a service's beats the global one. */
const rankOf = (entry: SetEntry): number =>
  (entry.stagelet === undefined ? 0 : 2) + (entry.scope === 'global' ? 0 : 1)

/** The entries that `service` of `stagelet` sees, by precedence one for each key, sorted by key. */
export const visibleTo = <E extends SetEntry>(
  service: string,
  stagelet: string,
  entries: Iterable<E>,
): E[] => {
  const winners = new Map<string, E>()
  for (const entry of entries) {
    if (entry.stagelet !== undefined && entry.stagelet !== stagelet) continue
    if (entry.scope !== 'global' && entry.scope !== service) continue
    const rival = winners.get(entry.key)
    if (rival === undefined || rankOf(entry) > rankOf(rival)) winners.set(entry.key, entry)
  }
  return [...winners.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Global env entries for `stagelet`, by precedence: what satisfies `${VAR}` in the user's file. */
export const globalsFor = <E extends SetEntry>(stagelet: string, entries: Iterable<E>): E[] =>
  visibleTo(
    'global',
    stagelet,
    [...entries].filter((e) => e.scope === 'global'),
  ).filter((e) => e.type === 'env')
