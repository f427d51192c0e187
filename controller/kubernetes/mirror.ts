// What the cluster holds, as far as it has been told.
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../src/resources/meta.ts'

export interface Mirror {
  get(key: string): KubeObject | undefined
  /** All objects of a kind. */
  list(kind: string): KubeObject[]
  put(object: KubeObject): void
  remove(ref: ObjectRef): void
  /** Replaces all of a kind, in one namespace or in all. */
  replace(kind: string, namespace: string | undefined, items: readonly KubeObject[]): void
}

export const createMirror = (): Mirror => {
  const objects = new Map<string, KubeObject>()
  const put = (object: KubeObject): void => {
    // Of no use here, and often the largest part.
    const { managedFields: _, ...metadata } = object.metadata
    objects.set(keyOf(refOf(object)), { ...object, metadata })
  }
  const list = (kind: string): KubeObject[] =>
    [...objects.values()].filter((object) => object.kind === kind)
  return {
    get: (key) => objects.get(key),
    list,
    put,
    remove: (ref) => objects.delete(keyOf(ref)),
    replace: (kind, namespace, items) => {
      for (const object of list(kind)) {
        const ref = refOf(object)
        if (namespace === undefined || namespace === ref.namespace) objects.delete(keyOf(ref))
      }
      items.forEach(put)
    },
  }
}
