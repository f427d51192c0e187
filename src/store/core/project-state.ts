// What a write knows of the projects and secrets that it changes.
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import type { KeyBytes, SealKey } from '../../secrets/aead.ts'
import type { Layout } from '../../secrets/layout.ts'
import type { SetLines } from '../../secrets/set-lines.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { ProjectRow } from '../state/rows.ts'

/** A project within a write, with the changes of the write. */
export interface ProjectState {
  readonly uid: string
  readonly ref: ObjectRef
  readonly digestKey: KeyBytes
  /** Seals new versions. */
  dataKey: SealKey
  /** The row before the write. */
  row: ProjectRow
  /** Newest closed revision; new versions get this + 1. */
  closed: number
  openedAt: number | undefined
  lastWriteAt: number | undefined
  /** By id, until when (ms) each change set holds the revision open. */
  changeSets: Record<string, number>
  /** Why the open revision is made. */
  note: string | undefined
  /** Which stagelet is in which environment. */
  layout: Layout
  /** The stagelets of `layout`, while this write may still change them. */
  layoutDraft: Map<string, string> | undefined
  /** Stagelets that this write has moved since the layout was saved. */
  readonly movedStagelets: Set<string>
  /** MAC lines of the head set; loaded when first needed. */
  lines: SetLines | undefined
  /** From this time on (ms) no more writes are expected that belong together with the last one. */
  quietAt: number
  /** The row in the view is not up to date: see saveProject(). */
  changed: boolean
}

/**
 * A secret before or after a write, and why it is there: `plain`, the writer gave its value in plain text;
 * `rule`, only its format or pattern changed; `other`, all else.
 */
export interface SecretChange {
  readonly project: ProjectState
  readonly entry: ProjectEntry
  readonly why: 'plain' | 'rule' | 'other'
}

/** A write that changes the layout, or that brings a stagelet: who sees other secrets by it. */
export interface LayoutChange {
  readonly project: ProjectState
  /** The object whose change it is. */
  readonly ref: ObjectRef
  readonly stagelets: ReadonlySet<string>
  /** Environments that inherit otherwise. */
  readonly environments: readonly string[]
}

/** A value that the caller sets, in a project that enforces a policy. */
export interface NewValue {
  readonly project: ObjectRef
  /** The old value of the secret was too old. */
  readonly renews: boolean
}

/** An output of a Rotation that a write has rolled back. */
export interface RolledBackOutput {
  readonly secret: KubeObject
  readonly version: number
}

export const refOfEntry = (
  { ref }: Pick<ProjectState, 'ref'>,
  { name }: Pick<ProjectEntry, 'name'>,
): ObjectRef => ({ kind: 'StagelySecret', namespace: ref.namespace, name })

/** Secrets that the write gives another value by what they refer to. `viewers`: the stagelets that see it; undefined: all. */
export interface StaleReferences {
  readonly project: ProjectState
  readonly entries: readonly ProjectEntry[]
  readonly viewers: ReadonlySet<string> | undefined
}
