// Who is logged in, and what they may do. Pure: the caller finds out who is logged in.
import type { Narrowing } from './place.ts'
import { keptRights, readVerbs, resources, rightsOf, type Resource, type Verb } from './roles.ts'
import type { TeamRole } from './team-roles.ts'

export interface Principal {
  /** Id of the user, or of the token when a machine is logged in. */
  readonly id: string
  /** Name in audit rows and error messages. */
  readonly name: string
  readonly kind: 'user' | 'machine'
  /** True: may do everything in every team. False for an admin whose token has limits. */
  readonly admin: boolean
  /** Roles by team; a team is a namespace. */
  readonly roles: ReadonlyMap<string, TeamRole>
  /** Id of the token that this request carries. */
  readonly tokenId: string
  /** Expiry of the token, in ms since the epoch. */
  readonly expiresAt?: number
  /** Restrictions by the token's scopes; absent: none. */
  readonly limits?: TokenLimits
  /** Of a browser's session; absent: the request carries the token itself. */
  readonly session?: {
    /** The person has proved who they are; this counts until then (ms). */
    readonly confirmedUntil: number | undefined
  }
}

/** Restrictions by a token's scopes. Scopes never add a right. */
export interface TokenLimits {
  /** True: only the verbs get, list and watch are allowed. */
  readonly readOnly: boolean
  /** Only these teams are allowed; absent: all teams of the owner. */
  readonly namespaces?: readonly string[]
  /** Only the rights of this role are allowed; absent: all rights of the owner's role. */
  readonly role?: TeamRole
  /** Only these places of the teams. Who asks for an object says whether it is in them. */
  readonly narrowing?: Narrowing
  /** The owner is an admin, so that every team is open. */
  readonly ofAdmin: boolean
}

export interface AccessRequest {
  readonly verb: Verb
  readonly resource: Resource
  /** Team of the resource. Absent for a resource without a team: only admins have rights to it. */
  readonly namespace?: string | undefined
}

const roleAllows = (role: TeamRole, { verb, resource }: AccessRequest): boolean =>
  rightsOf[role][resource]?.includes(verb) === true

const withinLimits = (limits: TokenLimits, request: AccessRequest): boolean => {
  const { readOnly, namespaces, role, narrowing } = limits
  if (
    narrowing !== undefined &&
    keptRights(narrowing)[request.resource]?.includes(request.verb) !== true
  )
    return false
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

/**
 * True when the principal may change what is in a protected environment. A machine may whose token names the
 * environment: who makes such a token is asked for the right.
 */
export const mayChangeProtected = (
  principal: Principal,
  namespace: string,
  environment: string,
): boolean =>
  allows(principal, { verb: 'update', resource: 'environments/protected', namespace }) ||
  (principal.kind === 'machine' &&
    principal.limits?.narrowing?.environments?.includes(environment) === true)

/**
 * True when the principal has the right to a resource without a team (users, new teams, status): admins
 * only.
 */
export const allowsAdmin = ({ admin, limits }: Principal, verb: Verb): boolean => {
  if (admin) return true
  if (limits?.ofAdmin !== true || limits.narrowing !== undefined) return false
  if (limits.namespaces !== undefined || limits.role !== undefined) return false
  return !limits.readOnly || readVerbs.includes(verb)
}

/** True when the principal may know that the team exists. */
export const isInTeam = ({ admin, limits, roles }: Principal, namespace: string): boolean => {
  if (admin) return true
  if (limits?.namespaces !== undefined && !limits.namespaces.includes(namespace)) return false
  return limits?.ofAdmin === true || roles.has(namespace)
}

/** The teams in which the principal has this right; undefined means all teams. */
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

/**
 * True when the principal may give `role` to others. Who manages members may give any role; others may
 * give only a role that they have.
 */
export const mayGrant = (principal: Principal, namespace: string, role: TeamRole): boolean =>
  allows(principal, { verb: 'create', resource: 'members', namespace }) ||
  resources.every((resource) =>
    (rightsOf[role][resource] ?? []).every((verb) =>
      allows(principal, { verb, resource, namespace }),
    ),
  )

/** True when two principals have the same rights, so that open streams may go on. */
export const samePrincipal = (a: Principal, b: Principal): boolean =>
  a.id === b.id &&
  a.name === b.name &&
  a.admin === b.admin &&
  a.roles.size === b.roles.size &&
  [...a.roles].every(([team, role]) => b.roles.get(team) === role)
