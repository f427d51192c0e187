// Checks of a Rotation that is written: its login, which only one Rotation may change, and the fields that cannot be changed
// while an attempt is under way, which has credentials at the place that they name.
import type { Fault } from '../../kernel/errors.ts'
import { keyOf, refOf, type KubeObject } from '../../resources/meta.ts'
import { loginsOf, placeOf } from '../../resources/kinds/rotation-place.ts'
import { rotatorNameOf } from '../../resources/kinds/rotation-rules.ts'
import type { RotatorName } from '../../resources/kinds/rotation.ts'
import { specOf, statusOf } from '../../resources/typed.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { invalid } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'

const fieldOf: Readonly<Partial<Record<RotatorName, string>>> = {
  ...{ postgres: 'roles', mariadb: 'users', redis: 'user', awsIam: 'userName' },
}

/**
 * Invalid where another Rotation changes the same login: each would end the credential that the services of the other one
 * use. Names the other Rotation, unless it is of another team.
 */
export const checkLogins = (session: WriteSession, object: KubeObject): void => {
  const ref = refOf(object)
  const spec = specOf('Rotation', object)
  const place = placeOf(spec, ref.namespace)
  if (place === undefined) return
  const own = loginsOf(spec)
  for (const { id, object: other } of session.select(term.kind('Rotation'))) {
    const { namespace, name } = refOf(other)
    const its = specOf('Rotation', other)
    if (id === keyOf(ref) || placeOf(its, namespace) !== place) continue
    const shared = own.find((login) => loginsOf(its).includes(login))
    if (shared === undefined) continue
    const who = namespace === ref.namespace ? `rotation "${name}"` : 'a rotation of another team'
    const rotator = rotatorNameOf(spec)
    const field = `spec.rotator.${rotator}.${fieldOf[rotator] ?? ''}`
    const message = `Duplicate value: ${JSON.stringify(shared)}: ${who} changes this login at the same place already, and each would end what services of the other one use: name another login`
    throw invalid(ref, [{ field, reason: 'FieldValueDuplicate', message }])
  }
}

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
