// Checks that every write of a user passes first: schema, namespace, preconditions and owner.
import { randomInt } from 'node:crypto'
import type { Fault } from '../../kernel/errors.ts'
import {
  annotations,
  refOf,
  requestAnnotations,
  type KubeObject,
  type ObjectMeta,
  type ObjectRef,
} from '../../resources/meta.ts'
import { resourceNameOf } from '../../resources/kind-names.ts'
import { requireKind } from '../../kinds/index.ts'
import { decodeObject } from '../../kinds/decode.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { systemSource } from '../core/actor.ts'
import {
  clusterSource,
  objectConflict,
  objectForbidden,
  invalidObject,
  objectNotFound,
  ownedBy,
} from '../core/errors.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'

const nameAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

const generateName = (prefix: string): string =>
  prefix.slice(0, 248) +
  Array.from({ length: 5 }, () => nameAlphabet[randomInt(nameAlphabet.length)]).join('')

/** Checks by the schema and applies defaults; Invalid with all faults. Cluster-scoped kinds lose their namespace. */
export const admit = (object: KubeObject): KubeObject => {
  const { object: decoded, faults } = decodeObject(object)
  const namespaced = requireKind(object.kind).namespaced
  const all: Fault[] = [...faults]
  if (namespaced && (object.metadata.namespace ?? '') === '') {
    const message = 'Required value'
    all.push({ field: 'metadata.namespace', reason: 'FieldValueRequired', message })
  }
  if (decoded === undefined || all.length > 0) throw invalidObject(refOf(object), all)
  const { metadata } = decoded
  const name = metadata.name === '' ? generateName(metadata.generateName ?? '') : metadata.name
  return { ...decoded, metadata: { ...metadata, name } }
}

/** NotFound for an absent namespace, Forbidden for one that is being deleted. */
export const checkNamespace = (session: WriteSession, ref: ObjectRef): void => {
  if (!requireKind(ref.kind).namespaced) return
  const namespaceRef = { kind: 'Namespace', namespace: '', name: ref.namespace }
  const row = session.fetch(namespaceRef)
  if (row === undefined) throw objectNotFound(namespaceRef)
  if (row.object.metadata.deletionTimestamp === undefined) return
  throw objectForbidden(
    ref,
    `unable to create new content in namespace ${ref.namespace} because it is being terminated`,
  )
}

/** Conflict when the uid or resourceVersion that the caller knows is not the current one. */
export const checkPreconditions = (
  current: StoredRow,
  expected: { uid?: string | undefined; resourceVersion?: string | undefined },
): void => {
  const ref = refOf(current.object)
  if (expected.uid !== undefined && expected.uid !== current.uid) {
    throw objectConflict(
      ref,
      `Precondition failed: UID in precondition: ${expected.uid}, UID in object meta: ${current.uid}`,
    )
  }
  const version = expected.resourceVersion
  if (version === undefined || version === '') return
  if (!/^\d+$/.test(version)) {
    throw new StagelyError(
      'BadRequest',
      `metadata.resourceVersion of ${resourceNameOf(requireKind(ref.kind))} "${ref.name}" is not a version`,
    )
  }
  if (Number(version) !== current.rv) throw objectConflict(ref)
}

/** True where no other source owns the object. A team that was made for a cluster's objects has no owner. */
export const isFree = (
  { actor: { source } }: WriteSession,
  { source: owner, object: { kind } }: StoredRow,
): boolean =>
  source === owner ||
  source === systemSource ||
  owner === systemSource ||
  (owner === clusterSource && kind === 'Namespace')

/** Conflict that names the owner, where another source owns the object. */
export const checkOwner = (session: WriteSession, current: StoredRow): void => {
  if (!isFree(session, current)) throw ownedBy(refOf(current.object), current.source)
}

const owned = (metadata: ObjectMeta): unknown => {
  const { labels = {}, annotations: notes = {}, ownerReferences = [] } = metadata
  const free: string[] = [annotations.source, annotations.valueSource, ...requestAnnotations]
  const kept = Object.entries(notes).filter(([name]) => !free.includes(name))
  return { labels, annotations: Object.fromEntries(kept), ownerReferences }
}

/** True where labels, annotations or owner references change that only the owner may change. Any source may change those of a team. */
export const changesOwned = (next: KubeObject, current: StoredRow): boolean =>
  next.kind !== 'Namespace' && !sameJson(owned(next.metadata), owned(current.object.metadata))

/** True for sources that create their objects again when these are deleted here. */
export const isDeclaring = (source: string): boolean =>
  source === clusterSource || source.startsWith('folder:')

/** True where a manifest declares an object that the store has made by itself, such as the Agent of a join token. */
export const isTakeover = ({ actor }: WriteSession, { source, object }: StoredRow): boolean =>
  source === systemSource && object.kind !== 'Namespace' && isDeclaring(actor.source)

/** The new owner that an API user names by annotation: the API, or none until a source declares the object. */
export const handedTo = (
  { actor }: WriteSession,
  object: KubeObject,
  current: StoredRow,
): 'api' | typeof systemSource | undefined => {
  const to = object.metadata.annotations?.[annotations.source]
  if (actor.source !== 'api' || to === current.source) return undefined
  return to === 'api' || to === systemSource ? to : undefined
}

/** Adds the annotation that shows the owner. */
export const withSource = (metadata: ObjectMeta, source: string): ObjectMeta => ({
  ...metadata,
  annotations: { ...metadata.annotations, [annotations.source]: source },
})
