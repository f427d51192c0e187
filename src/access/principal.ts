// Who is logged in, and what they may do. Pure: where a principal comes from is the caller's.
import { readVerbs, resources, rightsOf, type Resource, type Verb } from './roles.ts'
import type { TeamRole } from './team-roles.ts'

export interface Principal {
  /** Id of the user, or of the token where a machine is logged in. */
  readonly id: string
  /** As audit rows and error messages name them. */
  readonly name: string
  readonly kind: 'user' | 'machine'
  /** May do everything everywhere. False for an admin whose token has limits. */
  readonly admin: boolean
  /** Roles by team; a team is a namespace. */
  readonly roles: ReadonlyMap<string, TeamRole>
  /** Id of the token that this request came with. */
  readonly tokenId: string
  /** When that token ends, in ms since the epoch. */
  readonly expiresAt?: number
  /** What the token's scopes leave of all this; absent: all of it. */
  readonly limits?: TokenLimits
}

/** Scopes of a token. They only ever take away. */
export interface TokenLimits {
  /** True: of the verbs only get, list and watch are left. */
  readonly readOnly: boolean
  /** Only in these teams; absent: in all of the owner's. */
  readonly namespaces?: readonly string[]
  /** Only what this role may; absent: all that the owner's role may. */
  readonly role?: TeamRole
  /** The owner is an admin, to whom no team is closed. */
  readonly ofAdmin: boolean
}

export interface AccessRequest {
  readonly verb: Verb
  readonly resource: Resource
  /** Absent for what belongs to no team: only admins may. */
  readonly namespace?: string | undefined
}

const roleAllows = (role: TeamRole, { verb, resource }: AccessRequest): boolean =>
  rightsOf[role][resource]?.includes(verb) === true

const withinLimits = (limits: TokenLimits, request: AccessRequest): boolean => {
  const { readOnly, namespaces, role } = limits
  if (readOnly && !readVerbs.includes(request.verb)) return false
  if (role !== undefined && !roleAllows(role, request)) return false
  if (namespaces === undefined) return true
  return request.namespace !== undefined && namespaces.includes(request.namespace)
}

export const allows = (principal: Principal, request: AccessRequest): boolean => {
  const { admin, limits, roles } = principal
  if (admin) return true
  if (limits !== undefined && !withinLimits(limits, request)) return false
  if (limits?.ofAdmin === true) return true
  const role = request.namespace === undefined ? undefined : roles.get(request.namespace)
  return role !== undefined && roleAllows(role, request)
}

/** What belongs to no team (users, new teams, status written by hand): admins only. */
export const allowsAdmin = ({ admin, limits }: Principal, verb: Verb): boolean => {
  if (admin) return true
  if (limits?.ofAdmin !== true || limits.namespaces !== undefined || limits.role !== undefined)
    return false
  return !limits.readOnly || readVerbs.includes(verb)
}

/** True where the principal may know of the team at all. */
export const isInTeam = ({ admin, limits, roles }: Principal, namespace: string): boolean => {
  if (admin) return true
  if (limits?.namespaces !== undefined && !limits.namespaces.includes(namespace)) return false
  return limits?.ofAdmin === true || roles.has(namespace)
}

/** The teams in which the principal may do this; undefined means all of them. */
export const teamsWhere = (
  principal: Principal,
  verb: Verb,
  resource: Resource,
): string[] | undefined => {
  const { admin, limits, roles } = principal
  if (admin) return undefined
  const allowed = (namespace: string): boolean => allows(principal, { verb, resource, namespace })
  if (limits?.ofAdmin !== true) return [...roles.keys()].filter(allowed)
  if (limits.namespaces !== undefined) return limits.namespaces.filter(allowed)
  return withinLimits(limits, { verb, resource }) ? undefined : []
}

/** Nobody hands out more than he has: who manages members may give any role, others what they hold. */
export const mayGrant = (principal: Principal, namespace: string, role: TeamRole): boolean =>
  allows(principal, { verb: 'create', resource: 'members', namespace }) ||
  resources.every((resource) =>
    (rightsOf[role][resource] ?? []).every((verb) =>
      allows(principal, { verb, resource, namespace }),
    ),
  )

/** True where two logins may do the same, so that nothing open has to end. */
export const samePrincipal = (a: Principal, b: Principal): boolean =>
  a.id === b.id &&
  a.name === b.name &&
  a.admin === b.admin &&
  a.roles.size === b.roles.size &&
  [...a.roles].every(([team, role]) => b.roles.get(team) === role)
