// Secrets that follow another one: they take its value (`valueFrom.secretRef`), and get each new version in the same write.
import type { Fault } from '../../kernel/errors.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { specOf, statusOf } from '../../kinds/typed.ts'
import { objectConflict, invalidObject } from '../core/errors.ts'
import type { ProjectState } from '../core/project-state.ts'
import { toldNames, toldObject } from '../places/places.ts'
import type { FoundValue } from './disclosure.ts'
import { openHeads } from './secret-versions.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { hasStageletsOf, namedPlaceOf, type SecretPlace } from '../../secrets/place.ts'

/** Of one secret: a write of its value writes all of them, and others wait. */
const mostFollowers = 100

/** Name of the secret that this one follows. */
export const followedBy = (secret: KubeObject): string | undefined =>
  specOf('StagelySecret', secret).valueFrom?.secretRef?.name

/** The secrets that follow this one, ordered by name. */
export const followersOf = (
  session: WriteSession,
  { namespace, name }: ObjectRef,
  project: string,
): StoredRow[] => session.select(term.followersOf({ namespace, name: project }, name))

/** The secret that this one follows; undefined for none, or while that secret does not exist. Invalid where it may not be followed. */
const sourceOf = (session: WriteSession, object: KubeObject): StoredRow | undefined => {
  const spec = specOf('StagelySecret', object)
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
  if (name === ref.name) throw invalidObject(ref, fault('a secret cannot follow itself'))
  const source = session.fetch({ ...ref, name })
  if (source !== undefined) {
    const other = specOf('StagelySecret', source.object)
    if (other.projectRef.name !== spec.projectRef.name)
      throw invalidObject(ref, fault(`that secret is of project "${other.projectRef.name}"`))
    const further = followedBy(source.object)
    if (further !== undefined) {
      const next = session.fetch({ ...ref, name: further })?.object
      const told = next === undefined ? JSON.stringify(further) : toldNames(session, [next])
      throw invalidObject(ref, fault(`that secret follows ${told} itself: follow that one`))
    }
    if (other.audience === 'Controller')
      throw invalidObject(
        ref,
        fault('that secret is for the controller alone (audience: Controller)'),
      )
    if (other.references === true)
      throw invalidObject(
        ref,
        fault('that secret refers to others: refer to it (references: true)'),
      )
  }
  const beside = followersOf(session, { ...ref, name }, spec.projectRef.name)
  if (
    beside.length >= mostFollowers &&
    !beside.some(({ object }) => refOf(object).name === ref.name)
  )
    throw invalidObject(
      ref,
      fault(
        `${mostFollowers} secrets follow it already, and each of them gets a version with each of its values: let services read it itself (scope: global), or make one secret that follows it for several`,
      ),
    )
  const followers = followersOf(session, ref, spec.projectRef.name)
  const [first] = followers
  if (first !== undefined)
    throw invalidObject(
      ref,
      fault(
        `${toldObject(session, first.object)} follows this one, which so cannot follow another`,
      ),
    )
  return source
}

/** When the value of a secret was given first, by its status. */
export const sinceOf = (row: StoredRow | undefined): string | undefined => {
  if (row === undefined) return undefined
  const { valueSince, updatedAt } = statusOf('StagelySecret', row.object)
  return valueSince ?? updatedAt
}

/** The value that the secret takes from another one; undefined while the other one has no value. */
export const followedValue = async (
  session: WriteSession,
  project: ProjectState,
  object: KubeObject,
): Promise<Pick<FoundValue, 'value' | 'since' | 'drawn'> | undefined> => {
  const source = sourceOf(session, object)
  const head = source === undefined ? undefined : session.head(source.uid)
  if (head === undefined) return undefined
  const [opened] = await openHeads(session, project.uid, [head])
  return opened && { value: opened.value, since: sinceOf(source), drawn: head.drawn }
}

/** At the end of a write: Conflict where a remaining secret follows one that the write has removed. */
export const checkRemoved = (session: WriteSession): void => {
  for (const object of session.removed) {
    const ref = refOf(object)
    const { projectRef } = specOf('StagelySecret', object)
    const followers = followersOf(session, ref, projectRef.name).map((row) => row.object)
    const back = followers.length === 0 ? undefined : session.fetch(ref)
    if (followers.length === 0 || back !== undefined) continue
    const why = `${toldNames(session, followers)} takes its value from it (valueFrom.secretRef); delete or change that first`
    throw objectConflict(ref, why)
  }
}

/** Another check refuses to keep a followed value from all services. */
const placeOf = (secret: KubeObject): SecretPlace => namedPlaceOf(specOf('StagelySecret', secret))

/** Conflict where a secret leaves an environment or a stagelet in which another one takes its value: its new values would go there too. */
export const checkFollowersStay = (
  session: WriteSession,
  object: KubeObject,
  before: KubeObject,
): void => {
  const { projectRef } = specOf('StagelySecret', object)
  const mayFollow = (source: KubeObject, follower: KubeObject): boolean =>
    hasStageletsOf(placeOf(source), placeOf(follower))
  const left = followersOf(session, refOf(object), projectRef.name)
    .map((row) => row.object)
    .filter((follower) => mayFollow(before, follower) && !mayFollow(object, follower))
  if (left.length === 0) return
  throw objectConflict(
    refOf(object),
    `secrets that take its value (valueFrom.secretRef) are seen elsewhere: ${toldNames(session, left)}: change or delete them first`,
  )
}
