// What a write changes of protected environments, also by what comes along with the object: see ADR 0082.
import { StagelyError } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { annotations, refOf, type KubeObject } from '../../resources/meta.ts'
import { environmentsOf, protectedIn } from '../../secrets/project-environments.ts'
import { projectNameOf, projectRefOf } from '../../resources/project-ref.ts'
import { requireKind } from '../../kinds/index.ts'
import { namedIn } from '../../resources/texts.ts'
import { specOf } from '../../kinds/typed.ts'
import type { Actor } from '../core/actor.ts'
import { term } from '../state/rows.ts'
import type { View } from '../state/state.ts'
import { finderIn, isArrival, placeOf, type ObjectChange } from './places.ts'
import { valueSourcesOf } from './value-sources.ts'

type Objects = Pick<View, 'objects'>

const protectedOf = (view: Objects, object: KubeObject): string[] =>
  protectedIn(environmentsOf(finderIn(view)(projectRefOf(object))))

/** The protected environments that the object counts in. */
const placeAmong = (view: Objects, object: KubeObject): string[] => {
  const place = placeOf(object, finderIn(view))
  return place === undefined
    ? []
    : protectedOf(view, object).filter((name) => place.environments.includes(name))
}

/**
 * Of a secret also those where another secret with its value counts: one that it follows, or one of the same key of a
 * store. A stagelet that is not in the project may come in any environment, and a secret that is not there too: they
 * count in all.
 */
const ofSecret = (view: Objects, secret: KubeObject): string[] => {
  const find = finderIn(view)
  const { namespace } = refOf(secret)
  const { stageletRef } = specOf('StagelySecret', secret)
  const named = stageletRef && find({ kind: 'Stagelet', namespace, name: stageletRef.name })
  const isThere = named !== undefined && projectNameOf(named) === projectNameOf(secret)
  if (stageletRef !== undefined && !isThere) return protectedOf(view, secret)
  const { secrets, isOpen } = valueSourcesOf(view, secret)
  const places = secrets.flatMap((source) => placeAmong(view, source))
  return isOpen ? [...places, ...protectedOf(view, secret)] : places
}

/** Secrets that name a stagelet. They become its own with the stagelet. */
export const ownSecretsOf = (view: Objects, stagelet: KubeObject): KubeObject[] =>
  view.objects
    .withTerm(term.secretsOf(projectRefOf(stagelet)))
    .map(({ object }) => object)
    .filter(
      (secret) => specOf('StagelySecret', secret).stageletRef?.name === stagelet.metadata.name,
    )

/** Of secrets that wait for a stagelet nobody knows for which environment they are. */
const ofStagelet = (view: Objects, stagelet: KubeObject, arrives: boolean): string[] =>
  arrives && ownSecretsOf(view, stagelet).length > 0
    ? protectedOf(view, stagelet)
    : placeAmong(view, stagelet)

export const stageletsOn = (view: Objects, agent: KubeObject): KubeObject[] => {
  const { namespace, name } = refOf(agent)
  return view.objects
    .withTerm(term.kind('Stagelet'))
    .map(({ object }) => object)
    .filter((stagelet) => refOf(stagelet).namespace === namespace)
    .filter((stagelet) => specOf('Stagelet', stagelet).agentRef.name === name)
}

/** A machine gets the secrets of the stagelets that name it. */
const ofAgent = (view: Objects, agent: KubeObject): string[] =>
  stageletsOn(view, agent).flatMap((stagelet) => placeAmong(view, stagelet))

/** The protected environments of the projects of a team. */
const allProtected = (view: Objects, namespace: string): string[] => [
  ...new Set(
    view.objects
      .withTerm(term.kind('Project'))
      .filter(({ object }) => refOf(object).namespace === namespace)
      .flatMap(({ object }) => protectedIn(environmentsOf(object))),
  ),
]

/**
 * What an object names, the controller uses for it: the outputs and the database of a Rotation, the credential of a store,
 * which is sent to whatever address the store says. What is not there yet may come in any environment.
 */
const ofNamed = (view: Objects, object: KubeObject): string[] => {
  const { namespace } = refOf(object)
  return namedIn(requireKind(object.kind).spec, object.spec).flatMap(({ kind, name }) => {
    if (kind !== 'StagelySecret' && kind !== 'Stagelet') return []
    const named = finderIn(view)({ kind, namespace, name })
    if (named !== undefined) return placeAmong(view, named)
    return projectNameOf(object) === undefined
      ? allProtected(view, namespace)
      : protectedOf(view, object)
  })
}

/** A store gives the values of the secrets that name it. */
const ofStore = (view: Objects, store: KubeObject): string[] => {
  const { namespace, name } = refOf(store)
  return view.objects
    .withTerm(term.fromStores)
    .map(({ object }) => object)
    .filter((secret) => refOf(secret).namespace === namespace)
    .filter((secret) => specOf('StagelySecret', secret).valueFrom?.external?.store === name)
    .flatMap((secret) => placeAmong(view, secret))
}

/** Its jobs get the right for the environments that a rule names, and owners among them for all. */
const ofIssuer = (view: Objects, issuer: KubeObject): string[] => {
  const { namespace } = refOf(issuer)
  const { rules } = specOf('TrustedIssuer', issuer)
  return allProtected(view, namespace).filter((name) =>
    rules.some(({ environments, role }) => environments?.includes(name) ?? role === 'owner'),
  )
}

const steeringOf = (project: KubeObject): unknown => [
  specOf('Project', project)?.rollout,
  project.metadata.annotations?.[annotations.resumed],
]

/**
 * Of a Project: the protected environments that it changes or drops, or that a changed one has to differ from; all where it
 * steers the rollout.
 */
const ofProject = ({ before, after }: ObjectChange): string[] => {
  const steers =
    before !== undefined && after !== undefined && !sameJson(steeringOf(before), steeringOf(after))
  const kept = steers ? [] : environmentsOf(after)
  const all = environmentsOf(before)
  const changed = all.filter((was) => !kept.some((is) => sameJson(is, was)))
  const separated = new Set(changed.flatMap(({ differsFrom = [] }) => differsFrom))
  return protectedIn([...changed, ...all.filter(({ name }) => separated.has(name))])
}

const protectedBy = (view: Objects, change: ObjectChange): string[] => {
  const { before, after } = change
  const objects = [before, after].filter((object) => object !== undefined)
  return objects.flatMap((object) => {
    switch (object.kind) {
      case 'Project':
        return ofProject(change)
      case 'StagelySecret':
        return ofSecret(view, object)
      case 'Stagelet':
        return ofStagelet(view, object, object === after && isArrival(change))
      case 'Agent':
        return ofAgent(view, object)
      case 'SecretStore':
        return [...ofStore(view, object), ...ofNamed(view, object)]
      case 'TrustedIssuer':
        return ofIssuer(view, object)
      default:
        return [...placeAmong(view, object), ...ofNamed(view, object)]
    }
  })
}

/** Refuses what changes or reveals something of a protected environment, to whoever has no right for it. */
export const checkProtected = (actor: Actor, change: ObjectChange, view: Objects): void => {
  const object = change.after ?? change.before
  if (actor.authority === 'whole' || object === undefined) return
  checkEnvironments(actor, object, protectedBy(view, change))
}

/** Forbidden where the actor may not change one of the protected environments that the object counts in. */
export const checkEnvironments = (
  actor: Actor,
  object: KubeObject,
  environments: readonly string[],
): void => {
  if (actor.authority === 'whole') return
  const { mayChangeProtected } = actor.authority
  const { namespace = '', name } = object.metadata
  const refused = environments.find((one) => !mayChangeProtected(namespace, one))
  if (refused === undefined) return
  throw new StagelyError(
    'Forbidden',
    `${actor.name} may not do this: ${object.kind} ${JSON.stringify(name)} counts in the environment ${JSON.stringify(refused)}, which is protected, itself or by what comes along; an owner may, and a machine whose token is narrowed to it, or a member whose role is`,
    { denied: { why: 'Role', namespace } },
  )
}
