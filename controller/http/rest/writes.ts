// Writes of objects. Field ownership is tracked as in the Kubernetes-style API: for server-side apply,
// the REST API is another manager.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { refOf } from '../../../src/resources/meta.ts'
import { apiVersionOf } from '../../../src/resources/kind-names.ts'
import { requireKind } from '../../../src/kinds/index.ts'
import type { Transaction } from '../../../src/store/store.ts'
import { managedAfterUpdate, withKnownValue, type Who } from '../kube/tracking.ts'
import { restNotFound } from './access.ts'
import { requireMatch } from './etag.ts'

const manager = 'stagely-rest'

const whoOf = (kind: string): Who => ({
  manager,
  apiVersion: apiVersionOf(requireKind(kind)),
  subresource: '',
})

export const createTracked = (
  tx: Transaction,
  object: KubeObject,
  nowMs: number,
): Promise<KubeObject> => {
  const change = { before: undefined, after: object, now: toTimestamp(nowMs) }
  const who = whoOf(object.kind)
  return tx.create(object, {
    managedFields: managedAfterUpdate(requireKind(object.kind), { who, ...change }),
  })
}

/** The present object. NotFound when it was deleted meanwhile, PreconditionFailed when it has changed. */
export const readAgain = async (
  tx: Transaction,
  object: KubeObject,
  ifMatch: string | undefined,
): Promise<KubeObject> => {
  const current = await tx.get(refOf(object))
  if (current === undefined || current.metadata.uid !== object.metadata.uid)
    throw restNotFound(object.kind.toLowerCase(), object.metadata.name)
  requireMatch(current, ifMatch)
  return current
}

/** `before` is the result of readAgain(). */
export const updateTracked = async (
  tx: Transaction,
  before: KubeObject,
  after: KubeObject,
  nowMs: number,
): Promise<KubeObject> => {
  const stored = await withKnownValue(tx, before, after)
  const change = { who: whoOf(after.kind), before: stored, after, now: toTimestamp(nowMs) }
  const managedFields = managedAfterUpdate(requireKind(after.kind), change)
  return tx.update(after, { managedFields })
}
