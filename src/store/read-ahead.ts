// What the write of an object will ask, asked at once: it waits for the database once, not six times.
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { valueFields } from '../resources/secret-value.ts'
import type { SecretSpec } from '../resources/stagelysecret.ts'
import { projectOf } from './project-ref.ts'
import { loadProject } from './projects.ts'
import { readNeighbours } from './secret-neighbours.ts'
import { loadHeadRow } from './secret-versions.ts'
import type { StoredRow, WriteSession } from './session.ts'
import { stageletsOf } from './stagelet-writes.ts'
import { followersOf } from './values/followers.ts'

export const namespaceOf = ({ namespace }: ObjectRef): ObjectRef[] =>
  namespace === '' ? [] : [{ kind: 'Namespace', namespace: '', name: namespace }]

/** Reads the object, its namespace and, for a secret, all that its new value may concern. */
export const readAhead = async (
  session: WriteSession,
  object: KubeObject,
  { isNew }: { isNew: boolean },
): Promise<void> => {
  const ref = refOf(object)
  const refs = [ref, ...namespaceOf(ref)]
  if (object.kind !== 'StagelySecret') return session.prefetch(refs)
  const spec = object.spec as SecretSpec
  const project = projectOf(object)
  const givesValue =
    spec.valueFrom !== undefined || valueFields.some((field) => spec[field] !== undefined)
  const stored = session.known(ref)
  await Promise.all([
    session.prefetch([...refs, project]),
    loadProject(session, project),
    ...(isNew ? [readNeighbours(session, object)] : []),
    ...(givesValue ? [stageletsOf(session, project), followersOf(session, ref, project.name)] : []),
    ...(stored === undefined ? [] : [loadHeadRow(session, stored.uid)]),
  ])
}

/** Reads what the removal of a secret concerns. */
export const readAheadOfRemoval = async (
  session: WriteSession,
  { uid, object }: StoredRow,
): Promise<void> => {
  const project = projectOf(object)
  await Promise.all([
    session.prefetch([project, ...namespaceOf(refOf(object))]),
    loadProject(session, project),
    stageletsOf(session, project),
    loadHeadRow(session, uid),
  ])
}
