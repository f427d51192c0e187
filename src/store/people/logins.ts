// Logins by an OpenID provider: used states, the persons that logged in, and the codes by which their command lines get
// tokens. Secrets are stored only as hashes.
import { createHash, randomBytes } from 'node:crypto'
import { StagelyError } from '../../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import { followGroups, ownerOfSession, userOf, type Identity } from './identities.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Sql } from '../drivers/sql.ts'
import { confirmedUntil } from './session-times.ts'
import { confirmSession } from './session-proof.ts'
import { insertSession, type Browser, type OpenedSession } from './sessions.ts'
import { replaceToken, type CreatedToken } from './tokens.ts'
import { userRef, findUser, type User } from './users.ts'
import { controllerActor } from '../core/actor.ts'

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
interface BrowserLogin extends TakenLogin {
  readonly browser: Browser
  readonly requestId: string
}

const codeMs = 60_000

const sha256 = (text: string, as: 'hex' | 'base64url'): string =>
  createHash('sha256').update(text).digest(as)

export class LoginStore {
  readonly #sql: Sql
  readonly #changes: AccessChanges

  constructor(sql: Sql, changes: AccessChanges) {
    this.#sql = sql
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
        `INSERT INTO login_codes (code_hash, user_id, challenge, expires_at, is_proven)
         VALUES ($1, $2, $3, $4, $5)`,
        [
          ...[sha256(code, 'hex'), user.id, login.challenge, session.nowMs + codeMs],
          confirmedUntil(identity.authenticatedAt, session.nowMs) !== undefined,
        ],
      )
      return { user, code }
    })
  }

  /** As `finish`, with a session in place of the code. It is confirmed where the provider vouches for a fresh login. */
  finishInBrowser(
    identity: Identity,
    login: BrowserLogin,
  ): Promise<{ user: User; opened: OpenedSession }> {
    const { browser, requestId } = login
    const write = { ...controllerActor, address: browser.address, requestId }
    return this.#changes.write(write, async (session) => {
      const user = await enter(session, identity, login)
      const provedAt = identity.authenticatedAt
      const opened = await insertSession(session, { userId: user.id, browser, provedAt })
      const { issuer } = identity
      const detail = { userId: user.id, issuer, by: 'provider', sessionId: opened.session.id }
      session.audit(userRef(user.name), { action: 'login', detail })
      return { user, opened }
    })
  }

  /**
   * The person of a session has logged in again. Forbidden when it is somebody else. A person who has none gets this identity,
   * where the address is theirs and the session has no scopes.
   */
  confirmInBrowser(identity: Identity, login: BrowserLogin, sessionId: string): Promise<void> {
    const { browser, requestId } = login
    const write = { ...controllerActor, address: browser.address, requestId }
    return this.#changes.write(write, async (session) => {
      await takeState(session, login)
      const owner = await ownerOfSession(session, identity, sessionId)
      if (owner === undefined)
        throw new StagelyError('Forbidden', 'this session is of somebody else: log out first', {
          denied: { why: 'Login', actorName: identity.email },
        })
      const user = await findUser(session.tx, owner.id)
      const until = confirmedUntil(identity.authenticatedAt, session.nowMs)
      if (until === undefined)
        throw new StagelyError('Forbidden', 'this login is too old: begin again', {
          denied: { why: 'Login', actorName: identity.email },
        })
      await confirmSession(session, { id: sessionId, userId: user.id, until })
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
    const found = await this.#sql.query('SELECT 1 FROM login_codes WHERE code_hash = $1', [
      sha256(code, 'hex'),
    ])
    if (found.length === 0) throw noCode()
    const created = await this.#changes.write(controllerActor, async (session) => {
      const [row] = await session.tx.query<{
        user_id: string
        challenge: string
        expires_at: number
        is_proven: boolean
      }>(
        `DELETE FROM login_codes WHERE code_hash = $1
         RETURNING user_id, challenge, expires_at, is_proven`,
        [sha256(code, 'hex')],
      )
      if (row === undefined || row.expires_at <= session.nowMs) return undefined
      // Both are hashes of random texts: the time of their comparison tells nothing.
      if (sha256(verifier, 'base64url') !== row.challenge) return undefined
      const spec = { name, expiresAt: session.nowMs + ttlMs }
      return replaceToken(session, row.user_id, spec, { isProven: row.is_proven })
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
