// A copy in memory of the cluster's objects, and of the last deletions.
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'

export interface ClusterObjects {
  get(key: string): KubeObject | undefined
  /** Metadata of the object that was deleted last under this name, since its kind was listed. */
  ended(key: string): KubeObject['metadata'] | undefined
  /** All objects of a kind. */
  list(kind: string): KubeObject[]
  put(object: KubeObject): void
  remove(last: KubeObject): void
  /** Replaces all objects of a kind, in one namespace or in all. */
  replace(kind: string, namespace: string | undefined, items: readonly KubeObject[]): void
}

/** Events are late by moments only: older deletions need not be remembered. */
const maxEnded = 1_000

export const createClusterObjects = (): ClusterObjects => {
  const objects = new Map<string, KubeObject>()
  const ended = new Map<string, KubeObject['metadata']>()
  const put = (object: KubeObject): void => {
    // Not used here, and often the largest part.
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
      if (ended.size > maxEnded && oldest !== undefined) ended.delete(oldest)
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
