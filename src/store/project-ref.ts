import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'

/** The Project that a StagelySecret or a Stagelet names, whether it is there or not. */
export const projectOf = (object: KubeObject): ObjectRef => {
  const { projectRef } = object.spec as { projectRef: { name: string } }
  return { kind: 'Project', namespace: refOf(object).namespace, name: projectRef.name }
}
