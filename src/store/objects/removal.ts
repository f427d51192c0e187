// Deletes objects: after the last finalizer, the object is removed with everything that depends on it.
import { previewLabel, refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { byApplyOrder } from '../../kinds/index.ts'
import { checkOwner, checkPreconditions, isDeclaring, isFree } from './admission.ts'
import { objectForbidden, holdsOwned } from '../core/errors.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import {
  destroyProjectsIn,
  dropIfUnused,
  destroyProject,
  loadProject,
  projectAt,
} from '../secrets/projects.ts'
import { checkPlace } from '../places/check-place.ts'
import { ownSecretsOf } from '../places/protection.ts'
import { noteReleased } from './released-stacks.ts'
import { endSecret } from '../secrets/store-version.ts'
import type { Removed } from '../core/objects.ts'
import type { AuditEntry, StoredRow, WriteSession } from '../core/write-session.ts'
import { resetInSync, stageletsOf } from '../secrets/reset-in-sync.ts'
import { term } from '../state/rows.ts'
import { layOut } from '../secrets/environments.ts'
import { keepDeleted } from '../secrets/deleted-secrets.ts'

/** Conflict where another source declares an object inside: it would create the object again. */
const checkContents = (
  session: WriteSession,
  ref: ObjectRef,
  contents: readonly StoredRow[],
): void => {
  const foreign = contents.find((row) => isDeclaring(row.source) && !isFree(session, row))
  if (foreign !== undefined) throw holdsOwned(ref, refOf(foreign.object), foreign.source)
}

const endValueOf = async (session: WriteSession, row: StoredRow): Promise<void> => {
  const ref = projectRefOf(row.object)
  const project = await loadProject(session, ref)
  if (project === undefined) return // gone with all its versions
  const stagelets = stageletsOf(session, ref)
  const entry = endSecret(session, project, row.uid)
  if (entry !== undefined) keepDeleted(session, project, row)
  session.removed.push(row.object)
  await resetInSync(session, project, { stagelets, entries: [entry] })
}

/** The secrets of a preview are made for it alone. What a source declares is the source's to take away. */
const endOwnSecrets = async (session: WriteSession, stagelet: KubeObject): Promise<void> => {
  if (stagelet.metadata.labels?.[previewLabel] === undefined) return
  for (const secret of ownSecretsOf(session.view, stagelet)) {
    const row = session.require(refOf(secret))
    if (!isDeclaring(row.source)) await removeRow(session, row)
  }
}

/** Removes everything that depends on the object. */
const release = async (session: WriteSession, row: StoredRow): Promise<void> => {
  const ref = refOf(row.object)
  switch (row.object.kind) {
    case 'StagelySecret':
      return endValueOf(session, row)
    case 'Agent':
      session.changes.agents.push({ uid: row.uid, namespace: ref.namespace, name: ref.name })
      return
    case 'Stagelet':
      await noteReleased(session, row)
      await endOwnSecrets(session, row.object)
      for (const report of session.select(term.reportsOf(ref.namespace, row.uid)))
        session.drop(report)
      await layOut(session, { before: row.object, after: undefined })
  }
}

/** Removes the object now. A terminating namespace is removed with its last object. */
export const finishRemoval = async (
  session: WriteSession,
  row: StoredRow,
  audit?: AuditEntry,
): Promise<KubeObject> => {
  await release(session, row)
  const last = session.drop(row, audit)
  // The secrets stay: a new Project of this name gets them (ADR 0044).
  if (row.object.kind === 'Project') dropIfUnused(session, refOf(last))
  const { namespace, kind } = refOf(last)
  if (kind !== 'Namespace' && kind !== 'Event') finishNamespace(session, namespace)
  return last
}

/** Removes a terminating namespace that holds only events and reports. */
export const finishNamespace = (session: WriteSession, name: string): KubeObject | undefined => {
  const row = session.fetch({ kind: 'Namespace', namespace: '', name })
  if (row?.object.metadata.deletionTimestamp === undefined) return undefined
  const left = session.select(term.inNamespace(name))
  const isTrace = (r: StoredRow): boolean => ['Event', 'Observation'].includes(r.object.kind)
  if (!left.every(isTrace)) return undefined
  for (const trace of left) session.drop(trace)
  session.changes.removedNamespaces.push(name)
  session.view.removedNamespaces.add(name)
  return session.drop(row)
}

const removeNamespace = async (session: WriteSession, row: StoredRow): Promise<Removed> => {
  const ref = refOf(row.object)
  if (ref.name === 'default') throw objectForbidden(ref, 'this namespace may not be deleted')
  if (row.object.metadata.deletionTimestamp !== undefined)
    return { object: row.object, gone: false }
  const content = session.select(term.inNamespace(ref.name))
  checkContents(session, ref, content)
  const marked = markDeleted(session, row)
  const terminating = { ...marked, status: { ...marked.status, phase: 'Terminating' } }
  const stored = session.put(terminating, row.source, row, { action: 'delete' })
  // The projects go first: then no key is needed to remove their secrets, and a new team of this name finds none of them.
  destroyProjectsIn(session, ref.name)
  for (const item of content.sort((a, b) => byApplyOrder(b.object, a.object))) {
    const still = session.fetch(refOf(item.object))
    if (still !== undefined) await removeRow(session, still)
  }
  const last = finishNamespace(session, ref.name)
  // The removal of the last object may have finished it already.
  const gone = session.fetch(ref) === undefined
  return { object: last ?? stored.object, gone }
}

const markDeleted = (session: WriteSession, { object }: StoredRow): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    deletionTimestamp: session.now,
    deletionGracePeriodSeconds: 0,
    generation: (object.metadata.generation ?? 0) + 1,
  },
})

/** The audit row of a secret names its project: after its history is dropped, only the row knows it. */
const auditOf = (object: KubeObject): AuditEntry | undefined => {
  if (object.kind === 'Event') return undefined
  if (object.kind !== 'StagelySecret') return { action: 'delete' }
  return { action: 'delete', detail: { project: projectRefOf(object).name } }
}

const removeRow = async (session: WriteSession, row: StoredRow): Promise<Removed> => {
  if (row.object.kind === 'Namespace') return removeNamespace(session, row)
  const { finalizers, deletionTimestamp } = row.object.metadata
  const audit = auditOf(row.object)
  if (finalizers === undefined || finalizers.length === 0) {
    return { object: await finishRemoval(session, row, audit), gone: true }
  }
  if (deletionTimestamp !== undefined) return { object: row.object, gone: false }
  const marked = session.put(markDeleted(session, row), row.source, row, audit)
  return { object: marked.object, gone: false }
}

/** See Transaction.remove. */
export const removeObject = async (
  session: WriteSession,
  ref: ObjectRef,
  preconditions: { uid?: string; resourceVersion?: string } = {},
): Promise<Removed> => {
  const row = session.require(ref)
  if (row.object.kind === 'AccessRequest' && session.actor.source === 'api')
    throw objectForbidden(ref, 'requests are kept for auditors, and go by themselves')
  checkPlace(session, row.object)
  checkPreconditions(row, preconditions)
  checkOwner(session, row)
  return removeRow(session, row)
}

/** See Transaction.removeProject. */
export const removeProject = async (
  session: WriteSession,
  ref: ObjectRef,
  { erase }: { readonly erase: boolean },
): Promise<Removed> => {
  const secrets = session.select(term.secretsOf(ref))
  checkContents(session, ref, secrets)
  const project = projectAt(session.view, ref)
  if (erase && project !== undefined) destroyProject(session, project)
  for (const secret of secrets) await removeRow(session, secret)
  return removeObject(session, ref)
}

/** See Transaction.removeFinalizer. */
export const removeFinalizer = async (
  session: WriteSession,
  ref: ObjectRef,
  finalizer: string,
): Promise<void> => {
  const row = session.require(ref)
  const { finalizers = [], ...metadata } = row.object.metadata
  if (!finalizers.includes(finalizer)) return
  const left = finalizers.filter((f) => f !== finalizer)
  const next = left.length === 0 ? metadata : { ...metadata, finalizers: left }
  const stored = session.put({ ...row.object, metadata: next }, row.source, row)
  const last = metadata.deletionTimestamp !== undefined && left.length === 0
  if (last) await finishRemoval(session, stored)
}
