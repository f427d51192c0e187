// Who is logged in, and what they may do. Pure: where a principal comes from is the caller's.
import { rightsOf, type Resource, type Verb } from './roles.ts'

export const teamRoles = ['owner', 'maintainer', 'developer', 'viewer', 'auditor'] as const
export type TeamRole = (typeof teamRoles)[number]

export interface Principal {
  /** Id of the user, or of the token where a machine is logged in. */
  readonly id: string
  /** As audit rows and error messages name them. */
  readonly name: string
  readonly kind: 'user' | 'machine'
  /** May do everything everywhere. */
  readonly admin: boolean
  /** Roles by team; a team is a namespace. */
  readonly roles: ReadonlyMap<string, TeamRole>
  /** Id of the token that this request came with. */
  readonly tokenId: string
}

export interface AccessRequest {
  readonly verb: Verb
  readonly resource: Resource
  /** Absent for what belongs to no team: only admins may. */
  readonly namespace?: string | undefined
}

export const allows = (principal: Principal, request: AccessRequest): boolean => {
  if (principal.admin) return true
  const role = request.namespace === undefined ? undefined : principal.roles.get(request.namespace)
  return role !== undefined && rightsOf[role][request.resource]?.includes(request.verb) === true
}

/** The teams in which the principal may do this; undefined means all of them. */
export const teamsWhere = (
  principal: Principal,
  verb: Verb,
  resource: Resource,
): string[] | undefined =>
  principal.admin
    ? undefined
    : [...principal.roles.keys()].filter((namespace) =>
        allows(principal, { verb, resource, namespace }),
      )
