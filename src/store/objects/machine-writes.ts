// Objects that machines alone write: Events and internal objects.
import { createHash, randomUUID } from 'node:crypto'
import { append } from '../../kernel/append.ts'
import { defined } from '../../kernel/defined.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { eventSpec, type EventSpec } from '../../kinds/event/schema.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { fitTo } from '../../resources/validation/fit.ts'
import type { EventInput } from '../core/objects.ts'
import type { WriteSession } from '../core/write-session.ts'
import { noticesOf } from './notices.ts'

const component = 'stagely-controller'

/** See Transaction.putInternal. */
export const putInternal = (session: WriteSession, object: KubeObject): void => {
  const row = session.fetch(refOf(object))
  if (row !== undefined && sameJson(object.spec, row.object.spec)) return
  const metadata = {
    ...object.metadata,
    uid: row?.uid ?? randomUUID(),
    creationTimestamp: row?.object.metadata.creationTimestamp ?? session.now,
    generation: (row?.object.metadata.generation ?? 0) + 1,
  }
  session.put({ ...object, metadata }, 'system', row)
}

/** Equal events have the same name, so that a repeated one is found by its name. */
const refOfEvent = ({ regarding, type, reason, message }: EventInput): ObjectRef => {
  const about = refOf(regarding)
  const content = JSON.stringify([about.kind, regarding.metadata.uid, type, reason, message])
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16)
  const namespace = about.namespace === '' ? 'default' : about.namespace
  return { kind: 'Event', namespace, name: `${about.name.slice(0, 230)}.${hash}` }
}

const isTakingObjects = (session: WriteSession, namespace: string): boolean => {
  const row = session.fetch({ kind: 'Namespace', namespace: '', name: namespace })
  return row !== undefined && row.object.metadata.deletionTimestamp === undefined
}

/** See Transaction.recordEvent. */
export const recordEvent = (session: WriteSession, input: EventInput): void => {
  const message = fitTo(eventSpec.shape.message, input.message).value
  const event = { ...input, message }
  const { regarding, type, reason } = event
  const ref = refOfEvent(event)
  const { namespace, name } = ref
  if (!isTakingObjects(session, namespace)) return
  const row = session.fetch(ref)
  const old = row && specOf('Event', row.object)
  const { now } = session
  const about = refOf(regarding)
  const spec: EventSpec = {
    involvedObject: {
      apiVersion: regarding.apiVersion,
      kind: about.kind,
      name: about.name,
      namespace: about.namespace,
      ...defined({ uid: regarding.metadata.uid }),
    },
    reason,
    message,
    type,
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: old?.firstTimestamp ?? now,
    lastTimestamp: now,
    count: (old?.count ?? 0) + 1,
  }
  const metadata = row?.object.metadata ?? {
    name,
    namespace,
    uid: randomUUID(),
    creationTimestamp: now,
  }
  session.put({ apiVersion: 'v1', kind: 'Event', metadata, spec: { ...spec } }, 'system', row)
  append(session.changes.notices, noticesOf(session, event))
}
