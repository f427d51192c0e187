// Rotations are serial: of a project, and of a database, whichever projects and teams share it. Who holds another one up.
import { findCondition } from '../../src/resources/conditions.ts'
import { refOf } from '../../src/resources/meta.ts'
import { isPlaceShared, rotationPlaceOf } from '../../src/kinds/rotation/place.ts'
import type { Reader } from '../../src/store/store.ts'
import type { RotationObject } from './machine/facts.ts'
import type { Holder } from './machine/facts.ts'

/** In words; of a rotation of another team not even its name is told. */
const holderOf = ({ metadata, status = {} }: RotationObject, isOwn: boolean): Holder => {
  const blocked = findCondition(status.conditions, 'Blocked')
  const isBlocked = blocked?.status === 'True'
  if (!isOwn)
    return {
      isBlocked,
      message:
        'a rotation of another team on the same database must end first: ask who looks after that database',
    }
  const { name } = metadata
  const { attempt = 1, phase = 'Idle', phaseSince = '', retryFor } = status
  const retried = retryFor === undefined ? '' : `, and is tried again (${retryFor})`
  const where = `attempt ${attempt} is in ${phase} since ${phaseSince}${retried}`
  const why = isBlocked
    ? `${where}, and blocked (${blocked.reason}: ${blocked.message}). Do what that says, or delete rotation "${name}", which ends no credential`
    : where
  return {
    isBlocked,
    message: `rotation "${name}" must end first: ${why}. See: stagely describe rotation ${name}`,
  }
}

/** Another rotation of the project, or of the same database, that is under way. */
export const busyOf = async (
  reader: Reader,
  rotation: RotationObject,
): Promise<Holder | undefined> => {
  const { namespace } = refOf(rotation)
  const place = rotationPlaceOf(rotation.spec, namespace)
  const { items } = await reader.list('Rotation', isPlaceShared(rotation.spec) ? {} : { namespace })
  const other = items.find((candidate) => {
    const { metadata, spec, status } = candidate
    if (metadata.uid === rotation.metadata.uid || (status?.phase ?? 'Idle') === 'Idle') return false
    const isNear =
      metadata.namespace === namespace && spec.projectRef.name === rotation.spec.projectRef.name
    return (
      isNear || (place !== undefined && rotationPlaceOf(spec, metadata.namespace ?? '') === place)
    )
  })
  return other && holderOf(other, other.metadata.namespace === namespace)
}
