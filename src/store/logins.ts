// Logins by an OpenID provider: used states, the persons that logged in, and the codes by which their command lines get
// tokens. Secrets are stored only as hashes.
import { createHash, randomBytes } from 'node:crypto'
import type { TeamRole } from '../access/team-roles.ts'
import type { Clock } from '../kernel/clock.ts'
import { isReason, StagelyError } from '../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import { dropMember, putMember } from './members.ts'
import type { WriteSession } from './session.ts'
import type { Sql } from './sql.ts'
import { confirmSession, insertSession, type Browser, type OpenedSession } from './sessions.ts'
import { insertToken, type CreatedToken } from './tokens.ts'
import { userRef, findUser, insertUser, type User } from './users.ts'
import { controllerActor } from './actor.ts'

interface TakenLogin {
  readonly state: string
  /** ms; of the state */
  readonly expiresAt: number
}

/** A login for the command line, after the provider's answer. */
interface EndingLogin extends TakenLogin {
  /** SHA-256 of the verifier that only the person's command line knows, in base64url. */
  readonly challenge: string
}

/** The same in a browser. */
export interface BrowserLogin extends TakenLogin {
  readonly browser: Browser
  readonly requestId: string
}

/** As the provider vouches for it. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** Verified by the provider. */
  readonly email: string
  readonly displayName: string | undefined
  /** When the person has last proved who they are (ms); undefined: the provider does not say. */
  readonly authenticatedAt?: number | undefined
  /** Roles that groups give; undefined: groups say nothing, and memberships stay. */
  readonly roles: ReadonlyMap<string, TeamRole> | undefined
}

const codeMs = 60_000

const sha256 = (text: string, as: 'hex' | 'base64url'): string =>
  createHash('sha256').update(text).digest(as)

export class LoginStore {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #changes: AccessChanges

  constructor(sql: Sql, clock: Clock, changes: AccessChanges) {
    this.#sql = sql
    this.#clock = clock
    this.#changes = changes
  }

  /** True for a state that has led to a login. */
  async isTaken(state: string): Promise<boolean> {
    const rows = await this.#sql.query('SELECT 1 FROM logins WHERE state_hash = $1', [
      sha256(state, 'hex'),
    ])
    return rows.length > 0
  }

  /**
   * Finds or adds the user, sets the roles that groups give, and returns a code for `exchange`.
   * Forbidden for a disabled user, and where the e-mail address belongs to another identity.
   */
  finish(identity: Identity, login: EndingLogin): Promise<{ user: User; code: string }> {
    return this.#changes.write(controllerActor, async (session) => {
      const user = await enter(session, identity, login)
      const detail = { userId: user.id, issuer: identity.issuer }
      session.audit(userRef(user.name), { action: 'login', detail })
      const code = randomBytes(32).toString('base64url')
      await session.tx.query('DELETE FROM login_codes WHERE expires_at <= $1', [session.nowMs])
      await session.tx.query(
        `INSERT INTO login_codes (code_hash, user_id, challenge, expires_at)
         VALUES ($1, $2, $3, $4)`,
        [sha256(code, 'hex'), user.id, login.challenge, session.nowMs + codeMs],
      )
      return { user, code }
    })
  }

  /** As `finish`, with a session in place of the code. */
  finishInBrowser(
    identity: Identity,
    login: BrowserLogin,
  ): Promise<{ user: User; opened: OpenedSession }> {
    const { browser, requestId } = login
    const write = { ...controllerActor, address: browser.address, requestId }
    return this.#changes.write(write, async (session) => {
      const user = await enter(session, identity, login)
      const opened = await insertSession(session, { userId: user.id, browser, isConfirmed: true })
      const { issuer } = identity
      const detail = { userId: user.id, issuer, by: 'provider', sessionId: opened.session.id }
      session.audit(userRef(user.name), { action: 'login', detail })
      return { user, opened }
    })
  }

  /** The person of a session has logged in again. Forbidden when it is somebody else. */
  confirmInBrowser(identity: Identity, login: BrowserLogin, sessionId: string): Promise<void> {
    const { browser, requestId } = login
    const write = { ...controllerActor, address: browser.address, requestId }
    return this.#changes.write(write, async (session) => {
      await takeState(session, login)
      const [known] = await session.tx.query<{ id: string }>(
        `SELECT u.id FROM users u JOIN tokens t ON t.user_id = u.id
         WHERE t.id = $3 AND u.oidc_issuer = $1 AND u.oidc_subject = $2`,
        [identity.issuer, identity.subject, sessionId],
      )
      if (known === undefined)
        throw new StagelyError('Forbidden', 'this session is of somebody else: log out first', {
          denied: { why: 'Login', actorName: identity.email },
        })
      const user = await findUser(session.tx, known.id)
      await confirmSession(session, { id: sessionId, userId: user.id })
      const detail = { userId: user.id, issuer: identity.issuer, by: 'provider', sessionId }
      session.audit(userRef(user.name), { action: 'confirm login', detail })
    })
  }

  /**
   * A personal token for the code; an earlier one of the same name is replaced. Unauthorized for a
   * code that is unknown, used or too old, or whose verifier is wrong: the code is used up then too.
   */
  async exchange(
    code: string,
    verifier: string,
    { name, ttlMs }: { readonly name: string; readonly ttlMs: number },
  ): Promise<CreatedToken> {
    // Anybody may send codes. One that is not there costs no write, for which others would wait, and ends
    // nobody's remembered login.
    const known = await this.#sql.query('SELECT 1 FROM login_codes WHERE code_hash = $1', [
      sha256(code, 'hex'),
    ])
    if (known.length === 0) throw noCode()
    const created = await this.#changes.write(controllerActor, async (session) => {
      const [row] = await session.tx.query<{
        user_id: string
        challenge: string
        expires_at: number
      }>('DELETE FROM login_codes WHERE code_hash = $1 RETURNING user_id, challenge, expires_at', [
        sha256(code, 'hex'),
      ])
      if (row === undefined || row.expires_at <= session.nowMs) return undefined
      // Both are hashes of random texts: the time of their comparison tells nothing.
      if (sha256(verifier, 'base64url') !== row.challenge) return undefined
      await session.tx.query('DELETE FROM tokens WHERE user_id = $1 AND name = $2', [
        row.user_id,
        name,
      ])
      const spec = { name, expiresAt: session.nowMs + ttlMs }
      return insertToken(session, { user: row.user_id }, spec)
    })
    if (created !== undefined) return created
    throw noCode()
  }
}

const noCode = (): StagelyError =>
  new StagelyError('Unauthorized', 'the login code is not known or too old: log in again', {
    denied: { why: 'Login' },
  })

/** Finds or adds the user, who then has the roles that groups give. */
const enter = async (
  session: WriteSession,
  identity: Identity,
  login: TakenLogin,
): Promise<User> => {
  await takeState(session, login)
  const user = await userOf(session, identity)
  if (user.disabled)
    throw new StagelyError('Forbidden', `user "${user.name}" is disabled: ask an admin`, {
      denied: { why: 'Login', actorId: user.id, actorName: user.name },
    })
  await session.tx.query(
    `UPDATE users SET oidc_issuer = $2, oidc_subject = $3, last_login_at = $4,
       display_name = coalesce(display_name, $5) WHERE id = $1`,
    [user.id, identity.issuer, identity.subject, session.nowMs, identity.displayName ?? null],
  )
  if (identity.roles !== undefined) await followGroups(session, user, identity.roles)
  return user
}

/** Each state leads to one login. */
const takeState = async (session: WriteSession, login: TakenLogin): Promise<void> => {
  await session.tx.query('DELETE FROM logins WHERE expires_at <= $1', [session.nowMs])
  const taken = await session.tx.query(
    `INSERT INTO logins (state_hash, expires_at) VALUES ($1, $2)
     ON CONFLICT DO NOTHING RETURNING 1`,
    [sha256(login.state, 'hex'), login.expiresAt],
  )
  if (taken.length === 0) throw new StagelyError('BadRequest', 'this login was used: begin again')
}

const userOf = async (session: WriteSession, identity: Identity): Promise<User> => {
  const { issuer, subject, email, displayName } = identity
  const [known] = await session.tx.query<{ id: string }>(
    'SELECT id FROM users WHERE oidc_issuer = $1 AND oidc_subject = $2',
    [issuer, subject],
  )
  if (known !== undefined) return findUser(session.tx, known.id)
  const [same] = await session.tx.query<{ id: string; name: string; oidc_subject: string | null }>(
    'SELECT id, name, oidc_subject FROM users WHERE lower(email) = lower($1)',
    [email],
  )
  if (same === undefined) {
    // The login name is the address, as far as a name may look like one.
    const name = email.replace(/[^A-Za-z0-9._@+-]/g, '-').slice(0, 128)
    return insertUser(session, { name, email, displayName })
  }
  if (same.oidc_subject === null) return findUser(session.tx, same.id)
  throw new StagelyError(
    'Forbidden',
    `user "${same.name}" has this e-mail address and logs in with another identity: ask an admin`,
    { denied: { why: 'Login', actorName: email } },
  )
}

/** Sets the roles that groups give; roles that people gave stay. Teams that do not exist are left out. */
const followGroups = async (
  session: WriteSession,
  user: User,
  roles: ReadonlyMap<string, TeamRole>,
): Promise<void> => {
  const held = await session.tx.query<{ team: string; from_group: boolean }>(
    `SELECT o.name AS team, m.from_group FROM team_members m JOIN objects o ON o.uid = m.team_id
     WHERE m.user_id = $1`,
    [user.id],
  )
  const byHand = new Set(held.filter((row) => !row.from_group).map((row) => row.team))
  for (const { team } of held.filter((row) => row.from_group && !roles.has(row.team)))
    await dropMember(session, team, user)
  for (const [team, role] of roles) {
    if (byHand.has(team)) continue
    try {
      await putMember(session, { team, user, role, fromGroup: true })
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
}
