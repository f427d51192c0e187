// Checks the right to a route before its input is read. An object of another team does not exist for
// the caller: 404, with the same message as for an object that exists nowhere. Nor does it tell the caller whether an
// object is there that the caller's rights in the team are not for.
import {
  allows,
  allowsAdmin,
  inWholeTeams,
  isInTeam,
  narrowingOf,
  teamsWhere,
  type Principal,
} from '../../../src/access/principal.ts'
import { isBelowProject, narrowingText } from '../../../src/access/place.ts'
import { rolesWith, type Resource, type Verb } from '../../../src/access/roles.ts'
import { StagelyError, type ErrorDetails } from '../../../src/kernel/errors.ts'
import { isInProject, kindOfTarget, type RestTarget } from '../../../src/kinds/names.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { parseId } from './ids.ts'
import type { Access, InTarget } from './route.ts'
import type { CallerStore } from '../../../src/store/caller-store.ts'

/** The path parameter that names the object of the check. */
const parameterOf = (target: InTarget): string => (target === 'team' ? target : `${target}_id`)

/** `what` is the API's word: project, secret, team. */
export const restNotFound = (
  what: string,
  given: string,
  details: ErrorDetails = {},
): StagelyError =>
  new StagelyError('NotFound', `${what} ${JSON.stringify(given.slice(0, 300))} not found`, details)

/** The answer says that the object does not exist; the audit log names its team. */
const ofOtherTeam = (namespace: string): ErrorDetails => ({
  denied: { why: 'OtherTeam', namespace },
})

/** Finds an object, frozen, by id or by `namespace/name`. The caller may not be allowed to see it. */
export const findTarget = async (
  store: CallerStore,
  what: InTarget,
  given: string,
): Promise<KubeObject | undefined> => {
  if (what === 'team')
    return (await store.getStored({ kind: 'Namespace', namespace: '', name: given }))?.object
  const kind = kindOfTarget(what)
  const uid = parseId(kind, given)
  if (uid !== undefined) return store.getByUid(kind, uid)
  const [namespace = '', name = '', ...rest] = given.split('/')
  if (namespace === '' || name === '' || rest.length > 0) return undefined
  return (await store.getStored({ kind, namespace, name }))?.object
}

/** The team of an object; a team belongs to itself. */
const teamOf = (object: KubeObject): string =>
  object.kind === 'Namespace' ? object.metadata.name : (object.metadata.namespace ?? '')

interface Asked {
  readonly verb: Verb
  readonly resource: Resource
}

const inTeam = (principal: Principal, team: string): string => {
  const role = principal.roles.get(team)
  return `in team ${JSON.stringify(team)}${role === undefined ? '' : ` as ${role}`}`
}

/** The token's owner, who may have more rights than the token. */
const withoutLimits = ({ limits, ...principal }: Principal): Principal => ({
  ...principal,
  admin: principal.admin || limits?.ofAdmin === true,
})

const limitedToken = 'it is the scopes of this token that do not allow it'

const refusal = (principal: Principal, { verb, resource }: Asked, team?: string): StagelyError => {
  const where = team === undefined ? 'in any team' : inTeam(principal, team)
  const roles = rolesWith(verb, resource)
  const who = roles.length === 0 ? 'admins of the controller' : roles.join(', ')
  const isOfToken = allows(withoutLimits(principal), { verb, resource, namespace: team })
  const why = isOfToken ? limitedToken : `roles that may: ${who}`
  return new StagelyError(
    'Forbidden',
    `${principal.name} may not ${verb} ${resource} ${where}; ${why}`,
    team === undefined ? {} : { denied: { why: 'Role', namespace: team } },
  )
}

/** For a team that the body names: 404 when the caller is not in it, 403 when his role is not enough. */
export const requireIn = (principal: Principal, asked: Asked, team: string): void => {
  if (!isInTeam(principal, team)) throw restNotFound('team', team, ofOtherTeam(team))
  if (!allows(principal, { ...asked, namespace: team })) throw refusal(principal, asked, team)
}

const isPlaced = (access: Access): boolean => 'placed' in access && access.placed

/** Forbidden where the answer tells of more than the rights in the team are narrowed to. */
const checkPlaced = (principal: Principal, access: Access, namespace: string): void => {
  const narrowing = narrowingOf(principal)?.(namespace)
  if (narrowing === undefined || !['project', 'store'].includes(access.in)) return
  if (isPlaced(access) || (access.in === 'project' && !isBelowProject(narrowing))) return
  const whole = access.in === 'project' ? 'a whole project' : 'whole teams'
  throw new StagelyError(
    'Forbidden',
    `${principal.name} may not do this: its rights are narrowed to ${narrowingText(narrowing)}, and this is about ${whole}`,
  )
}

/** Who asks, as the route counts them: one that does not judge places is for teams in which nothing is narrowed. */
export const callerOf = (principal: Principal, access: Access): Principal =>
  access.in === 'teams' && !isPlaced(access) ? inWholeTeams(principal) : principal

/** The object in the path, after the check that the caller has the right of the route. */
export const authorizeRest = async (
  store: CallerStore,
  principal: Principal,
  access: Access,
  params: Readonly<Record<string, string>>,
): Promise<KubeObject | undefined> => {
  if (access.in === 'self' || access.in === 'public') return undefined
  if (access.in === 'session') {
    if (principal.session !== undefined) return undefined
    throw new StagelyError('Forbidden', 'this is for sessions of browsers: a token needs none')
  }
  if (access.in === 'admin') {
    if (allowsAdmin(principal, access.verb ?? 'update')) return undefined
    const why = withoutLimits(principal).admin
      ? `may not do this as admin of the controller; ${limitedToken}`
      : 'is no admin of the controller'
    throw new StagelyError('Forbidden', `${principal.name} ${why}`)
  }
  if (access.in === 'teams') {
    const asking = callerOf(principal, access)
    if (teamsWhere(asking, access.verb, access.resource)?.length !== 0) return undefined
    if (teamsWhere(principal, access.verb, access.resource)?.length !== 0)
      throw new StagelyError(
        'Forbidden',
        `${principal.name} may not do this: this is about whole teams, and its rights are narrowed to places in them`,
      )
    const none = principal.roles.size === 0
    throw none
      ? new StagelyError('Forbidden', `${principal.name} is in no team: ask an owner to add you`)
      : refusal(principal, access)
  }
  return authorizeTarget(store, principal, access, params[parameterOf(access.in)] ?? '')
}

/** What belongs to a whole team. A caller's store shows them all; the others it shows where they are in view. */
const isOfTeam = (target: RestTarget): boolean => {
  const kind = kindOfTarget(target)
  return kind !== 'Project' && !isInProject(kind)
}

const authorizeTarget = async (
  store: CallerStore,
  principal: Principal,
  access: Extract<Access, { in: InTarget }>,
  given: string,
): Promise<KubeObject> => {
  const check = (namespace: string): void => {
    if (!allows(principal, { ...access, namespace })) throw refusal(principal, access, namespace)
    checkPlaced(principal, access, namespace)
  }
  // Before it is looked for: whoever may not read it does not learn whether it is there.
  const [named = ''] = given.split('/')
  if (access.in !== 'team' && isOfTeam(access.in) && isInTeam(principal, named)) check(named)
  const target = await findTarget(store, access.in, given)
  if (target === undefined) throw restNotFound(access.in, given)
  const namespace = teamOf(target)
  if (!isInTeam(principal, namespace)) throw restNotFound(access.in, given, ofOtherTeam(namespace))
  check(namespace)
  return target
}
