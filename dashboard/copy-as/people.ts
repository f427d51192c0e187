// What somebody does with members, users, tokens and sessions.
import type { Doing } from './doing.ts'

const memberPath = (team: string, user: string): string =>
  `/teams/${encodeURIComponent(team)}/members/${encodeURIComponent(user)}`

/** Of a team's machines; absent: one's own. */
const tokensPath = (team: string | undefined): string =>
  team === undefined ? '/tokens' : `/teams/${encodeURIComponent(team)}/tokens`

/** Adds a member, or gives one another role. */
export const memberDoing = (
  team: string,
  { user, role, isNew }: { readonly user: string; readonly role: string; readonly isNew: boolean },
): Doing => ({
  name: isNew ? `Add ${user} as ${role}` : `Make ${user} ${role}`,
  rest: { method: 'PUT', path: memberPath(team, user), body: { role } },
  stagely: { words: ['team', isNew ? 'add' : 'set-role', team, user, '--role', role] },
})

export const removeMemberDoing = (team: string, user: string): Doing => ({
  name: `Remove ${user}`,
  rest: { method: 'DELETE', path: memberPath(team, user) },
  stagely: { words: ['team', 'remove', team, user] },
})

interface NewToken {
  /** Of a machine of this team; absent: of one's own. */
  readonly team?: string | undefined
  readonly name: string
  readonly role?: string | undefined
  readonly readOnly: boolean
  readonly days?: number | undefined
  /** When that is. */
  readonly expiresAt?: string | undefined
}

export const tokenDoing = ({ team, name, role, readOnly, days, expiresAt }: NewToken): Doing => ({
  name: `Make the token ${name}`,
  rest: {
    method: 'POST',
    path: tokensPath(team),
    body: {
      name,
      role,
      read_only: readOnly ? true : undefined,
      expires_at: expiresAt,
    },
  },
  stagely: {
    words: [
      ...['token', 'create', name],
      ...(team === undefined ? [] : ['--team', team]),
      ...(role === undefined ? [] : ['--role', role]),
      ...(readOnly ? ['--read-only'] : []),
      ...(days === undefined ? [] : ['--ttl', `${days.toString()}d`]),
    ],
  },
})

const yes = '--yes'

export const revokeTokenDoing = (
  { id, name }: { readonly id: string; readonly name: string },
  team?: string,
): Doing => ({
  name: `Revoke the token ${name}`,
  rest: { method: 'DELETE', path: `${tokensPath(team)}/${encodeURIComponent(id)}` },
  stagely: {
    words: ['token', 'revoke', id, ...(team === undefined ? [] : ['--team', team]), yes],
  },
})

export const endSessionDoing = ({
  id,
  browser = id,
}: {
  readonly id: string
  readonly browser?: string | undefined
}): Doing => ({
  name: `End the session: ${browser}`,
  rest: { method: 'DELETE', path: `/me/sessions/${encodeURIComponent(id)}` },
  stagely: { words: ['sessions', 'revoke', id, yes] },
})

export const newUserDoing = (name: string, email?: string): Doing => ({
  name: `Add the user ${name}`,
  rest: { method: 'POST', path: '/users', body: { name, email } },
  stagely: {
    words: ['user', 'create', name, ...(email === undefined ? [] : ['--email', email])],
  },
})

/** Refuses all tokens of a user, or ends that. */
export const switchUserDoing = (name: string, disabled: boolean): Doing => ({
  name: `${disabled ? 'Disable' : 'Enable'} ${name}`,
  rest: { method: 'PATCH', path: `/users/${encodeURIComponent(name)}`, body: { disabled } },
  stagely: { words: ['user', disabled ? 'disable' : 'enable', name] },
})
