// The metadata of objects that users write.
import { defined } from '../../kernel/defined.ts'
import { agentFinalizer, refOf, type KubeObject, type ObjectMeta } from '../../resources/meta.ts'
import { withSource } from './admission.ts'
import { invalidObject, tooManyOwners } from '../core/errors.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import type { Tracking } from '../core/objects.ts'
import { withValueSource } from '../secrets/value-owner.ts'

const namespaceLabel = 'kubernetes.io/metadata.name'

/** Limit of managedFields (bytes). Each new manager adds to them; each change stores and sends all of them. */
const maxManaged = 1_048_576

/** The metadata with the managedFields of the API, where it has any. */
export const tracked = (metadata: ObjectMeta, tracking: Tracking | undefined): ObjectMeta => {
  const managedFields = tracking?.managedFields
  if (managedFields === undefined) return metadata
  if (JSON.stringify(managedFields).length > maxManaged) throw tooManyOwners(metadata.name)
  const { managedFields: _, ...others } = metadata
  return managedFields.length === 0 ? others : { ...others, managedFields: [...managedFields] }
}

export const newMetadata = (
  session: WriteSession,
  object: KubeObject,
  { uid, source }: { uid: string; source: string },
): ObjectMeta => {
  const { name, generateName, namespace, labels, annotations, finalizers, ownerReferences } =
    object.metadata
  const ends = new Set(finalizers ?? [])
  if (object.kind === 'Stagelet') ends.add(agentFinalizer)
  const metadata: ObjectMeta = {
    name,
    ...defined({ generateName }),
    ...(object.kind !== 'Namespace' && { namespace: namespace ?? '' }),
    uid,
    generation: 1,
    creationTimestamp: session.now,
    ...defined({ labels, annotations, ownerReferences }),
    ...(ends.size > 0 && { finalizers: [...ends] }),
  }
  if (object.kind === 'Namespace') metadata.labels = { ...labels, [namespaceLabel]: name }
  const own = withValueSource(session, metadata, object, { owner: source, before: undefined })
  return withSource(own, source)
}

/**
 * Where the new object has no finalizers: an API client removes them, as in Kubernetes. Manifests never have the agent's
 * finalizer, so that they do not remove any.
 */
const nextFinalizers = (
  session: WriteSession,
  object: KubeObject,
  current: KubeObject,
): string[] | undefined => {
  const old = current.metadata.finalizers
  const given = object.metadata.finalizers
  const next = given ?? (session.actor.source === 'api' ? undefined : old)
  const added = (next ?? []).filter((f) => !(old ?? []).includes(f))
  if (current.metadata.deletionTimestamp !== undefined && added.length > 0) {
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers: ${added.join(', ')}`
    throw invalidObject(refOf(object), [
      { field: 'metadata.finalizers', reason: 'FieldValueForbidden', message },
    ])
  }
  return next === undefined || next.length === 0 ? undefined : next
}

export const nextMetadata = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow,
  source: string,
): ObjectMeta => {
  const {
    labels: _,
    annotations: __,
    finalizers: ___,
    ownerReferences: ____,
    ...kept
  } = current.object.metadata
  const { labels, annotations, ownerReferences } = object.metadata
  const finalizers = nextFinalizers(session, object, current.object)
  const before = current.object.metadata
  const ours = object.kind === 'Namespace' ? { [namespaceLabel]: object.metadata.name } : undefined
  const next: ObjectMeta = {
    ...kept,
    ...((labels ?? ours) && { labels: { ...labels, ...ours } }),
    ...defined({ annotations, finalizers, ownerReferences }),
  }
  return withSource(withValueSource(session, next, object, { owner: source, before }), source)
}
