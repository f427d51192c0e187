// Fields of a Rotation that cannot be changed while an attempt is under way, which has credentials at the place that they
// name.
import type { Fault } from '../kernel/errors.ts'
import { refOf, type KubeObject } from '../resources/meta.ts'
import { specOf, statusOf } from '../resources/typed.ts'
import { sameJson } from './canonical.ts'
import { invalid } from './errors.ts'

const fixed = ['projectRef', 'outputs', 'rotator', 'inPlace'] as const

export const checkUnderWay = (object: KubeObject, current: KubeObject): void => {
  const { phase = 'Idle' } = statusOf('Rotation', current)
  if (phase === 'Idle') return
  const [next, before] = [specOf('Rotation', object), specOf('Rotation', current)]
  const message = `Forbidden: an attempt is under way (${phase}): wait for its end, or delete the rotation and create it anew`
  const faults = fixed
    .filter((field) => !sameJson(next[field] ?? null, before[field] ?? null))
    .map((field): Fault => ({ field: `spec.${field}`, reason: 'FieldValueForbidden', message }))
  if (faults.length > 0) throw invalid(refOf(object), faults)
}

const ofCredential = ['projectRef', 'outputs', 'rotator'] as const

/** A changed credential: containers may still use the Rotation's other login, so that its slots are no longer its own. */
export const withoutOwnSlots = (next: KubeObject, before: KubeObject): KubeObject => {
  const { ownSlots, ...status } = statusOf('Rotation', next)
  const [a, b] = [specOf('Rotation', next), specOf('Rotation', before)]
  if (ownSlots === undefined || ofCredential.every((field) => sameJson(a[field], b[field])))
    return next
  return { ...next, status: { ...status } }
}
