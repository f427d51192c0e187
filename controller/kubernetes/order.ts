// In which order a cluster's states were: events may come twice, late, and out of their order.
import type { KubeObject } from '../../src/resources/meta.ts'

/** Versions of one kind count up, as the API conventions of Kubernetes say; others have no order. */
const isOlder = (a = '', b = ''): boolean => {
  const number = /^[1-9]\d*$/
  if (!number.test(a) || !number.test(b)) return false
  return a.length === b.length ? a < b : a.length < b.length
}

/** The newer one of two versions; the second where they have no order. */
export const newerVersion = (a: string, b: string): string => (isOlder(b, a) ? a : b)

/**
 * True for an event that tells of less than what is held: an older state, the end of another object of
 * this name, or a state of one that has `ended`.
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
