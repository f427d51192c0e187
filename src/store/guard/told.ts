// An object as a write tells of it to who made the write.
import type { KubeObject } from '../../resources/meta.ts'
import type { WriteSession } from '../core/write-session.ts'
import { withOwnDigests } from './digests.ts'
import { withoutLogs } from '../places/log-lines.ts'
import { rightsOf } from '../core/actor.ts'

export const toldTo = (
  { actor, view }: Pick<WriteSession, 'actor' | 'view'>,
  object: KubeObject,
): KubeObject => {
  if (actor.source !== 'api') return object
  const readsLogs = rightsOf(actor).mayReadLogs(object.metadata.namespace ?? '')
  return withOwnDigests(view, readsLogs ? object : withoutLogs(object))
}
