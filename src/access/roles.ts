// All rights in one table. A role is held in a team (a namespace); an admin of the controller may do
// everything in every team.
import { isBelowProject, type Narrowing } from './place.ts'
import { teamRoles, type TeamRole } from './team-roles.ts'

/**
 * What rights are about: the plurals of the kinds, and resources that are no kind. A part after `/` has
 * a right of its own, as a subresource has in Kubernetes RBAC.
 */
export const resources = [
  'namespaces',
  'members',
  'tokens',
  'projects',
  'agents',
  'agents/join',
  'environments/protected',
  'stagelysecrets',
  'stagelysecrets/value',
  'stagelysecrets/fingerprints',
  'stagelysecrets/findings',
  'stagelysecrets/granted',
  'stagelysecrets/purge',
  'stagelets',
  'stagelets/deploy',
  'stagelets/pause',
  'stagelets/logs',
  'stagelets/preview',
  'notifiers',
  'secretstores',
  'rotations',
  'rotations/run',
  'rotations/revoke',
  'trustedissuers',
  'accesspolicies',
  'accessrequests',
  'accessrequests/own',
  'accessrequests/approval',
  'accessrequests/review',
  'events',
  'audit',
] as const
export type Resource = (typeof resources)[number]

/**
 * The verbs of Kubernetes. `get` of `stagelysecrets/value` reveals a value, and `get` of `stagelysecrets/granted` one that
 * an AccessRequest grants. Of `accessrequests/own` people read their own requests, and those that they may approve.
 */
export const verbs = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const
export type Verb = (typeof verbs)[number]

type Rights = Partial<Record<Resource, readonly Verb[]>>

/** Verbs that change nothing. */
export const readVerbs: readonly Verb[] = ['get', 'list', 'watch']
const read = readVerbs
const write: readonly Verb[] = ['create', 'update', 'patch', 'delete']
const all: readonly Verb[] = verbs

const viewer: Rights = {
  namespaces: read,
  members: read,
  projects: read,
  agents: read,
  stagelysecrets: read,
  stagelets: read,
  notifiers: read,
  secretstores: read,
  rotations: read,
  trustedissuers: read,
  accesspolicies: read,
  'accessrequests/own': ['get'],
  'accessrequests/approval': ['update'],
  events: read,
}

const developer: Rights = {
  ...viewer,
  stagelysecrets: all,
  'stagelysecrets/fingerprints': ['get'],
  'stagelysecrets/findings': ['create'],
  'stagelets/deploy': write,
  'stagelysecrets/granted': ['get'],
  'stagelets/logs': read,
  'stagelets/preview': ['update', 'delete'],
  'rotations/run': ['create'],
  accessrequests: ['create'],
}

/** For CI: writes values and deploys; reads no value, no logs, and not who is in the team. */
const deployer: Rights = {
  ...viewer,
  members: [],
  'accessrequests/own': [],
  'accessrequests/approval': [],
  stagelysecrets: all,
  stagelets: [...read, 'create', 'delete'],
  'stagelets/deploy': write,
  'stagelets/preview': ['update', 'delete'],
}

/** Keeps stacks running; neither reads nor writes values. */
const operator: Rights = {
  ...viewer,
  'stagelets/deploy': write,
  'stagelets/pause': ['patch'],
  'stagelets/logs': read,
}

const maintainer: Rights = {
  ...developer,
  projects: all,
  agents: all,
  'agents/join': all,
  'stagelysecrets/value': ['get'],
  stagelets: all,
  'stagelets/pause': ['patch'],
  notifiers: all,
  secretstores: all,
  rotations: all,
  accessrequests: [...read, 'create'],
  tokens: all,
}

const owner: Rights = {
  ...maintainer,
  namespaces: [...read, 'update', 'patch'],
  members: all,
  'stagelysecrets/purge': ['delete'],
  'rotations/revoke': ['create'],
  'environments/protected': ['update'],
  trustedissuers: all,
  accesspolicies: all,
  'accessrequests/review': ['update'],
}

const auditor: Rights = {
  ...viewer,
  accessrequests: read,
  'accessrequests/review': ['update'],
  audit: read,
}

export const rightsOf: Readonly<Record<TeamRole, Rights>> = {
  owner,
  maintainer,
  developer,
  deployer,
  operator,
  viewer,
  auditor,
}

/** What a token that is narrowed to places keeps of its rights. What belongs to a team as a whole is not in it. */
export const narrowedRights: Rights = {
  namespaces: read,
  projects: all,
  stagelysecrets: all,
  'stagelysecrets/value': ['get'],
  'stagelysecrets/granted': ['get'],
  'stagelysecrets/fingerprints': ['get'],
  'stagelysecrets/findings': ['create'],
  'stagelysecrets/purge': ['delete'],
  stagelets: all,
  'stagelets/deploy': write,
  'stagelets/pause': ['patch'],
  'stagelets/logs': read,
  'stagelets/preview': ['update', 'delete'],
  rotations: read,
  'rotations/run': ['create'],
  'rotations/revoke': ['create'],
  accessrequests: [...read, 'create'],
  'accessrequests/own': ['get'],
  'environments/protected': ['update'],
  events: read,
}

/** The same where a token is narrowed to a part of a project. */
export const partRights: Rights = {
  namespaces: read,
  stagelysecrets: all,
  'stagelysecrets/value': ['get'],
  'stagelysecrets/granted': ['get'],
  stagelets: all,
  'stagelets/deploy': write,
  'stagelets/pause': ['patch'],
  'stagelets/logs': read,
  'stagelets/preview': ['update', 'delete'],
  events: read,
}

/** What a narrowing leaves of any role. */
export const keptRights = (narrowing: Narrowing): Rights =>
  isBelowProject(narrowing) ? partRights : narrowedRights

/** The roles that have a right. Error messages name them as the remedy. */
export const rolesWith = (verb: Verb, resource: Resource): TeamRole[] =>
  teamRoles.filter((role) => rightsOf[role][resource]?.includes(verb) === true)
