// The order of a cluster's states: events may arrive twice, late, or out of order.
import type { KubeObject } from '../../src/resources/meta.ts'

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
