// A copy in memory of the cluster's objects, and of the last deletions. Events may arrive twice, late, or
// out of order.
import { keyOf, refFromKey, refOf, type KubeObject } from '../../src/resources/meta.ts'

export interface ClusterObjects {
  get(key: string): KubeObject | undefined
  /** All objects of a kind. */
  list(kind: string): KubeObject[]
  put(object: KubeObject): void
  /** Takes an event of a watch; false for one that is older than what is known, and says nothing. */
  change(type: string, object: KubeObject): boolean
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
  const remove = (key: string, { metadata }: KubeObject): void => {
    objects.delete(key)
    ended.delete(key)
    ended.set(key, metadata)
    const [oldest] = ended.keys()
    if (ended.size > maxEnded && oldest !== undefined) ended.delete(oldest)
  }
  return {
    get: (key) => objects.get(key),
    list: (kind) => [...objects.values()].filter((object) => object.kind === kind),
    put,
    change: (type, object) => {
      const key = keyOf(refOf(object))
      if (isLate(type, object, objects.get(key), ended.get(key))) return false
      if (type === 'DELETED') remove(key, object)
      else put(object)
      return true
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

/** resourceVersions of one kind rise, by the Kubernetes API conventions; other texts have no order. */
const isOlder = (a = '', b = ''): boolean => {
  const number = /^[1-9]\d*$/
  if (!number.test(a) || !number.test(b)) return false
  return a.length === b.length ? a < b : a.length < b.length
}

/** The newer one of two versions; the second one when they have no order. */
export const newerVersion = (a: string, b: string): string => (isOlder(b, a) ? a : b)

/**
 * True for an event that is older than the known state: an older version, the deletion of another
 * object of this name, or a state of an object that was deleted (`ended`).
 */
export const isLate = (
  type: string,
  object: KubeObject,
  held: KubeObject | undefined,
  ended: KubeObject['metadata'] | undefined,
): boolean => {
  const { uid, resourceVersion } = object.metadata
  if (ended !== undefined && uid !== undefined && uid === ended.uid) return true
  if (isOlder(resourceVersion, ended?.resourceVersion)) return true
  if (held === undefined) return false
  if (type === 'DELETED' && uid !== held.metadata.uid) return true
  return isOlder(resourceVersion, held.metadata.resourceVersion)
}
