// Secrets that take their value from another (`valueFrom.secretRef`): they move with it, in its transaction.
import type { Fault } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec } from '../../resources/stagelysecret.ts'
import { conflict, invalid } from '../errors.ts'
import type { ProjectState } from '../projects.ts'
import { loadHeadRow, openHeadRow } from '../secret-versions.ts'
import type { SessionReads } from '../session-reads.ts'
import { byName, type StoredRow, type WriteSession } from '../session.ts'

const specOf = (object: KubeObject): SecretSpec => object.spec as SecretSpec

/** Name of the secret that `object` follows. */
export const followedBy = ({ spec = {} }: Pick<KubeObject, 'spec'>): string | undefined =>
  (spec as Partial<SecretSpec>).valueFrom?.secretRef?.name

/** Those that follow the secret of this name. */
export const followersOf = async (
  session: SessionReads,
  { namespace, name }: ObjectRef,
  project: string,
): Promise<StoredRow[]> => {
  const rows = await session.select(
    `SELECT uid, rv, source, body FROM objects
     WHERE kind = 'StagelySecret' AND namespace = $1 AND body #>> '{spec,projectRef,name}' = $2
       AND body #>> '{spec,valueFrom,secretRef,name}' = $3`,
    [namespace, project, name],
  )
  return byName(rows)
}

/** The secret that `object` follows; undefined for none, or while it does not exist. Invalid for what cannot be. */
export const sourceOf = async (
  session: WriteSession,
  object: KubeObject,
): Promise<StoredRow | undefined> => {
  const spec = specOf(object)
  const name = followedBy(object)
  if (name === undefined) return undefined
  const ref = refOf(object)
  const fault = (message: string): Fault[] => [
    {
      field: 'spec.valueFrom.secretRef.name',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(name)}: ${message}`,
    },
  ]
  if (name === ref.name) throw invalid(ref, fault('a secret cannot follow itself'))
  const source = await session.fetch({ ...ref, name })
  if (source !== undefined) {
    const other = specOf(source.object)
    if (other.projectRef.name !== spec.projectRef.name)
      throw invalid(ref, fault(`that secret is of project "${other.projectRef.name}"`))
    const further = followedBy(source.object)
    if (further !== undefined)
      throw invalid(ref, fault(`that secret follows "${further}" itself: follow that one`))
    if (other.references === true)
      throw invalid(ref, fault('that secret refers to others: refer to it (references: true)'))
  }
  const followers = await followersOf(session, ref, spec.projectRef.name)
  const first = followers[0]?.object.metadata.name
  if (first !== undefined)
    throw invalid(ref, fault(`secret "${first}" follows this one, which so cannot follow another`))
  return source
}

/** The value that `object` takes from another secret; undefined where there is none yet. */
export const followedValue = async (
  session: WriteSession,
  project: ProjectState,
  object: KubeObject,
): Promise<Buffer | undefined> => {
  const source = await sourceOf(session, object)
  const head = source === undefined ? undefined : await loadHeadRow(session, source.uid)
  return head === undefined ? undefined : openHeadRow(session, project.uid, head)
}

/** Conflict when secrets that stay follow one that this write has removed. */
export const checkRemoved = async (
  session: WriteSession,
  removed: readonly KubeObject[],
): Promise<void> => {
  for (const object of removed) {
    const ref = refOf(object)
    const names = (await followersOf(session, ref, specOf(object).projectRef.name)).map(
      (row) => `"${row.object.metadata.name}"`,
    )
    const back = names.length === 0 ? undefined : await session.fetch(ref)
    if (names.length === 0 || back !== undefined) continue
    const why = `${names.join(', ')} takes its value from it (valueFrom.secretRef); delete or change that first`
    throw conflict(ref, why)
  }
}
