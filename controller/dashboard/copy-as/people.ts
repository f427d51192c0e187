// What somebody does with members, users and tokens.
import type { Doing } from './doing.ts'

const memberPath = (team: string, user: string): string =>
  `/teams/${encodeURIComponent(team)}/members/${encodeURIComponent(user)}`

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
    path: team === undefined ? '/tokens' : `/teams/${encodeURIComponent(team)}/tokens`,
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
