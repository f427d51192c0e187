// Secrets that take their value from another (`valueFrom.secretRef`): they move with it, in its transaction.
import type { Fault } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import type { SecretSpec, SecretStatus } from '../../resources/stagelysecret.ts'
import { conflict, invalid } from '../errors.ts'
import type { ProjectState } from '../projects.ts'
import { openHeads } from '../secret-versions.ts'
import type { StoredRow, WriteSession } from '../session.ts'
import { term } from '../state/rows.ts'

const specOf = (object: KubeObject): SecretSpec => object.spec as SecretSpec

/** Name of the secret that `object` follows. */
export const followedBy = ({ spec = {} }: Pick<KubeObject, 'spec'>): string | undefined =>
  (spec as Partial<SecretSpec>).valueFrom?.secretRef?.name

/** Those that follow the secret of this name, by name. */
export const followersOf = (
  session: WriteSession,
  { namespace, name }: ObjectRef,
  project: string,
): StoredRow[] => session.select(term.followersOf({ namespace, name: project }, name))

/** The secret that `object` follows; undefined for none, or while it does not exist. Invalid for what cannot be. */
const sourceOf = (session: WriteSession, object: KubeObject): StoredRow | undefined => {
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
  const source = session.fetch({ ...ref, name })
  if (source !== undefined) {
    const other = specOf(source.object)
    if (other.projectRef.name !== spec.projectRef.name)
      throw invalid(ref, fault(`that secret is of project "${other.projectRef.name}"`))
    const further = followedBy(source.object)
    if (further !== undefined)
      throw invalid(ref, fault(`that secret follows "${further}" itself: follow that one`))
    if (other.audience === 'Controller')
      throw invalid(ref, fault('that secret is for the controller alone (audience: Controller)'))
    if (other.references === true)
      throw invalid(ref, fault('that secret refers to others: refer to it (references: true)'))
  }
  const followers = followersOf(session, ref, spec.projectRef.name)
  const first = followers[0]?.object.metadata.name
  if (first !== undefined)
    throw invalid(ref, fault(`secret "${first}" follows this one, which so cannot follow another`))
  return source
}

/** When the value of a secret was given first, as its status tells. */
export const sinceOf = (row: StoredRow | undefined): string | undefined => {
  const { valueSince, updatedAt }: SecretStatus = row?.object.status ?? {}
  return valueSince ?? updatedAt
}

/** The value that `object` takes from another secret; undefined where there is none yet. */
export const followedValue = async (
  session: WriteSession,
  project: ProjectState,
  object: KubeObject,
): Promise<{ value: Buffer; since: string | undefined } | undefined> => {
  const source = sourceOf(session, object)
  const head = source === undefined ? undefined : session.head(source.uid)
  if (head === undefined) return undefined
  const [opened] = await openHeads(session, project.uid, [head])
  return opened && { value: opened.value, since: sinceOf(source) }
}

/** Conflict when secrets that stay follow one that this write has removed. */
export const checkRemoved = (session: WriteSession, removed: readonly KubeObject[]): void => {
  for (const object of removed) {
    const ref = refOf(object)
    const names = followersOf(session, ref, specOf(object).projectRef.name).map(
      (row) => `"${row.object.metadata.name}"`,
    )
    const back = names.length === 0 ? undefined : session.fetch(ref)
    if (names.length === 0 || back !== undefined) continue
    const why = `${names.join(', ')} takes its value from it (valueFrom.secretRef); delete or change that first`
    throw conflict(ref, why)
  }
}
