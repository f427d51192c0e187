// Who is logged in, and what they may do. Pure: the caller finds out who is logged in.
import { sameJson } from '../kernel/same-json.ts'
import { everywhere, meet, type Narrowing, type NarrowingIn } from './place.ts'
import { keptRights, readVerbs, resources, rightsOf, type Resource, type Verb } from './roles.ts'
import type { TeamRole } from './team-roles.ts'

export interface Principal {
  /** Id of the user, or of the token when a machine is logged in. */
  readonly id: string
  /** Who spends the budgets: a job of CI is a login of its own, and its rule is what they are counted for. Absent: `id`. */
  readonly countedAs?: string
  /** Name in audit rows and error messages. */
  readonly name: string
  readonly kind: 'user' | 'machine'
  /** True: may do everything in every team. False for an admin whose token has limits. */
  readonly admin: boolean
  /** Roles by team; a team is a namespace. */
  readonly roles: ReadonlyMap<string, TeamRole>
  /** The places to which memberships are narrowed, by team; absent: none is. */
  readonly narrowings?: ReadonlyMap<string, Narrowing>
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
  /** Who made it had the right to what is protected, so that it has that right where it names the environment. */
  readonly entersProtected?: boolean
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

/** What is left of rights that are narrowed to places. */
const isKept = (narrowing: Narrowing | undefined, { verb, resource }: AccessRequest): boolean =>
  narrowing === undefined || keptRights(narrowing)[resource]?.includes(verb) === true

const withinLimits = (limits: TokenLimits, request: AccessRequest): boolean => {
  const { readOnly, namespaces, role, narrowing } = limits
  if (!isKept(narrowing, request)) return false
  if (readOnly && !readVerbs.includes(request.verb)) return false
  if (role !== undefined && !roleAllows(role, request)) return false
  if (namespaces === undefined) return true
  return request.namespace !== undefined && namespaces.includes(request.namespace)
}

export const allows = (principal: Principal, request: AccessRequest): boolean => {
  const { admin, limits, roles, narrowings } = principal
  if (admin) return true
  if (limits !== undefined && !withinLimits(limits, request)) return false
  if (limits?.ofAdmin === true) return true
  if (!isKept(narrowings?.get(request.namespace ?? ''), request)) return false
  const role = request.namespace === undefined ? undefined : roles.get(request.namespace)
  return role !== undefined && roleAllows(role, request)
}

/** Where the principal's rights count. Each decision is one look into a map. */
export const narrowingOf = ({
  limits,
  narrowings,
}: Pick<Principal, 'limits' | 'narrowings'>): NarrowingIn => {
  const ofToken = limits?.narrowing
  if (narrowings === undefined) return ofToken === undefined ? everywhere : () => ofToken
  const ofTeams = new Map([...narrowings].map(([team, own]) => [team, meet(own, ofToken)]))
  return (namespace) => ofTeams.get(namespace) ?? ofToken
}

/** The principal in the teams in which nothing narrows the role. */
export const inWholeTeams = (principal: Principal): Principal => {
  const { limits, narrowings, roles } = principal
  if (limits?.narrowing !== undefined)
    return { ...principal, limits: { ...limits, namespaces: [] } }
  if (narrowings === undefined) return principal
  return { ...principal, roles: new Map([...roles].filter(([team]) => !narrowings.has(team))) }
}

/** True when the principal has the right to every protected environment of the team. */
export const holdsProtected = (principal: Principal, namespace: string): boolean =>
  allows(principal, { verb: 'update', resource: 'environments/protected', namespace })

/**
 * True when the principal may change what is in a protected environment. So may whose membership names the environment,
 * and a machine whose token does: who gives such a place has the right. A person gains nothing by a token's scope.
 */
export const mayChangeProtected = (
  principal: Principal,
  namespace: string,
  environment: string,
): boolean =>
  holdsProtected(principal, namespace) ||
  namedFor(principal, namespace)?.environments?.includes(environment) === true

/** The place that somebody with the right to what is protected has given. */
const namedFor = (
  { kind, limits, narrowings }: Principal,
  namespace: string,
): Narrowing | undefined => {
  if (kind === 'user') return narrowings?.get(namespace)
  return limits?.entersProtected === true ? limits.narrowing : undefined
}

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
  [...a.roles].every(([team, role]) => b.roles.get(team) === role) &&
  [...a.roles.keys()].every((team) => sameJson(a.narrowings?.get(team), b.narrowings?.get(team)))
