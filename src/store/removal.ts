// Deleting: finalizers first, then the object with all that hangs on it.
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { requireKind } from '../resources/registry.ts'
import { checkOwner, checkPreconditions, isDeclaring, isFree } from './admission.ts'
import { forbidden, holdsOwned } from './errors.ts'
import { noteFormerNamespace } from './former-namespaces.ts'
import { requireRow } from './objects.ts'
import { projectOf } from './project-ref.ts'
import { destroyProjects, dropUnusedProjects } from './project-ends.ts'
import { loadProject } from './projects.ts'
import { readAheadOfRemoval } from './read-ahead.ts'
import { endSecret } from './secret-writes.ts'
import type { AuditEntry, StoredRow, WriteSession } from './session.ts'
import { resetInSync, stageletsOf } from './stagelet-writes.ts'
import { bury } from './tombstones.ts'

export interface Removed {
  readonly object: KubeObject
  readonly gone: boolean
}

const rowsOf = 'SELECT uid, rv, source, body FROM objects'

const secretsOf = (session: WriteSession, { namespace, name }: ObjectRef): Promise<StoredRow[]> =>
  session.select(
    `${rowsOf} WHERE kind = 'StagelySecret' AND namespace = $1 AND body #>> '{spec,projectRef,name}' = $2`,
    [namespace, name],
  )

/** Who declares something would bring it back, or could not, as its team is gone. */
const checkContents = (
  session: WriteSession,
  ref: ObjectRef,
  contents: readonly StoredRow[],
): void => {
  const foreign = contents.find((row) => isDeclaring(row.source) && !isFree(session, row))
  if (foreign !== undefined) throw holdsOwned(ref, refOf(foreign.object), foreign.source)
}

const endValueOf = async (session: WriteSession, row: StoredRow): Promise<void> => {
  const ref = projectOf(row.object)
  await readAheadOfRemoval(session, row)
  const project = await loadProject(session, ref)
  if (project === undefined) return // gone with all its versions
  const stagelets = await stageletsOf(session, ref)
  const entry = await endSecret(session, project, row.uid)
  if (entry !== undefined) await bury(session, project, row)
  session.removed.push(row.object)
  await resetInSync(session, project, { stagelets, entries: [entry] })
}

/** What must go before the object itself may. */
const release = async (session: WriteSession, row: StoredRow): Promise<void> => {
  const ref = refOf(row.object)
  switch (row.object.kind) {
    case 'StagelySecret':
      return endValueOf(session, row)
    case 'Agent':
      await session.tx.query('DELETE FROM agent_keys WHERE agent_uid = $1', [row.uid])
      await session.tx.query('DELETE FROM join_tokens WHERE namespace = $1 AND name = $2', [
        ref.namespace,
        ref.name,
      ])
      return
    case 'Stagelet': {
      const reports = await session.select(
        `${rowsOf} WHERE kind = 'Observation' AND namespace = $1 AND body #>> '{spec,stageletUid}' = $2`,
        [ref.namespace, row.uid],
      )
      for (const report of reports) await session.drop(report)
    }
  }
}

/** Removes the object now. A terminating namespace that this empties goes too. */
export const finishRemoval = async (
  session: WriteSession,
  row: StoredRow,
  audit?: AuditEntry,
): Promise<KubeObject> => {
  await release(session, row)
  const last = await session.drop(row, audit)
  // Its secrets stay, and it takes them up again when it comes back (ADR 0044).
  if (row.object.kind === 'Project') await dropUnusedProjects(session)
  const { namespace, kind } = refOf(last)
  if (kind !== 'Namespace' && kind !== 'Event') await finishNamespace(session, namespace)
  return last
}

/** Removes a terminating namespace that holds nothing but traces. */
export const finishNamespace = async (
  session: WriteSession,
  name: string,
): Promise<KubeObject | undefined> => {
  const row = await session.fetch({ kind: 'Namespace', namespace: '', name })
  if (row?.object.metadata.deletionTimestamp === undefined) return undefined
  const left = await session.select(`${rowsOf} WHERE namespace = $1`, [name])
  const isTrace = (r: StoredRow): boolean => ['Event', 'Observation'].includes(r.object.kind)
  if (!left.every(isTrace)) return undefined
  for (const trace of left) await session.drop(trace)
  await noteFormerNamespace(session, name)
  return session.drop(row)
}

const removeNamespace = async (session: WriteSession, row: StoredRow): Promise<Removed> => {
  const ref = refOf(row.object)
  if (ref.name === 'default') throw forbidden(ref, 'this namespace may not be deleted')
  if (row.object.metadata.deletionTimestamp !== undefined)
    return { object: row.object, gone: false }
  const content = await session.select(`${rowsOf} WHERE namespace = $1`, [ref.name])
  checkContents(session, ref, content)
  const marked = markDeleted(session, row)
  const terminating = { ...marked, status: { ...marked.status, phase: 'Terminating' } }
  const stored = await session.put(terminating, row.source, row, { action: 'delete' })
  // First: nothing of it is opened then, so that a lost key keeps nothing; nor finds a new team of this name any of it.
  await destroyProjects(session, { namespace: ref.name })
  const order = ({ object: { kind } }: StoredRow): number => requireKind(kind).applyOrder
  for (const item of content.sort((a, b) => order(b) - order(a))) {
    const still = await session.fetch(refOf(item.object))
    if (still !== undefined) await removeRow(session, still)
  }
  const last = await finishNamespace(session, ref.name)
  // The removal of the last object may have finished it already.
  const gone = (await session.fetch(ref)) === undefined
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

const removeRow = async (session: WriteSession, row: StoredRow): Promise<Removed> => {
  if (row.object.kind === 'Namespace') return removeNamespace(session, row)
  const { finalizers, deletionTimestamp } = row.object.metadata
  const audit = row.object.kind === 'Event' ? undefined : { action: 'delete' }
  if (finalizers === undefined || finalizers.length === 0) {
    return { object: await finishRemoval(session, row, audit), gone: true }
  }
  if (deletionTimestamp !== undefined) return { object: row.object, gone: false }
  const marked = await session.put(markDeleted(session, row), row.source, row, audit)
  return { object: marked.object, gone: false }
}

/** See Transaction.remove. */
export const removeObject = async (
  session: WriteSession,
  ref: ObjectRef,
  preconditions: { uid?: string; resourceVersion?: string } = {},
): Promise<Removed> => {
  const row = await requireRow(session, ref)
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
  const secrets = await secretsOf(session, ref)
  checkContents(session, ref, secrets)
  if (erase) await destroyProjects(session, ref)
  for (const secret of secrets) await removeRow(session, secret)
  return removeObject(session, ref)
}
