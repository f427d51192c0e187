// The project that an object belongs to.
import { isRecord } from '../kernel/record.ts'
import { refOf, type KubeObject, type ObjectRef } from './meta.ts'

/** Name of the project that the object names; undefined for kinds that name none. */
export const projectNameOf = ({ spec }: KubeObject<unknown, unknown>): string | undefined => {
  const ref = isRecord(spec) ? spec['projectRef'] : undefined
  return isRecord(ref) && typeof ref['name'] === 'string' ? ref['name'] : undefined
}

/** The Project that a StagelySecret, a Stagelet or a Rotation names. It need not exist. */
export const projectRefOf = (object: KubeObject<unknown, unknown>): ObjectRef => {
  const name = projectNameOf(object)
  if (name === undefined) throw new Error(`a ${object.kind} without spec.projectRef`)
  return { kind: 'Project', namespace: refOf(object).namespace, name }
}
