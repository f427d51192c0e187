// Where an object is, for tokens that are narrowed: see ADR 0082. Both APIs, lists, watches and writes ask here.
import {
  holdsProject,
  isBelowProject,
  isWithin,
  narrowingText,
  touches,
  type Narrowing,
  type Place,
} from '../../access/place.ts'
import { defined } from '../../kernel/defined.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { statusConditions } from '../../resources/conditions.ts'
import { separatedCondition } from '../../kinds/shared/environment.ts'
import { keyOf, refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { environmentsOf, namesOf } from '../../secrets/project-environments.ts'
import { projectNameOf } from '../../resources/project-ref.ts'
import { specOf } from '../../kinds/typed.ts'
import { isolatedIn, layoutOf, type Layout } from '../../secrets/layout.ts'
import {
  environmentFor,
  reaches,
  stageletOf,
  type Viewer,
  type shownAudience,
} from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { rightsOf, type Actor } from '../core/actor.ts'
import type { View } from '../state/state.ts'
import { objectNotFound } from '../core/errors.ts'

/** Finds an object as it is now. */
export type Lookup = (ref: ObjectRef) => KubeObject | undefined

export const finderIn =
  ({ objects }: Pick<View, 'objects'>): Lookup =>
  (ref) =>
    objects.get(keyOf(ref))?.object

/** The environments that inherit the secrets of the whole project. */
const inheritorsOf = (project: KubeObject | undefined): readonly string[] => {
  const listed = environmentsOf(project)
  const layout = layoutOf([], isolatedIn(listed))
  return namesOf(listed).filter((environment) => reaches({}, { environment }, layout))
}

const placeOfStagelet = (
  project: string,
  name: string,
  environment: string | undefined,
): Place => ({
  project,
  environments: environment === undefined ? [] : [environment],
  isWider: environment === undefined,
  stagelet: name,
})

/** As a spec says them, not as a set does. */
type Audience = ReturnType<typeof shownAudience>

/** Where a secret, or a version of one, counts by its own lists: project and stagelets are as they are now. */
export const placeOfViewers = (
  { environments, stagelet: name, audience }: Audience,
  { namespace, name: project }: Pick<ObjectRef, 'namespace' | 'name'>,
  find: Lookup,
): Place => {
  if (name !== undefined) {
    const stagelet = find({ kind: 'Stagelet', namespace, name })
    const isOfProject = stagelet !== undefined && projectNameOf(stagelet) === project
    const environment = isOfProject ? specOf('Stagelet', stagelet).environment : undefined
    return placeOfStagelet(project, name, environment)
  }
  if (environments !== undefined) return { project, environments, isWider: false }
  const inheritors = inheritorsOf(find({ kind: 'Project', namespace, name: project }))
  const isForController = audience === 'Controller'
  return { project, environments: inheritors, isWider: true, isForController }
}

/** Undefined for what belongs to no project. */
export const placeOf = (object: KubeObject, find: Lookup): Place | undefined => {
  if (object.kind === 'Project')
    return { project: object.metadata.name, environments: [], isWider: true }
  const project = projectNameOf(object)
  if (project === undefined) return undefined
  if (object.kind === 'StagelySecret') {
    const { stageletRef, environments, audience } = specOf('StagelySecret', object)
    const { namespace = '' } = object.metadata
    const shared = audience === 'Controller' ? audience : undefined
    const viewers = defined({ stagelet: stageletRef?.name, environments, audience: shared })
    return placeOfViewers(viewers, { namespace, name: project }, find)
  }
  if (object.kind !== 'Stagelet') return { project, environments: [], isWider: true }
  return placeOfStagelet(project, object.metadata.name, specOf('Stagelet', object).environment)
}

const seesEvent = (narrowing: Narrowing, event: KubeObject, find: Lookup): boolean => {
  const { kind = '', name = '', uid } = specOf('Event', event).involvedObject
  const about = find({ kind, namespace: event.metadata.namespace ?? '', name })
  // The name may be another object's by now, in another place.
  if (about === undefined || about.metadata.uid !== uid) return false
  const place = placeOf(about, find)
  if (place === undefined) return false
  // What happened to an object that counts elsewhere too may name what is there.
  return isBelowProject(narrowing) ? isWithin(narrowing, place) : touches(narrowing, place)
}

/** Whether a narrowed token may know of the object. What belongs to a team as a whole is for the table of rights to say. */
export const sees = (narrowing: Narrowing, object: KubeObject, find: Lookup): boolean => {
  if (object.kind === 'Event') return seesEvent(narrowing, object, find)
  if (object.kind === 'Project') return holdsProject(narrowing, object.metadata.name)
  const place = placeOf(object, find)
  return place === undefined || touches(narrowing, place)
}

/** Whether a narrowed login may know what a viewer of the project sees. */
export const seesViewer = (
  narrowing: Narrowing,
  viewer: Viewer,
  { project, layout }: { readonly project: string; readonly layout: Layout },
): boolean => {
  const environment = environmentFor(viewer, layout)
  const environments = environment === undefined ? [] : [environment]
  const place = { project, environments, isWider: environment === undefined }
  return touches(narrowing, { ...place, stagelet: stageletOf(viewer) })
}

/** Of the status of a secret, what tells of the value and of nobody who sees it. */
const ownStatus = ['version', 'bytes', 'updatedAt', 'updatedBy', 'valueSince', 'observedGeneration']

/** Which value of an environment is also one of another names secrets of both. */
const withoutSeparation = (project: KubeObject): KubeObject => {
  const conditions = statusConditions(project)
  const shown = conditions.filter(({ type }) => type !== separatedCondition)
  return shown.length === conditions.length
    ? project
    : { ...project, status: { ...project.status, conditions: shown } }
}

/** The object as a narrowed token may read it; undefined where it sees none. Who else sees a shared secret is left out. */
export const shownIn = (
  narrowing: Narrowing,
  object: KubeObject,
  find: Lookup,
): KubeObject | undefined => {
  if (!sees(narrowing, object, find)) return undefined
  if (object.kind === 'Project' && isBelowProject(narrowing)) return withoutSeparation(object)
  if (object.kind !== 'StagelySecret' || object.status === undefined) return object
  const place = placeOf(object, find)
  if (place === undefined || isWithin(narrowing, place)) return object
  const told = Object.entries(object.status).filter(([name]) => ownStatus.includes(name))
  // Whoever wrote which field of the status names each condition, and when it changed.
  const managedFields = object.metadata.managedFields?.filter(
    ({ subresource }) => subresource !== 'status',
  )
  const metadata = { ...object.metadata, ...defined({ managedFields }) }
  return { ...object, metadata, status: Object.fromEntries(told) }
}

export const narrowingFor = (actor: Actor, object: KubeObject | undefined): Narrowing | undefined =>
  rightsOf(actor).narrowingIn(object?.metadata.namespace ?? '')

export const forbidden = (
  { name: actor }: Actor,
  narrowing: Narrowing,
  why: string,
): StagelyError =>
  new StagelyError(
    'Forbidden',
    `${actor} may not do this: its rights are narrowed to ${narrowingText(narrowing)}, and ${why}`,
  )

/** What a write makes of an object; absent: it was not there, or is gone. */
export interface ObjectChange {
  readonly before?: KubeObject | undefined
  readonly after?: KubeObject | undefined
}

/** Whose value comes from elsewhere would bring values of another place along. */
const checkOrigin = (
  actor: Actor,
  narrowing: Narrowing,
  { before, after, find }: ObjectChange & { readonly find: Lookup },
): void => {
  if (after?.kind !== 'StagelySecret') return
  const { valueFrom } = specOf('StagelySecret', after)
  if (valueFrom === undefined || valueFrom.generate !== undefined) return
  const former = before?.kind === 'StagelySecret' ? specOf('StagelySecret', before) : undefined
  if (valueFrom.secretRef !== undefined) {
    const { namespace = '' } = after.metadata
    const source = find({ kind: 'StagelySecret', namespace, name: valueFrom.secretRef.name })
    if (source !== undefined && sees(narrowing, source, find)) return
    throw forbidden(actor, narrowing, 'valueFrom.secretRef names no secret that it sees')
  }
  if (sameJson(former?.valueFrom, valueFrom)) return
  if (valueFrom.external !== undefined && !isBelowProject(narrowing)) return
  throw forbidden(actor, narrowing, 'it may not say that a value comes from elsewhere (valueFrom)')
}

/** A stagelet that comes into its project gets the secrets that wait for its name. */
export const isArrival = ({ before, after }: ObjectChange): boolean =>
  after?.kind === 'Stagelet' &&
  (before === undefined || projectNameOf(before) !== projectNameOf(after))

/**
 * A login for one stagelet has it where it is: elsewhere the stagelet would get the secrets of that place, unless the login
 * is narrowed to that by name too.
 */
const checkStays = (actor: Actor, narrowing: Narrowing, { before, after }: ObjectChange): void => {
  if (narrowing.stagelets === undefined || after?.kind !== 'Stagelet') return
  const environment = (stagelet: KubeObject): string | undefined =>
    specOf('Stagelet', stagelet).environment
  const entersProject = before === undefined || projectNameOf(before) !== projectNameOf(after)
  const enters = entersProject || environment(before) !== environment(after)
  const isNamed =
    (!entersProject || narrowing.projects !== undefined) &&
    (!enters || narrowing.environments !== undefined)
  if (isNamed) return
  const why = 'the stagelet would come into a project or environment to which it is not narrowed'
  throw forbidden(actor, narrowing, why)
}

/** Refuses a write outside of what the actor's token is narrowed to. An object that the token does not see is not there. */
export const checkNarrowing = (
  actor: Actor,
  { before, after }: ObjectChange,
  find: Lookup,
): void => {
  const narrowing = narrowingFor(actor, after ?? before)
  if (narrowing === undefined) return
  if (before !== undefined && !sees(narrowing, before, find)) throw objectNotFound(refOf(before))
  for (const object of [before, after]) {
    const place = object && placeOf(object, find)
    if (object === undefined || (place !== undefined && isWithin(narrowing, place))) continue
    throw forbidden(
      actor,
      narrowing,
      `${object.kind} ${JSON.stringify(object.metadata.name)} ${object === after ? 'would count' : 'counts'} elsewhere too`,
    )
  }
  checkStays(actor, narrowing, { before, after })
  checkOrigin(actor, narrowing, { before, after, find })
}

/** Forbidden where the value of an object is read that the actor does not see. */
export const checkSeen = (actor: Actor, object: KubeObject, find: Lookup): void => {
  const narrowing = narrowingFor(actor, object)
  if (narrowing === undefined || sees(narrowing, object, find)) return
  throw forbidden(actor, narrowing, 'the value is of a secret elsewhere, or refers to one')
}

interface Telling {
  readonly actor: Actor
  readonly view: Pick<View, 'objects'>
}

/** Whether the actor may know of the object. */
export const isTold = ({ actor, view }: Telling, object: KubeObject): boolean => {
  const narrowing = narrowingFor(actor, object)
  return narrowing === undefined || sees(narrowing, object, finderIn(view))
}

const wordOf = ({ kind }: KubeObject): string => (kind === 'Stagelet' ? 'stagelet' : 'secret')

/** A secret or a stagelet in a refusal. What the actor does not see is not named. */
export const toldObject = (telling: Telling, object: KubeObject): string =>
  isTold(telling, object)
    ? `${wordOf(object)} ${JSON.stringify(object.metadata.name)}`
    : `a ${wordOf(object)} elsewhere`

/** The same of an entry of a set. */
export const toldEntry = (
  telling: Telling,
  { namespace }: Pick<ObjectRef, 'namespace'>,
  { name }: Pick<ProjectEntry, 'name'>,
): string => {
  const object = finderIn(telling.view)({ kind: 'StagelySecret', namespace, name })
  return object === undefined ? `secret ${JSON.stringify(name)}` : toldObject(telling, object)
}

/** The same of several, by their names. */
export const toldNames = (telling: Telling, objects: readonly KubeObject[]): string => {
  const names = objects.map((object) =>
    isTold(telling, object)
      ? JSON.stringify(object.metadata.name)
      : `a ${wordOf(object)} elsewhere`,
  )
  return [...new Set(names)].join(', ')
}

/** Forbidden where a secret elsewhere takes its value from the one that is written. Its name is not told. */
export const checkFollower = (actor: Actor, follower: KubeObject, find: Lookup): void => {
  const narrowing = narrowingFor(actor, follower)
  if (narrowing === undefined) return
  const place = placeOf(follower, find)
  if (place === undefined || isWithin(narrowing, place)) return
  throw forbidden(actor, narrowing, 'a secret elsewhere takes its value from this one')
}
