// One secret of a set, and which of several with one key somebody sees.
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
  /** Of the value as it is written; what `visibleTo` gives follows references. */
  readonly valueDigest: string
  /** The value is a template and refers to these; see ADR 0026. Absent: the value is what it is. */
  readonly references?: readonly string[]
}

/** A stagelet's own secret beats the project's; within each, a service's beats the global one. */
const rankOf = (entry: SetEntry): number =>
  (entry.stagelet === undefined ? 0 : 2) + (entry.scope === 'global' ? 0 : 1)

/** By key, what `service` sees in `stagelet`, or in one without secrets of its own. */
export const winnersFor = <E extends SetEntry>(
  service: string,
  stagelet: string | undefined,
  entries: Iterable<E>,
): Map<string, E> => {
  const winners = new Map<string, E>()
  for (const entry of entries) {
    if (entry.stagelet !== undefined && entry.stagelet !== stagelet) continue
    if (entry.scope !== 'global' && entry.scope !== service) continue
    const rival = winners.get(entry.key)
    if (rival === undefined || rankOf(entry) > rankOf(rival)) winners.set(entry.key, entry)
  }
  return winners
}
