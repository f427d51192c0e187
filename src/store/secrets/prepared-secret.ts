// A secret as a write will store it, and the notes of its change for the last steps of the write.
import type { KubeObject } from '../../resources/meta.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { specOf } from '../../kinds/typed.ts'
import { isSamePlace } from '../../secrets/place.ts'
import { changesRule, type FoundValue } from './disclosure.ts'

export interface NewVersion extends FoundValue {
  readonly entry: ProjectEntry
  /** The value stays: only its place is new. */
  readonly keeps: boolean
  /** The caller gives the value, and not the controller, another secret or history. */
  readonly isByCaller: boolean
}

/** The object as it will be stored, and the version that goes with it. */
export interface PreparedSecret {
  readonly object: KubeObject
  /** Undefined where value and place stay. */
  readonly version: NewVersion | undefined
  /** The current version until then. */
  readonly before: ProjectEntry | undefined
  readonly project: ProjectState
  /** The value refers to awaited values: it is kept until they are there. */
  readonly waits?: { readonly value: Buffer; readonly awaits: readonly string[] }
  /** The same value was given again, and tells the end of its certificate, which the status did not know. */
  readonly learns?: boolean
}

/** `current` is the secret before the write. */
export const noteSecretChange = (
  session: WriteSession,
  { object, version, before, project }: PreparedSecret,
  current: StoredRow | undefined,
): void => {
  if (version === undefined) {
    const spec = specOf('StagelySecret', object)
    const rules = before?.references !== undefined && spec.format !== undefined
    if (rules && changesRule(spec, current))
      session.secretChanges.push({ project, entry: before, why: 'rule' })
    return
  }
  const { entry, origin } = version
  const stays = before === undefined || isSamePlace(before, entry)
  const literal = (entry.references ?? []).length === 0
  const why = origin === 'plain' && stays && literal ? 'plain' : 'other'
  session.secretChanges.push({ project, entry, why })
  if (before !== undefined) session.secretChanges.push({ project, entry: before, why })
}
