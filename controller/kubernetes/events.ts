// Events of the store about the cluster's objects, told in the cluster.
import { isReason, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { EventSpec } from '../../src/resources/core.ts'
import { keyOf, type KubeObject } from '../../src/resources/meta.ts'
import type { ClusterClient } from './cluster-client.ts'
import type { Mirror } from './mirror.ts'
import { collectionPath, objectPath } from './paths.ts'

/** Tells one event; a cluster that does not take it loses that event, and nothing else. */
export const tellEvent = async (
  { client, mirror, log }: { client: ClusterClient; mirror: Mirror; log: Logger },
  event: KubeObject,
): Promise<void> => {
  const spec = event.spec as EventSpec | undefined
  if (spec === undefined) return
  const { involvedObject, count, lastTimestamp } = spec
  const { kind, namespace, name } = involvedObject
  const about = mirror.get(keyOf({ kind, namespace, name }))
  if (about === undefined) return
  const ref = { kind: 'Event', namespace, name: event.metadata.name }
  const body = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: ref.name, namespace },
    ...spec,
    involvedObject: {
      ...involvedObject,
      uid: about.metadata.uid,
      resourceVersion: about.metadata.resourceVersion,
    },
  }
  try {
    await client.post(collectionPath('Event', namespace), body)
  } catch (error) {
    if (!isReason(error, 'AlreadyExists') && !isReason(error, 'Conflict')) {
      log.warn(
        { event: ref.name, reason: messageOf(error) },
        'an event could not be told in the cluster',
      )
      return
    }
    await client
      .patch(objectPath(ref), { count, lastTimestamp }, 'application/merge-patch+json')
      .catch((reason: unknown) => {
        log.warn(
          { event: ref.name, reason: messageOf(reason) },
          'an event could not be counted in the cluster',
        )
      })
  }
}
