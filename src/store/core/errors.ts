// The store's errors, in the words of Kubernetes (which clients parse).
import { defined } from '../../kernel/defined.ts'
import {
  isReason,
  StagelyError,
  type DeniedAttempt,
  type ErrorDetails,
  type Fault,
} from '../../kernel/errors.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import { resourceNameOf } from '../../resources/kind-names.ts'
import { requireKind } from '../../kinds/index.ts'

/** Source of objects that a cluster's resources declare. */
export const clusterSource = 'kubernetes'

const detailsOf = (ref: ObjectRef): ErrorDetails => {
  const kind = requireKind(ref.kind)
  return { kind: kind.plural, group: kind.group, name: ref.name, namespace: ref.namespace }
}

const quoted = (ref: ObjectRef): string => `${resourceNameOf(requireKind(ref.kind))} "${ref.name}"`

export const objectNotFound = (ref: ObjectRef): StagelyError =>
  new StagelyError('NotFound', `${quoted(ref)} not found`, detailsOf(ref))

export const tooManyOwners = (name: string): StagelyError =>
  new StagelyError(
    'RequestEntityTooLarge',
    `metadata.managedFields of "${name}" would be too large: apply with one fieldManager, or forget who owns what by a patch of them to [{}]`,
  )

export const alreadyExists = (ref: ObjectRef, deleting = false): StagelyError =>
  new StagelyError(
    'AlreadyExists',
    deleting
      ? `object is being deleted: ${quoted(ref)} already exists`
      : `${quoted(ref)} already exists`,
    detailsOf(ref),
  )

export const objectConflict = (ref: ObjectRef, why?: string): StagelyError =>
  new StagelyError(
    'Conflict',
    `Operation cannot be fulfilled on ${quoted(ref)}: ${why ?? 'the object has been modified; please apply your changes to the latest version and try again'}`,
    detailsOf(ref),
  )

const remedyAt = (owner: string): string => {
  const adopt = 'or adopt it with the annotation stagely.dev/source=api'
  if (owner.startsWith('folder:')) return `change it there, ${adopt}`
  if (owner === clusterSource) return `change it in the cluster, ${adopt}`
  return 'change it by the API, or release it there (stagely admin adopt --release)'
}

export const ownedBy = (ref: ObjectRef, owner: string): StagelyError =>
  objectConflict(ref, `it is owned by ${owner}; ${remedyAt(owner)}`)

/** Another source owns an object inside: its container is not removed. */
export const holdsOwned = (ref: ObjectRef, content: ObjectRef, owner: string): StagelyError =>
  new StagelyError(
    'Conflict',
    `Operation cannot be fulfilled on ${quoted(ref)}: ${quoted(content)} in it is owned by ${owner}: delete it there first, or adopt it with the annotation stagely.dev/source=api`,
    detailsOf(ref),
  )

export const objectForbidden = (
  ref: ObjectRef,
  why: string,
  denied?: DeniedAttempt,
): StagelyError =>
  new StagelyError('Forbidden', `${quoted(ref)} is forbidden: ${why}`, {
    ...detailsOf(ref),
    ...defined({ denied }),
  })

export const invalidObject = (ref: ObjectRef, faults: readonly Fault[]): StagelyError => {
  const { group } = requireKind(ref.kind)
  const lines = faults.map((f) => `${f.field}: ${f.message}`)
  const list = lines.length === 1 ? (lines[0] ?? '') : `[${lines.join(', ')}]`
  const kind = group === '' ? ref.kind : `${ref.kind}.${group}`
  return new StagelyError('Invalid', `${kind} "${ref.name}" is invalid: ${list}`, {
    kind: ref.kind,
    group,
    name: ref.name,
    namespace: ref.namespace,
    faults,
  })
}

/** The rows do not match their MAC: somebody with access to the database has changed them. */
export const setTampered = (projectUid: string): StagelyError =>
  new StagelyError(
    'InternalError',
    `the secret set of project ${projectUid} does not match its MAC: rows were changed outside Stagely; restore the database or write the secrets anew`,
  )

/** Retention has dropped the set of a revision. Of any other failure nobody knows what is in the set. */
export const isNotKept = (error: unknown): boolean =>
  isReason(error, 'Expired') || isReason(error, 'NotFound')

/** A write of a leader after another replica has become the leader. */
class DeposedError extends StagelyError {}
export const isDeposed = (error: unknown): boolean => error instanceof DeposedError

export const callerGone = (): StagelyError =>
  new StagelyError('ServiceUnavailable', 'the client has gone before its write began')

/** Conflict. The loops of the old leader ignore it, and are stopped. */
export const deposed = (term: number, current: number): StagelyError =>
  new DeposedError('Conflict', `the leader of term ${term} was replaced; it is term ${current} now`)

/** SQLSTATE of a database error. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** Foreign errors become InternalError, without the text of the statement or of a row. */
export const internal = (error: unknown): unknown =>
  error instanceof Error && sqlStateOf(error) !== undefined && !(error instanceof StagelyError)
    ? new StagelyError('InternalError', `the database refused: ${error.message}`, {}, error)
    : error

export const expired = (after: number, compacted: number): StagelyError =>
  new StagelyError('Expired', `too old resource version: ${after} (${compacted})`)

export const wentBack = (): StagelyError =>
  new StagelyError(
    'ServiceUnavailable',
    'the database was restored, or has lost commits: this controller begins anew',
    { retryAfterSeconds: 1 },
  )
