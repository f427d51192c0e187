// Roles of a team's members, from most rights to least.
import type { Narrowing } from './place.ts'

export const teamRoles = [
  'owner',
  'maintainer',
  'developer',
  'deployer',
  'operator',
  'viewer',
  'auditor',
] as const
export type TeamRole = (typeof teamRoles)[number]

/** What somebody has in a team. */
export interface TeamGrant {
  readonly role: TeamRole
  /** The places to which the role is narrowed; absent: the whole team. */
  readonly narrowing?: Narrowing | undefined
}
