// What the write of an object will ask, asked at once: it waits for the database once, not six times.
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { valueFields } from '../resources/secret-value.ts'
import type { SecretSpec } from '../resources/stagelysecret.ts'
import { loadProject } from './projects.ts'
import { readNeighbours } from './secret-neighbours.ts'
import { loadHeadRow } from './secret-versions.ts'
import type { WriteSession } from './session.ts'
import { stageletsOf } from './stagelet-writes.ts'
import { followersOf } from './values/followers.ts'

const namespaceOf = ({ namespace }: ObjectRef): ObjectRef[] =>
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
  const project = { kind: 'Project', namespace: ref.namespace, name: spec.projectRef.name }
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
