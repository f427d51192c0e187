// Identities at the OpenID provider, and whose they are here.
import type { TeamGrant } from '../../access/team-roles.ts'
import { isReason, StagelyError } from '../../kernel/errors.ts'
import { dropMember, putMember } from './members.ts'
import type { WriteSession } from '../core/write-session.ts'
import { findUser, insertUser, userRef, type User } from './users.ts'

/** As the provider vouches for it. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** Verified by the provider. */
  readonly email: string
  readonly displayName: string | undefined
  /** When the person has last proved who they are (ms); undefined: the provider does not say. */
  readonly authenticatedAt?: number | undefined
  /** Roles and their places that groups give, by team; undefined: groups say nothing, and memberships stay. */
  readonly roles: ReadonlyMap<string, TeamGrant> | undefined
}

/** The person of the session, where that is who the identity says; undefined: somebody else. */
export const ownerOfSession = async (
  session: WriteSession,
  { issuer, subject, email }: Identity,
  sessionId: string,
): Promise<{ id: string } | undefined> => {
  const [found] = await session.tx.query<{ id: string; name: string; is_linked: boolean }>(
    `SELECT u.id, u.name, u.oidc_subject IS NOT NULL AS is_linked
     FROM users u JOIN tokens t ON t.user_id = u.id
     WHERE t.id = $3 AND t.is_session AND (u.oidc_issuer = $1 AND u.oidc_subject = $2
       OR u.oidc_subject IS NULL AND lower(u.email) = lower($4)
         AND NOT t.read_only AND t.role IS NULL AND t.namespaces IS NULL AND t.narrowing IS NULL
         AND NOT EXISTS (SELECT 1 FROM users o WHERE o.oidc_issuer = $1 AND o.oidc_subject = $2))`,
    [issuer, subject, sessionId, email],
  )
  if (found === undefined || found.is_linked) return found
  await session.tx.query('UPDATE users SET oidc_issuer = $2, oidc_subject = $3 WHERE id = $1', [
    ...[found.id, issuer, subject],
  ])
  const detail = { userId: found.id, changed: ['login'], issuer }
  session.audit(userRef(found.name), { action: 'update user', detail })
  return found
}

/** The user of an identity, who is added where nobody has its address. */
export const userOf = async (session: WriteSession, identity: Identity): Promise<User> => {
  const { issuer, subject, email, displayName } = identity
  const [row] = await session.tx.query<{ id: string }>(
    'SELECT id FROM users WHERE oidc_issuer = $1 AND oidc_subject = $2',
    [issuer, subject],
  )
  if (row !== undefined) return findUser(session.tx, row.id)
  const [same] = await session.tx.query<{ id: string; name: string; oidc_subject: string | null }>(
    'SELECT id, name, oidc_subject FROM users WHERE lower(email) = lower($1)',
    [email],
  )
  if (same === undefined) {
    // The login name is the address, as far as a name may look like one.
    const name = email.replace(/[^A-Za-z0-9._@+-]/g, '-').slice(0, 128)
    return insertUser(session, { name, email, displayName })
  }
  if (same.oidc_subject === null) {
    await requireUnused(session, same, email)
    return findUser(session.tx, same.id)
  }
  throw new StagelyError(
    'Forbidden',
    `user "${same.name}" has this e-mail address and logs in with another identity: ask an admin`,
    { denied: { why: 'Login', actorName: email } },
  )
}

/** Forbidden for a user with tokens, who shows by one of them that the address is theirs: an address alone takes nobody over. */
const requireUnused = async (
  { tx, nowMs }: WriteSession,
  { id, name }: { readonly id: string; readonly name: string },
  email: string,
): Promise<void> => {
  const [used] = await tx.query(
    `SELECT 1 FROM tokens WHERE user_id = $1 AND NOT is_session
       AND (expires_at IS NULL OR expires_at > $2)`,
    [id, nowMs],
  )
  if (used === undefined) return
  throw new StagelyError(
    'Forbidden',
    `user "${name}" has this e-mail address and logs in with tokens: log in to the dashboard with one, and confirm there with the provider once`,
    { denied: { why: 'Login', actorName: email } },
  )
}

/** Sets the roles that groups give; roles that people gave stay. Teams that do not exist are left out. */
export const followGroups = async (
  session: WriteSession,
  user: User,
  roles: ReadonlyMap<string, TeamGrant>,
): Promise<void> => {
  const held = await session.tx.query<{ team: string; from_group: boolean }>(
    `SELECT o.name AS team, m.from_group FROM team_members m JOIN objects o ON o.uid = m.team_id
     WHERE m.user_id = $1`,
    [user.id],
  )
  const byHand = new Set(held.filter((row) => !row.from_group).map((row) => row.team))
  for (const { team } of held.filter((row) => row.from_group && !roles.has(row.team)))
    await dropMember(session, team, user)
  for (const [team, grant] of roles) {
    if (byHand.has(team)) continue
    try {
      await putMember(session, { ...grant, team, user, fromGroup: true })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
}
