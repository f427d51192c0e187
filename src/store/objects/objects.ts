// Writes of users: create and update. See Transaction in store.ts for what each one promises.
import { randomUUID } from 'node:crypto'
import { defined } from '../../kernel/defined.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import {
  admit,
  checkNamespace,
  checkOwner,
  checkPreconditions,
  changesOwned,
  handedTo,
  isTakeover,
} from './admission.ts'
import { systemSource } from '../core/actor.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { alreadyExists, objectForbidden, ownedBy } from '../core/errors.ts'
import { moveProjectKeys } from './move-keys.ts'
import { keyProviderOf, wantedRing } from '../secrets/project-ring.ts'
import { newMetadata, nextMetadata, tracked } from './object-metadata.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import { withRules } from './project-rules.ts'
import { ensureProject, loadProject, noteArrival } from '../secrets/projects.ts'
import type { ProjectState } from '../core/project-state.ts'
import { leavesStack, noteReleased } from './released-stacks.ts'
import { createRequest, withOwnName } from './access-requests.ts'
import { preparePolicy } from './access-policies.ts'
import { checkWrite } from '../places/check-place.ts'
import { finishRemoval } from './removal.ts'
import { layOut } from '../secrets/environments.ts'
import type { PreparedSecret } from '../secrets/prepared-secret.ts'
import { prepareSecret, putSecret } from '../secrets/secret-writes.ts'
import type { AuditEntry, StoredRow, WriteSession } from '../core/write-session.ts'
import { checkChange, checkNew, withStatusOfSpec } from './kind-rules.ts'
import type { Tracking } from '../core/objects.ts'
import type { FoundValue } from '../secrets/disclosure.ts'
import { fillsOpenValue } from '../secrets/value-owner.ts'

const initialStatus = (
  object: KubeObject,
  project: ProjectState | undefined,
): Record<string, unknown> | undefined => {
  if (object.kind === 'Namespace') return { phase: 'Active' }
  return project === undefined || project.closed === 0 ? undefined : { revision: project.closed }
}

/** What people do with a request goes by its own routes. */
const checkNoRequest = (object: KubeObject): void => {
  if (object.kind !== 'AccessRequest') return
  throw objectForbidden(
    refOf(object),
    'a request never changes: approve, deny, cancel or revoke it (stagely access), or make another one',
  )
}

/** Options of callers inside the store. */
interface WriteMore {
  readonly tracking?: Tracking | undefined
  /** A value for a secret that takes the place of the one in its spec. */
  readonly putBack?: FoundValue
  /** An audit entry that takes the place of `create` or `update`. */
  readonly audit?: AuditEntry
}

export const createInSession = async (
  session: WriteSession,
  input: KubeObject,
  more: WriteMore & {
    uid?: string
    /** The actor's by default. */
    source?: string
    /** The status that a restored secret keeps. */
    status?: KubeObject['status']
  } = {},
): Promise<KubeObject> => {
  const admitted = admit(withOwnName(input))
  const ref = refOf(admitted)
  checkNamespace(session, ref)
  checkWrite(session, { after: admitted })
  const existing = session.fetch(ref)
  const { source = session.actor.source } = more
  if (existing !== undefined) {
    const foreign = existing.source !== source && existing.source !== systemSource
    if (foreign && source !== systemSource) throw ownedBy(ref, existing.source)
    throw alreadyExists(ref, existing.object.metadata.deletionTimestamp !== undefined)
  }
  const project = await beginProject(session, admitted)
  const uid = more.uid ?? project?.uid ?? randomUUID()
  const metadata = tracked(newMetadata(session, admitted, { uid, source }), more.tracking)
  const object: KubeObject = { ...admitted, metadata, ...(more.status && { status: more.status }) }
  if (object.kind === 'StagelySecret') {
    const { putBack, audit = { action: 'create' } } = more
    if (more.uid === undefined) session.newSecrets.add(uid)
    const prepared = await prepareSecret(session, object, { current: undefined, putBack })
    return (await putSecret(session, prepared, { source, audit })).object
  }
  if (object.kind === 'AccessRequest') return (await createRequest(session, object)).object
  checkNew(session, object)
  if (object.kind === 'Stagelet') await noteStagelet(session, object)
  if (object.kind === 'Namespace') object.spec = { finalizers: ['kubernetes'] }
  const status = initialStatus(object, project)
  const made = await preparePolicy(session, { ...object, ...defined({ status }) }, undefined)
  const row = session.put(
    withStatusOfSpec(session, made, undefined),
    source,
    undefined,
    object.kind === 'Event' ? undefined : withRules({ action: 'create' }, object, undefined),
  )
  if (project !== undefined && project.row.keyProvider !== keyProviderOf(object))
    await moveProjectKeys(session, row.object)
  await layOut(session, { before: undefined, after: row.object })
  return latest(session, row)
}

/** The object, which a step after its own change may have changed once more. */
const latest = (session: WriteSession, { object }: StoredRow): KubeObject =>
  session.fetch(refOf(object))?.object ?? object

/** The row of a Project that is created. Secrets that name the Project may have begun it. */
const beginProject = async (
  session: WriteSession,
  object: KubeObject,
): Promise<ProjectState | undefined> => {
  if (object.kind !== 'Project') return undefined
  wantedRing(session, object)
  const project = await ensureProject(session, object)
  noteArrival(session, project)
  return project
}

/** The secrets of a new stagelet may still be on their way. */
const noteStagelet = async (session: WriteSession, object: KubeObject): Promise<void> => {
  const project = await loadProject(session, projectRefOf(object))
  if (project !== undefined) noteArrival(session, project)
}

interface Update {
  readonly object: KubeObject
  readonly secret: PreparedSecret | undefined
  readonly source: string
  /** The new owner, where an API user hands the object over. */
  readonly newOwner: string | undefined
}

/** The object as it would be stored. The caller finds out whether anything changes. */
const prepareUpdate = async (
  session: WriteSession,
  admitted: KubeObject,
  current: StoredRow,
  { tracking, putBack }: WriteMore,
): Promise<Update> => {
  const newOwner = handedTo(session, admitted, current)
  const taken = isTakeover(session, current) ? session.actor.source : current.source
  const source = newOwner ?? taken
  const metadata = tracked(nextMetadata(session, admitted, current, source), tracking)
  const object: KubeObject = { ...admitted, metadata }
  if (current.object.status !== undefined) object.status = current.object.status
  if (object.kind === 'Namespace') object.spec = current.object.spec ?? {}
  if (object.kind !== 'StagelySecret') return { object, secret: undefined, source, newOwner }
  const secret = await prepareSecret(session, object, { current, putBack })
  return { object: secret.object, secret, source, newOwner }
}

/** Conflict where the change is one that only the owner may make. */
const checkChangeOwner = (
  session: WriteSession,
  next: KubeObject,
  current: StoredRow,
  changesSpec: boolean,
): void => {
  const isForOwner =
    (changesSpec && !fillsOpenValue(session, next, current)) || changesOwned(next, current)
  if (isForOwner) checkOwner(session, current)
}

const actionOf = (newOwner: string | undefined): string => {
  if (newOwner === undefined) return 'update'
  return newOwner === systemSource ? 'release' : 'adopt'
}

/** What follows from a changed spec of a Project or a stagelet. */
const followSpec = async (
  session: WriteSession,
  before: KubeObject,
  after: KubeObject,
): Promise<void> => {
  if (after.kind === 'Project' && keyProviderOf(after) !== keyProviderOf(before))
    await moveProjectKeys(session, after)
  await layOut(session, { before, after })
}

/** The object is being deleted, and has lost its last finalizer. */
const isReleased = ({ metadata }: KubeObject): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.finalizers === undefined

export const updateInSession = async (
  session: WriteSession,
  input: KubeObject,
  more: WriteMore = {},
): Promise<KubeObject> => {
  const admitted = admit(input)
  const current = session.require(refOf(admitted))
  checkWrite(session, { before: current.object, after: admitted })
  checkPreconditions(current, admitted.metadata)
  checkNoRequest(admitted)
  const { object, secret, source, newOwner } = await prepareUpdate(session, admitted, current, more)
  const changesSpec = secret?.version !== undefined || !sameJson(object.spec, current.object.spec)
  const sameMetadata = sameJson(object.metadata, current.object.metadata, ['resourceVersion'])
  if (!changesSpec && sameMetadata && secret?.learns !== true) return current.object
  if (newOwner === undefined) checkChangeOwner(session, object, current, changesSpec)
  if (changesSpec) checkChange(session, object, current.object)
  if (object.kind === 'Stagelet' && leavesStack(object, current.object))
    await noteReleased(session, current)
  const generation = (current.object.metadata.generation ?? 0) + (changesSpec ? 1 : 0)
  const changed: KubeObject = { ...object, metadata: { ...object.metadata, generation } }
  const prepared = changesSpec ? await preparePolicy(session, changed, current.object) : changed
  const next = withStatusOfSpec(session, prepared, current.object)
  const audit = withRules(more.audit ?? { action: actionOf(newOwner) }, next, current.object)
  const row =
    secret === undefined
      ? session.put(next, source, current, next.kind === 'Event' ? undefined : audit)
      : await putSecret(session, { ...secret, object: next }, { current, source, audit })
  if (changesSpec) await followSpec(session, current.object, row.object)
  return isReleased(row.object) ? finishRemoval(session, row) : latest(session, row)
}
