// One secret of a set, and the precedence among secrets with the same key.
import type { FileSpec } from '../kinds/secret/schema.ts'
import { isForAll, isForService, isForStagelet } from './place.ts'

/** One secret of a set, as an environment sees the set: everything but its value. */
export interface SetEntry {
  readonly secretId: string
  readonly name: string
  readonly version: number
  readonly key: string
  /** See SecretPlace. */
  readonly scope: string
  readonly type: 'env' | 'file'
  /** Set: only this stagelet sees the secret. */
  readonly stagelet?: string
  readonly file?: FileSpec
  readonly bytes: number
  /** Digest of the value as it is written. `visibleTo` returns the digest of the finished value. */
  readonly valueDigest: string
  /** The references of a template; see ADR 0026. Absent: the value is no template. */
  readonly references?: readonly string[]
  /** The value is no secret: status.value shows it, and no log hides it. */
  readonly plain?: true
  /** A Rotation, a store or a generator made the value, or another secret gave it: it never becomes plain. */
  readonly made?: true
  /** A program of ours has drawn these bytes by chance, whatever the spec says now. */
  readonly drawn?: true
  /** `environmentSet` has chosen by them: an entry that still has them is none of an environment's set. */
  readonly environments?: never
}

/** One secret of a project. `environmentSet` makes entries of an environment's set of them. */
export interface ProjectEntry extends Omit<SetEntry, 'environments'> {
  /** Set: only stagelets of these environments see the secret, sorted. Never together with `stagelet`. */
  readonly environments?: readonly string[]
}

/** An entry as an environment sees it. */
export type Seen<E extends ProjectEntry> = E & { readonly environments?: never }

/** The environments in which the one stagelet of a version was when the version ended; null: it was not there. */
export type EndedIn = readonly string[] | null

/**
 * A stagelet's own secret has precedence over the project's; within each, a service's over the global
 * one. What an environment has in place of the project's, `environmentSet` has put there.
 */
const rankOf = (entry: SetEntry): number =>
  (entry.stagelet === undefined ? 0 : 2) + (isForAll(entry) ? 0 : 1)

/**
 * The secrets that `service` sees in `stagelet`, by key. `stagelet` undefined: a stagelet without
 * secrets of its own.
 */
export const winnersFor = <E extends SetEntry>(
  service: string,
  stagelet: string | undefined,
  entries: Iterable<E>,
): Map<string, E> => {
  const winners = new Map<string, E>()
  for (const entry of entries) {
    if (!isForStagelet(entry, stagelet) || !isForService(entry, service)) continue
    const rival = winners.get(entry.key)
    if (rival === undefined || rankOf(entry) > rankOf(rival)) winners.set(entry.key, entry)
  }
  return winners
}
