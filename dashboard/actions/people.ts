// Actions on members, users, tokens and sessions.
import type { Narrowing } from '../../src/access/place.ts'
import type { TeamRole } from '../../src/access/team-roles.ts'
import { defined } from '../../src/kernel/defined.ts'
import { requestApi, requestTo } from '../api/request.ts'
import type { ApiAction } from './copy-as.ts'

const placeFlags = ({ projects, environments, stagelets, folders }: Narrowing): string[] => [
  ...(projects === undefined ? [] : ['--project', ...projects]),
  ...(environments === undefined ? [] : ['--environment', ...environments]),
  ...(stagelets === undefined ? [] : ['--stagelet', ...stagelets]),
  ...(folders === undefined ? [] : ['--folder', ...folders]),
]

interface Lists {
  readonly projects?: string[] | undefined
  readonly environments?: string[] | undefined
  readonly stagelets?: string[] | undefined
  readonly folders?: string[] | undefined
}

/** Adds a member, or gives one another role. With `narrowing` it is the whole place; absent: the place stays. */
export const setMember = (
  team: string,
  {
    user,
    role,
    isNew,
    narrowing,
  }: {
    readonly user: string
    readonly role: TeamRole
    readonly isNew: boolean
    readonly narrowing?: Lists
  },
): ApiAction => {
  const { projects = null, environments = null, stagelets = null } = narrowing ?? {}
  const { folders = null } = narrowing ?? {}
  const place = narrowing === undefined ? {} : { projects, environments, stagelets, folders }
  const flags = placeFlags(narrowing ?? {})
  const widens = !isNew && narrowing !== undefined && flags.length === 0
  return {
    name: isNew ? `Add ${user} as ${role}` : `Make ${user} ${role}`,
    request: requestApi('put', '/teams/{team}/members/{user}', { team, user }, { role, ...place }),
    stagely: [
      ...['admin', 'team', 'add', team, user, '--role', role],
      ...(widens ? ['--whole-team'] : flags),
    ],
  }
}

export const removeMember = (team: string, user: string): ApiAction => ({
  name: `Remove ${user}`,
  request: requestApi('delete', '/teams/{team}/members/{user}', { team, user }),
  stagely: ['admin', 'team', 'remove', team, user],
})

interface NewToken extends Lists {
  /** Of a machine of this team; absent: of one's own. */
  readonly team?: string | undefined
  readonly name: string
  readonly role?: TeamRole | undefined
  readonly readOnly: boolean
  readonly days?: number | undefined
  /** When that is. */
  readonly expiresAt?: string | undefined
}

export const createToken = ({
  team,
  name,
  role,
  readOnly,
  days,
  expiresAt,
  ...lists
}: NewToken) => {
  const body = {
    name,
    ...(readOnly && { read_only: true }),
    ...defined({ expires_at: expiresAt, ...lists }),
  }
  return {
    name: `New token ${name}`,
    request:
      team === undefined
        ? requestApi('post', '/tokens', {}, { ...body, ...defined({ role }) })
        : requestApi('post', '/teams/{team}/tokens', { team }, { ...body, role: role ?? 'viewer' }),
    stagely: [
      ...['token', 'create', name],
      ...(team === undefined ? [] : ['--team', team]),
      ...(role === undefined ? [] : ['--role', role]),
      ...(readOnly ? ['--read-only'] : []),
      ...placeFlags(lists),
      ...(days === undefined ? [] : ['--ttl', `${days.toString()}d`]),
    ],
  }
}

export const revokeToken = (
  { id, name }: { readonly id: string; readonly name: string },
  team?: string,
): ApiAction => ({
  name: `Revoke the token ${name}`,
  request:
    team === undefined
      ? requestApi('delete', '/tokens/{token_id}', { token_id: id })
      : requestApi('delete', '/teams/{team}/tokens/{token_id}', { team, token_id: id }),
  stagely: ['token', 'revoke', id, ...(team === undefined ? [] : ['--team', team]), '--yes'],
})

export const logOutBrowser = ({
  id,
  browser = id,
}: {
  readonly id: string
  readonly browser?: string | undefined
}): ApiAction => ({
  name: `Log out ${browser}`,
  request: requestApi('delete', '/me/sessions/{session_id}', { session_id: id }),
  stagely: ['sessions', 'revoke', id, '--yes'],
})

export const createTeam = (name: string): ApiAction => ({
  name: `New team ${name}`,
  request: requestTo('post', '/teams', { name }),
  stagely: ['admin', 'team', 'create', name],
  kubectl: ['create', 'namespace', name],
})

export const createUser = (name: string, email?: string): ApiAction => ({
  name: `Add the user ${name}`,
  request: requestApi('post', '/users', {}, { name, ...defined({ email }) }),
  stagely: ['admin', 'user', 'create', name, ...(email === undefined ? [] : ['--email', email])],
})

/** Refuses all tokens of a user, or ends that. */
export const disableUser = (user: string, disabled: boolean): ApiAction => ({
  name: `${disabled ? 'Disable' : 'Enable'} ${user}`,
  request: requestApi('patch', '/users/{user}', { user }, { disabled }),
  stagely: ['admin', 'user', 'update', user, disabled ? '--disabled' : '--no-disabled'],
})
