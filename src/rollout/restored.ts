// What is delivered after the restore of a backup: no revision whose credentials may be dead (docs/adr/0069). Pure.
import type { KubeObject } from '../resources/meta.ts'
import type { Restored, RotationStatus } from '../resources/rotation.ts'

/** What the outputs hold is not known to be accepted, or is known not to be. */
const isHeld = (state: Restored['state']): boolean =>
  state === 'Untested' || state === 'Refused' || state === 'Renewing'

/** The first revision that a Rotation lets through to the stagelets of its project; Infinity: none yet. */
export const deliversFrom = ({ metadata, status }: KubeObject): number => {
  const { restored } = (status ?? {}) as RotationStatus
  if (restored === undefined || metadata.deletionTimestamp !== undefined) return 0
  const { state, revision = 0 } = restored
  return isHeld(state) ? Infinity : revision
}

/** What a Rotation lets through, and the key of the project that this holds back. */
export interface Hold {
  readonly project: string
  /** See deliversFrom. */
  readonly from: number
}

/** The projects that are held otherwise after the change of a Rotation; undefined: there is none. */
export const heldOtherwise = (before: Hold | undefined, now: Hold | undefined): string[] => {
  if (before?.project === now?.project && before?.from === now?.from) return []
  const holds = [before, now].filter((hold) => hold !== undefined && hold.from > 0)
  return [...new Set(holds.map((hold) => hold!.project))]
}

/** Of a project: its newest closed revision, and when the open one closes. */
interface Revisions {
  readonly closed: number
  readonly closesAt: number | undefined
}

/**
 * False where the project has no such revision, closed or open: the number is of another project, such as one of this
 * name that was deleted.
 */
export const isReached = (from: number, { closed, closesAt }: Revisions): boolean =>
  from === Infinity || from <= closed + (closesAt === undefined ? 0 : 1)

/** The first revision that all Rotations of a project let through. The revisions were read after `froms`. */
export const firstDelivered = (froms: readonly number[], revisions: Revisions): number =>
  Math.max(0, ...froms.filter((from) => isReached(from, revisions)))
