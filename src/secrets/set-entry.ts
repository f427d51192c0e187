// One secret of a set, and the precedence among secrets with the same key.
import type { FileSpec, SecretSpec } from '../resources/kinds/stagelysecret.ts'

/** One secret of a set: everything but its value. */
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
}

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

/** The fields of a spec that say the stagelet of an entry. */
export const audienceOf = (
  entry: Pick<SetEntry, 'stagelet'>,
): Pick<SecretSpec, 'audience' | 'stageletRef'> => {
  if (isForController(entry)) return { audience: 'Controller' }
  return entry.stagelet === undefined ? {} : { stageletRef: { name: entry.stagelet } }
}

/** The stagelet of an entry, for people. */
export const shownStagelet = (
  entry: Pick<SetEntry, 'stagelet'>,
): { stagelet?: string; audience?: 'Controller' } => {
  const { audience, stageletRef } = audienceOf(entry)
  if (audience === 'Controller') return { audience }
  return stageletRef === undefined ? {} : { stagelet: stageletRef.name }
}

/**
 * A stagelet's own secret has precedence over the project's; within each, a service's over the global
 * one.
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
