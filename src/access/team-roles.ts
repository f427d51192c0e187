// What a member of a team can be, from most to least.
export const teamRoles = ['owner', 'maintainer', 'developer', 'viewer', 'auditor'] as const
export type TeamRole = (typeof teamRoles)[number]
