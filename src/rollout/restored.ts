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
