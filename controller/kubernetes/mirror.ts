// What the cluster holds, as far as it has been told, and what has ended there.
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'

export interface Mirror {
  get(key: string): KubeObject | undefined
  /** Of the object that was removed last under this name since its kind was listed. */
  ended(key: string): KubeObject['metadata'] | undefined
  /** All objects of a kind. */
  list(kind: string): KubeObject[]
  put(object: KubeObject): void
  remove(last: KubeObject): void
  /** Replaces all of a kind, in one namespace or in all. */
  replace(kind: string, namespace: string | undefined, items: readonly KubeObject[]): void
}

/** Events come late by moments: older ends need no memory. */
const mostEnded = 1_000

export const createMirror = (): Mirror => {
  const objects = new Map<string, KubeObject>()
  const ended = new Map<string, KubeObject['metadata']>()
  const put = (object: KubeObject): void => {
    // Of no use here, and often the largest part.
    const { managedFields: _, ...metadata } = object.metadata
    objects.set(keyOf(refOf(object)), { ...object, metadata })
  }
  return {
    get: (key) => objects.get(key),
    ended: (key) => ended.get(key),
    list: (kind) => [...objects.values()].filter((object) => object.kind === kind),
    put,
    remove: (last) => {
      const key = keyOf(refOf(last))
      objects.delete(key)
      ended.delete(key)
      ended.set(key, last.metadata)
      const [oldest] = ended.keys()
      if (ended.size > mostEnded && oldest !== undefined) ended.delete(oldest)
    },
    replace: (kind, namespace, items) => {
      for (const map of [objects, ended])
        for (const key of [...map.keys()]) {
          const ref = refFromKey(key)
          if (ref.kind === kind && (namespace ?? ref.namespace) === ref.namespace) map.delete(key)
        }
      items.forEach(put)
    },
  }
}
