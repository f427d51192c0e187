// What is delivered after the restore of a backup: no revision whose credentials may be dead (ADR 0069). Pure.
import { withConditions } from '../resources/conditions.ts'
import type { KubeObject } from '../resources/meta.ts'
import type { Restored, RotationStatus } from '../kinds/rotation/schema.ts'
import { statusOf } from '../kinds/typed.ts'

/** What the outputs hold is not known to be accepted, or is known not to be. */
const isHeld = (state: Restored['state']): boolean =>
  state === 'Untested' || state === 'Refused' || state === 'Renewing'

/** Of a mark whose test has no answer yet. */
export const untested = 'it is not known yet whether its credential is accepted'

/**
 * It is tested anew, at once: undefined where nothing is to test. What was delivered untested is held again; what was
 * refused stays so until there is another answer.
 */
export const untestedAgain = (
  { restored, ...status }: RotationStatus,
  now: string,
): RotationStatus | undefined => {
  if (restored?.state !== 'Unknown' && restored?.state !== 'Refused') return undefined
  const { retryAt: _, tries: __, ...others } = status
  if (restored.state === 'Refused') return { ...others, restored }
  const { awaiting: ___, ...rest } = restored
  const { conditions, observedGeneration: generation } = others
  const Tested = { status: 'Unknown', reason: 'Untested', message: untested } as const
  return {
    ...others,
    restored: { ...rest, state: 'Untested', message: untested },
    conditions: withConditions(conditions, { Tested }, { generation, now }),
  }
}

/** What a Rotation lets through to the stagelets of its project. */
export interface Hold {
  /** The first revision; Infinity: none yet. */
  readonly from: number
  /** These stagelets alone; absent: all. */
  readonly only?: readonly string[] | undefined
}

export const holdIn = (rotation: KubeObject): Hold => {
  const { restored } = statusOf('Rotation', rotation)
  if (restored === undefined || rotation.metadata.deletionTimestamp !== undefined)
    return { from: 0 }
  const { state, revision = 0, awaiting } = restored
  if (isHeld(state)) return { from: Infinity }
  // A leader of an older build leaves `awaiting` in a mark that has another answer.
  return state === 'Unknown' && awaiting !== undefined
    ? { from: Infinity, only: awaiting }
    : { from: revision }
}

/** The first revision that is let through to a stagelet. */
export const fromFor = ({ from, only }: Hold, stagelet: string): number =>
  only?.includes(stagelet) === false ? 0 : from

/** With the key of the project that it holds back. */
export interface ProjectHold extends Hold {
  readonly project: string
}

const sameHold = (hold: ProjectHold, other: ProjectHold): boolean =>
  hold.project === other.project &&
  hold.from === other.from &&
  String(hold.only) === String(other.only)

/** The projects whose hold a change of a Rotation changes; undefined where there is none. */
export const heldOtherwise = (
  before: ProjectHold | undefined,
  now: ProjectHold | undefined,
): string[] => {
  if (before && now && sameHold(before, now)) return []
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
