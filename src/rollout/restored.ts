// What is delivered after the restore of a backup: no revision whose credentials may be dead (docs/adr/0069). Pure.
import type { KubeObject } from '../resources/meta.ts'
import type { RotationStatus } from '../resources/rotation.ts'

/** The first revision that a Rotation lets through to the stagelets of its project; Infinity: none yet. */
export const deliversFrom = ({ metadata, status }: KubeObject): number => {
  const { restored } = (status ?? {}) as RotationStatus
  if (restored === undefined || metadata.deletionTimestamp !== undefined) return 0
  const { state, revision = 0 } = restored
  return state === 'Untested' || state === 'Renewing' ? Infinity : revision
}
