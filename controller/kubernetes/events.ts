// Copies events of the store about the cluster's objects to the cluster. Each event is a key of a work
// queue: a failed write is repeated later, and an event that the cluster has is not written again.
import type { Clock } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { lastSeenOf, timesSeen, type EventSpec } from '../../src/kinds/event/schema.ts'
import { keyOf, refFromKey, type KubeObject } from '../../src/resources/meta.ts'
import { specOf } from '../../src/kinds/typed.ts'
import { noState, done, waitFor, type Reconciler } from '../../src/runtime/control-loop.ts'
import type { Store } from '../../src/store/store.ts'
import type { Claims } from './claims.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { ClusterObjects } from './mirror.ts'
import { afterRetryAfter } from './retry-after.ts'
import { collectionPath, objectPath } from './paths.ts'

/** A cluster deletes events after an hour; an older event is not written again. */
const youngMs = 30 * 60_000

/** True for an event that should still be written, because the cluster may have been unreachable. */
export const isYoung = (event: KubeObject, clock: Clock): boolean => {
  const seenAt = lastSeenOf(event.spec ?? {})
  return clock.now() - Date.parse(seenAt) < youngMs
}

interface EventDeps {
  readonly store: Store
  readonly client: ClusterClient
  readonly mirror: ClusterObjects
  readonly claims: Pick<Claims, 'refused'>
}

export const createEventReconciler = (deps: EventDeps): Reconciler => ({
  name: 'kubernetes-events',
  notKnown: noState,
  reconcile: (key) =>
    afterRetryAfter(async () => {
      const event = await deps.store.get(refFromKey(key))
      if (event === undefined || aboutOf(deps, event) === undefined) return done
      const others = await deps.claims.refused(refFromKey(key).namespace)
      if (others !== undefined) return waitFor(others)
      await tellEvent(deps, event)
      return done
    }),
})

/** The cluster's object that the event is about. */
const aboutOf = ({ mirror }: EventDeps, event: KubeObject): KubeObject | undefined => {
  const { kind = '', namespace = '', name = '' } = specOf('Event', event).involvedObject
  return mirror.get(keyOf({ kind, namespace, name }))
}

const tellEvent = async (deps: EventDeps, event: KubeObject): Promise<void> => {
  const spec = specOf('Event', event)
  const { involvedObject, count, lastTimestamp, series } = spec
  const { namespace = '' } = involvedObject
  const { client } = deps
  const about = aboutOf(deps, event)
  if (about === undefined) return
  const ref = { kind: 'Event', namespace, name: event.metadata.name }
  const written = await client.get(objectPath(ref)).catch((error: unknown) => {
    if (!isReason(error, 'NotFound')) throw error
    return undefined
  })
  if (written === undefined) {
    const { uid, resourceVersion } = about.metadata
    await client.post(collectionPath('Event', namespace), {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: ref.name, namespace },
      ...spec,
      involvedObject: { ...involvedObject, uid, resourceVersion },
    })
  } else if (timesSeen(written as Partial<EventSpec>) < timesSeen(spec)) {
    // The version makes the write a compare-and-set: another replica may have counted further.
    const { uid, resourceVersion } = (written as KubeObject).metadata
    const patch = { metadata: { uid, resourceVersion }, count, lastTimestamp, series }
    await client.patch(objectPath(ref), patch, 'application/merge-patch+json')
  }
}
