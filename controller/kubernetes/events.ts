// Events of the store about the cluster's objects, told in the cluster. Each is a key of a work queue:
// what cannot be told now is told later, and what the cluster knows already is not told again.
import type { Clock } from '../../src/kernel/clock.ts'
import { isReason } from '../../src/kernel/errors.ts'
import { lastSeenOf, timesSeen, type EventSpec } from '../../src/resources/core.ts'
import { keyOf, refFromKey, type KubeObject } from '../../src/resources/meta.ts'
import { done, waitFor, type Reconciler } from '../../src/runtime/control-loop.ts'
import type { Store } from '../../src/store/store.ts'
import type { Claims } from './claims.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { Mirror } from './mirror.ts'
import { patiently } from './patience.ts'
import { collectionPath, objectPath } from './paths.ts'

/** A cluster forgets events after an hour; what it may have forgotten is not told anew. */
const youngMs = 30 * 60_000

/** True for an event that a cluster which was not there is still to hear of. */
export const isYoung = (event: KubeObject, clock: Clock): boolean => {
  const seen = lastSeenOf(event.spec ?? {})
  return clock.now() - Date.parse(seen) < youngMs
}

export interface EventDeps {
  readonly store: Store
  readonly client: ClusterClient
  readonly mirror: Mirror
  readonly claims: Pick<Claims, 'refused'>
}

export const createEventReconciler = (deps: EventDeps): Reconciler => ({
  name: 'kubernetes-events',
  reconcile: (key) =>
    patiently(async () => {
      const event = await deps.store.get(refFromKey(key))
      if (event === undefined || aboutOf(deps, event) === undefined) return done
      const others = await deps.claims.refused(refFromKey(key).namespace)
      if (others !== undefined) return waitFor(others)
      await tellEvent(deps, event)
      return done
    }),
})

/** The cluster's object that it is about. */
const aboutOf = ({ mirror }: EventDeps, { spec }: KubeObject): KubeObject | undefined => {
  const {
    kind = '',
    namespace = '',
    name = '',
  } = (spec as EventSpec | undefined)?.involvedObject ?? {}
  return mirror.get(keyOf({ kind, namespace, name }))
}

const tellEvent = async (deps: EventDeps, event: KubeObject): Promise<void> => {
  const spec = event.spec as EventSpec | undefined
  if (spec === undefined) return
  const { involvedObject, count, lastTimestamp, series } = spec
  const { namespace = '' } = involvedObject
  const { client } = deps
  const about = aboutOf(deps, event)
  if (about === undefined) return
  const ref = { kind: 'Event', namespace, name: event.metadata.name }
  const told = await client.get(objectPath(ref)).catch((error: unknown) => {
    if (!isReason(error, 'NotFound')) throw error
    return undefined
  })
  if (told === undefined) {
    const { uid, resourceVersion } = about.metadata
    await client.post(collectionPath('Event', namespace), {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: ref.name, namespace },
      ...spec,
      involvedObject: { ...involvedObject, uid, resourceVersion },
    })
  } else if (timesSeen(told as Partial<EventSpec>) < timesSeen(spec)) {
    // The version makes it a compare-and-set: another may have counted further.
    const { uid, resourceVersion } = (told as KubeObject).metadata
    const patch = { metadata: { uid, resourceVersion }, count, lastTimestamp, series }
    await client.patch(objectPath(ref), patch, 'application/merge-patch+json')
  }
}
