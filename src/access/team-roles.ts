// Roles of a team's members, from most rights to least.
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
