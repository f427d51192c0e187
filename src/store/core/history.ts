// History as the store shows it.
import type { EndedIn, ProjectEntry } from '../../secrets/set-entry.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import type { Viewer } from '../../secrets/place.ts'
import type { NamedEntry, SetDiff } from './set-diff.ts'

/** A version whose value is asked for. */
export interface ShownVersion {
  readonly secretId: string
  readonly version: number
}

export const shownVersionId = ({ secretId, version }: ShownVersion): string =>
  `${secretId} ${version}`

/** One version of a secret, as history shows it: never its value. Times are RFC 3339. */
export interface SecretVersion {
  readonly version: number
  readonly current: boolean
  readonly scope: string
  readonly stagelet?: string
  readonly environments?: readonly string[]
  readonly audience?: 'Controller'
  readonly type: 'env' | 'file'
  readonly visibility: 'Masked' | 'Plain'
  readonly bytes: number
  /** It is in the sets of the revisions from this one up to, not including, `toRevision`. */
  readonly fromRevision: number
  readonly toRevision?: number
  /** Of one that was for a stagelet, where the stagelet was then. */
  readonly endedIn?: EndedIn | undefined
  readonly createdAt: string
  readonly createdBy: string
  /** The newest older version with the same value, as their keyed digests tell. */
  readonly sameAs?: number
  /** When a Rotation has ended the credential. */
  readonly revokedAt?: string
  /** When it was measured that it is refused. */
  readonly refusedAt?: string
}

export interface RevisionInfo {
  readonly revision: number
  readonly closedAt: string
  /** How many secrets got a new version, and how many went. */
  readonly written: number
  readonly deleted: number
  /** Their keys: the first 20 by name. */
  readonly keys: readonly string[]
  /** Stagelets that see the secrets of another environment since then: the first 20 by name. */
  readonly moved?: readonly string[]
  /** Who wrote them. */
  readonly by: readonly string[]
  /** Why, as those who wrote them said. */
  readonly note?: string
}

/** A deleted secret in its grace time. */
export interface DeletedSecret extends NamedEntry {
  /** Of one for a stagelet, where the stagelet was then. */
  readonly endedIn?: EndedIn | undefined
  readonly deletedAt: string
  readonly deletedBy: string
  readonly restorableUntil: string
}

/**
 * A revision by its number, the one before the newest change, or the one that was newest at a time
 * (ms).
 */
export type RevisionChoice = { readonly revision: number | 'previous' } | { readonly at: number }

export interface ProjectRollback {
  readonly revision: number
  /** What the rollback changed. */
  readonly diff: SetDiff
  /** Names of secrets that a Rotation makes: they stay as they are. */
  readonly kept: readonly string[]
}

/** How the value was read: alone, in a set as a file, for a local process, or by the controller: for a Notifier, a Rotation or a SecretStore, or to look for it (`where`), which shows it to nobody. */
export type ReadWay = 'reveal' | 'export' | 'run' | 'where' | 'notify' | 'rotation' | 'store'

/** Which version is read, and for what; the current one, and `reveal`, when absent. */
export interface RevealedOne {
  readonly version?: number | undefined
  readonly asWritten?: boolean | undefined
  readonly way?: ReadWay
}

/** Which values a person reads, and for what. */
export interface RevealedSet {
  readonly way: ReadWay
  readonly choose: (set: LaidOut) => readonly ProjectEntry[]
  /** Who sees what a value refers to: a stagelet, or an environment; undefined: a stagelet in no environment. */
  readonly viewer?: Viewer
  /** Values as they are written: references are not filled in. */
  readonly asWritten?: boolean | undefined
}
