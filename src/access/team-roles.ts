// Roles of a team's members, from most rights to least.
export const teamRoles = ['owner', 'maintainer', 'developer', 'viewer', 'auditor'] as const
export type TeamRole = (typeof teamRoles)[number]
