// Sets of secrets, and the revisions of a project.
import type { KubeObject } from '../../resources/meta.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import type { SecretPlace } from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'

/** The set of secrets of a project at one revision, which may still be open. */
export interface SecretSet extends LaidOut {
  readonly projectUid: string
  readonly epoch: number
  readonly revision: number
  readonly entries: readonly ProjectEntry[]
}

export interface OpenedEntry extends ProjectEntry {
  readonly value: Buffer
}

export interface ProjectRevisions {
  readonly epoch: number
  /** Newest closed revision; 0 before the first. */
  readonly closed: number
  /** When the open change set must close (ms since the epoch); undefined when nothing is pending. */
  readonly closesAt: number | undefined
  /** From this time on (ms since the epoch) no more writes are expected that belong together with the last one. */
  readonly quietAt: number
}

/** Facts about a project for advice to the writer of a secret. */
export interface ProjectSummary {
  /** The first stagelets of the project, ordered by name. */
  readonly stagelets: readonly KubeObject[]
  /** See Layout. */
  readonly isolated: readonly string[]
  /** Number of secrets of type env that have a value, 2 at most. */
  readonly envSecrets: number
  /** True where the Project object exists. */
  readonly isDeclared: boolean
  /** The secrets with this key that have a value, as they are when it is called. */
  readonly withKey: (key: string) => readonly (SecretPlace & Pick<ProjectEntry, 'secretId'>)[]
}

/** A value of a store elsewhere. The audit row has all fields but the value. */
export interface FetchedValue {
  readonly value: Buffer
  readonly store: string
  readonly key: string
  /** As the store names it. */
  readonly remoteVersion: string
}
