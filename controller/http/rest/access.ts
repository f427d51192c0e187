// Who may use a route, asked before its input is read. What belongs to another team is not there:
// 404, with the same words as for what nobody has.
import {
  allows,
  allowsAdmin,
  isInTeam,
  teamsWhere,
  type Principal,
} from '../../../src/access/principal.ts'
import { rolesWith, type Resource, type Verb } from '../../../src/access/roles.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Store } from '../../../src/store/store.ts'
import { parseId, type IdKind } from './ids.ts'
import type { Access } from './route.ts'

type InTarget = Extract<Access, { in: 'project' | 'stagelet' | 'agent' | 'team' }>['in']

/** The path parameter that names what access is asked for. */
export const targetParameters: Readonly<Record<InTarget, string>> = {
  project: 'project_id',
  stagelet: 'stagelet_id',
  agent: 'agent_id',
  team: 'team',
}

const kindOf = { project: 'Project', stagelet: 'Stagelet', agent: 'Agent' } as const

/** `what` as the API calls it: project, secret, team. */
export const notFound = (what: string, given: string): StagelyError =>
  new StagelyError('NotFound', `${what} ${JSON.stringify(given.slice(0, 300))} not found`)

/** By id, or by `namespace/name`. The caller may not be allowed to see it. */
const findTarget = (
  store: Store,
  what: InTarget,
  given: string,
): Promise<KubeObject | undefined> => {
  if (what === 'team') return store.get({ kind: 'Namespace', namespace: '', name: given })
  const kind: IdKind = kindOf[what]
  const uid = parseId(kind, given)
  if (uid !== undefined) return store.getByUid(kind, uid)
  const [namespace = '', name = '', ...rest] = given.split('/')
  if (namespace === '' || name === '' || rest.length > 0) return Promise.resolve(undefined)
  return store.get({ kind, namespace, name })
}

/** The team that an object is in; a team is in itself. */
export const teamOf = (object: KubeObject): string =>
  object.kind === 'Namespace' ? object.metadata.name : (object.metadata.namespace ?? '')

interface Asked {
  readonly verb: Verb
  readonly resource: Resource
}

const refusal = (principal: Principal, { verb, resource }: Asked, where: string): StagelyError => {
  const roles = rolesWith(verb, resource)
  const who = roles.length === 0 ? 'admins of the controller' : roles.join(', ')
  return new StagelyError(
    'Forbidden',
    `${principal.name} may not ${verb} ${resource} ${where}; roles that may: ${who}`,
  )
}

const inTeam = (principal: Principal, team: string): string => {
  const role = principal.roles.get(team)
  return `in team ${JSON.stringify(team)}${role === undefined ? '' : ` as ${role}`}`
}

/** For a team that the body names: 404 where it is not the caller's, 403 where the role is too small. */
export const requireIn = (principal: Principal, asked: Asked, team: string): void => {
  if (!isInTeam(principal, team)) throw notFound('team', team)
  if (!allows(principal, { ...asked, namespace: team }))
    throw refusal(principal, asked, inTeam(principal, team))
}

/** What the path names, once the caller may do what the route does. */
export const authorize = async (
  store: Store,
  principal: Principal,
  access: Access,
  params: Readonly<Record<string, string>>,
): Promise<KubeObject | undefined> => {
  if (access.in === 'self') return undefined
  if (access.in === 'admin') {
    if (allowsAdmin(principal, access.verb ?? 'update')) return undefined
    throw new StagelyError('Forbidden', `${principal.name} is no admin of the controller`)
  }
  if (access.in === 'teams') {
    const teams = teamsWhere(principal, access.verb, access.resource)
    if (teams?.length !== 0) return undefined
    const none = principal.roles.size === 0
    throw none
      ? new StagelyError('Forbidden', `${principal.name} is in no team: ask an owner to add you`)
      : refusal(principal, access, 'in any team')
  }
  const given = params[targetParameters[access.in]] ?? ''
  const target = await findTarget(store, access.in, given)
  if (target === undefined || !isInTeam(principal, teamOf(target))) throw notFound(access.in, given)
  const namespace = teamOf(target)
  if (!allows(principal, { ...access, namespace }))
    throw refusal(principal, access, inTeam(principal, namespace))
  return target
}
