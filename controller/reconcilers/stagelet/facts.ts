// The facts that decide the status of one stagelet.
import type { ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { Typed } from '../../../src/kinds/typed.ts'
import type { StageletSet } from '../../../src/secrets/environment-set.ts'
import type { ProjectRevisions, SecretSet } from '../../../src/store/store.ts'
import type { Author } from './suspect-values.ts'

export type TypedStagelet = Typed<'Stagelet'>

/** A set of the project as the stagelet sees it. */
export type SeenSet = StageletSet<SecretSet>

export interface StageletInput {
  /** RFC 3339. */
  readonly now: string
  readonly nowMs: number
  /** Revisions of a former project are taken out of its status: see of-project.ts. */
  readonly stagelet: TypedStagelet
  /** The revision of a former project that the agent was told last. It stays until this project has a revision for it. */
  readonly toldOfOther?: number | undefined
  readonly projectExists: boolean
  /** Uid and creation time: a project that is created again may have the uid of the old one. */
  readonly project?: StageletStatus['project']
  /** The project has spec.rollout, a staged rollout: each stagelet waits until it is admitted. */
  readonly isStaged: boolean
  readonly agent: Typed<'Agent'> | undefined
  readonly observation: ObservationSpec | undefined
  readonly revisions: ProjectRevisions | undefined
  /** The Rotation of the project that holds a revision back after a restore, and the first one that it lets through. */
  readonly untested?: { readonly rotation: string; readonly from: number } | undefined
  /** When the newest closed revision was closed; RFC 3339. */
  readonly revisionClosedAt?: string | undefined
  /** Newest set, with the writes of the open change set. */
  readonly head: SeenSet | undefined
  /** Closed sets that the stack may run or go back to, the newest first. */
  readonly closedSets: readonly SeenSet[]
  /** Who set the secrets that came with a failed revision, by uid of the secret. */
  readonly authors: ReadonlyMap<string, Author>
}

/** With a report of the agent. */
export type SeenInput = StageletInput & { readonly observation: ObservationSpec }
