// What of a Rotation cannot be changed while one is under way: the credentials are then at the place that was named.
import type { Fault } from '../kernel/errors.ts'
import { refOf, type KubeObject } from '../resources/meta.ts'
import type { RotationSpec, RotationStatus } from '../resources/rotation.ts'
import { sameJson } from './canonical.ts'
import { invalid } from './errors.ts'

const fixed = ['projectRef', 'outputs', 'rotator', 'inPlace'] as const

export const checkUnderWay = (object: KubeObject, current: KubeObject): void => {
  const { phase = 'Idle' } = (current.status ?? {}) as RotationStatus
  if (phase === 'Idle') return
  const [next, before] = [object.spec, current.spec] as [RotationSpec, RotationSpec]
  const message = `Forbidden: an attempt is under way (${phase}): wait for its end, or delete the rotation and create it anew`
  const faults = fixed
    .filter((field) => !sameJson(next[field] ?? null, before[field] ?? null))
    .map((field): Fault => ({ field: `spec.${field}`, reason: 'FieldValueForbidden', message }))
  if (faults.length > 0) throw invalid(refOf(object), faults)
}

const ofCredential = ['projectRef', 'outputs', 'rotator'] as const

/** What else a Rotation has set is then perhaps in use: its containers see outputs of before, or another database. */
export const withoutOwnSlots = (next: KubeObject, before: KubeObject): KubeObject => {
  const { ownSlots, ...status } = (next.status ?? {}) as RotationStatus
  const [a, b] = [next.spec, before.spec] as [RotationSpec, RotationSpec]
  if (ownSlots === undefined || ofCredential.every((field) => sameJson(a[field], b[field])))
    return next
  return { ...next, status: { ...status } }
}
