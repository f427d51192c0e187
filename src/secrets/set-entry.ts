// One secret of a set, and the precedence among secrets with the same key.
import { defined } from '../kernel/defined.ts'
import type { FileSpec, SecretSpec } from '../resources/kinds/stagelysecret.ts'

/** One secret of a set, as an environment sees the set: everything but its value. */
export interface SetEntry {
  readonly secretId: string
  readonly name: string
  readonly version: number
  readonly key: string
  /** `global` or a service name. */
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

/**
 * In a set, a secret for the controller alone is that of a stagelet that cannot exist. So whatever asks
 * which stagelet sees a secret leaves it out: agents, digests, references, and releases before this field.
 */
const nobody = '@controller'

export const isForController = ({ stagelet }: Pick<SetEntry, 'stagelet'>): boolean =>
  stagelet === nobody

/** The stagelet of an entry, as a spec says it. */
export const stageletIn = ({
  audience,
  stageletRef,
}: Pick<SecretSpec, 'audience' | 'stageletRef'>): string | undefined =>
  audience === 'Controller' ? nobody : stageletRef?.name

/** The environments of an entry, as a spec says them: their order means nothing. */
export const environmentsIn = ({
  environments,
}: Pick<SecretSpec, 'environments'>): readonly string[] | undefined =>
  environments && [...environments].sort()

/** Who sees an entry, besides its scope, as a spec says it. */
export const viewersIn = (
  spec: Pick<SecretSpec, 'audience' | 'stageletRef' | 'environments'>,
): Pick<ProjectEntry, 'stagelet' | 'environments'> =>
  defined({ stagelet: stageletIn(spec), environments: environmentsIn(spec) })

/** The fields of a spec that say who sees an entry, besides its scope. */
export const audienceOf = (
  entry: Pick<ProjectEntry, 'stagelet' | 'environments'>,
): Pick<SecretSpec, 'audience' | 'stageletRef' | 'environments'> => {
  if (isForController(entry)) return { audience: 'Controller' }
  if (entry.environments !== undefined) return { environments: [...entry.environments] }
  return entry.stagelet === undefined ? {} : { stageletRef: { name: entry.stagelet } }
}

/** Who sees an entry, besides its scope: for people. */
export const shownAudience = (
  entry: Pick<ProjectEntry, 'stagelet' | 'environments'>,
): { stagelet?: string; environments?: readonly string[]; audience?: 'Controller' } => {
  const { audience, environments, stageletRef } = audienceOf(entry)
  if (audience === 'Controller') return { audience }
  return defined({ environments, stagelet: stageletRef?.name })
}

/**
 * A stagelet's own secret has precedence over the project's; within each, a service's over the global
 * one. What an environment has in place of the project's, `environmentSet` has put there.
 */
const rankOf = (entry: SetEntry): number =>
  (entry.stagelet === undefined ? 0 : 2) + (entry.scope === 'global' ? 0 : 1)

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
    if (entry.stagelet !== undefined && entry.stagelet !== stagelet) continue
    if (entry.scope !== 'global' && entry.scope !== service) continue
    const rival = winners.get(entry.key)
    if (rival === undefined || rankOf(entry) > rankOf(rival)) winners.set(entry.key, entry)
  }
  return winners
}
