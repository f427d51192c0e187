// Sessions of browsers, and the codes by which a token opens a session. A session is a row of `tokens` of its own kind, so
// that it ends as tokens do.
import { randomBytes, randomUUID } from 'node:crypto'
import { StagelyError } from '../../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import { confirmSession, ended, requireProof } from './session-proof.ts'
import { confirmedUntil, liveSql, sessionIdleMs, sessionMs } from './session-times.ts'
import type { WriteSession } from '../core/write-session.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor } from '../core/actor.ts'
import { hashOfToken, hintLength, tokenPrefixes } from './tokens.ts'
import { userRef } from './users.ts'

const codeMs = 60_000
/** Most sessions of one person: a further one ends the session that was not used for the longest time. */
const mostSessions = 50

/** The browser of a session, for the list that its person sees. */
export interface Browser {
  readonly address: string
  /** Such as "Firefox on Linux". */
  readonly name: string
}

export interface Session {
  readonly id: string
  /** Name of the person. */
  readonly user: string
  readonly createdAt: number
  /** To the minute. */
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly confirmedUntil: number | undefined
  readonly address: string | undefined
  readonly browser: string | undefined
}

export interface OpenedSession {
  /** The content of the cookie. Only its hash is stored. */
  readonly secret: string
  readonly session: Session
}

const sessionsSql = `
SELECT t.id, u.name AS "user", t.created_at AS "createdAt", t.last_used_at AS "lastSeenAt",
  t.expires_at AS "expiresAt", t.confirmed_until AS "confirmedUntil", t.address, t.browser
FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.is_session`

const noCode = (): StagelyError =>
  new StagelyError(
    'Unauthorized',
    'the link is used up or older than a minute: run "stagely open" again',
    { denied: { why: 'Login' } },
  )

interface NewSession {
  readonly userId: string
  /** The token that has opened the session, which has its scopes and its end; undefined: a login at the provider. */
  readonly parentId?: string
  readonly browser: Browser
  /** When the person has proved who they are (ms); undefined: no proof is known. A token that is not proven proves nothing. */
  readonly provedAt: number | undefined
}

interface Parent {
  role: string | null
  read_only: boolean
  namespaces: string | null
  narrowing: string | null
  expires_at: number | null
  is_proven: boolean
}

const unlimited: Parent = {
  role: null,
  read_only: false,
  namespaces: null,
  narrowing: null,
  expires_at: null,
  is_proven: true,
}

const parentOf = async (q: Queryable, id: string, nowMs: number): Promise<Parent> => {
  const [row] = await q.query<Parent>(
    `SELECT role, read_only, namespaces, narrowing, expires_at, is_proven FROM tokens
     WHERE id = $1 AND NOT is_session AND (expires_at IS NULL OR expires_at > $2)`,
    [id, nowMs],
  )
  if (row === undefined) throw ended()
  return row
}

/** Within the caller's write, which audits it. */
export const insertSession = async (
  session: WriteSession,
  { userId, parentId, browser, provedAt }: NewSession,
): Promise<OpenedSession> => {
  const { tx, nowMs } = session
  const parent = parentId === undefined ? unlimited : await parentOf(tx, parentId, nowMs)
  const expiresAt = Math.min(nowMs + sessionMs, parent.expires_at ?? Infinity)
  const confirmed = parent.is_proven ? confirmedUntil(provedAt, nowMs) : undefined
  await tx.query(
    `DELETE FROM tokens WHERE id IN (SELECT id FROM tokens WHERE is_session AND user_id = $1
       ORDER BY last_used_at DESC OFFSET ${mostSessions - 1})`,
    [userId],
  )
  const id = randomUUID()
  const secret = tokenPrefixes.session + randomBytes(32).toString('base64url')
  await tx.query(
    `INSERT INTO tokens (id, hash, name, hint, user_id, role, read_only, namespaces, expires_at,
       last_used_at, created_at, created_by, is_session, parent_id, confirmed_until, address, browser, narrowing)
     SELECT $1, $2, $3, $4, u.id, $6, $7, $8::json, $9, $10, $10, u.name, true, $11, $12, $13, $14, $15::json
     FROM users u WHERE u.id = $5`,
    [
      ...[id, hashOfToken(secret), `session-${id}`, secret.slice(0, hintLength), userId],
      ...[parent.role, parent.read_only, parent.namespaces, expiresAt, nowMs, parentId ?? null],
      ...[confirmed ?? null, browser.address, browser.name, parent.narrowing],
    ],
  )
  const [row] = await tx.query<RowOf<Session>>(`${sessionsSql} AND t.id = $1`, [id])
  return { secret, session: fromRow<Session>(row!) }
}

interface Person {
  readonly id: string
  readonly name: string
}

export class SessionStore {
  readonly #sql: Sql
  readonly #clock: { now(): number }
  readonly #changes: AccessChanges

  constructor(sql: Sql, clock: { now(): number }, changes: AccessChanges) {
    this.#sql = sql
    this.#clock = clock
    this.#changes = changes
  }

  /** Opens a session for a verified token. Unauthorized where the token has ended meanwhile. */
  openByToken(
    actor: Actor,
    { id: userId, name, tokenId }: Person & { readonly tokenId: string },
    browser: Browser,
  ): Promise<OpenedSession> {
    return this.#changes.write(actor, async (session) => {
      const made = { userId, parentId: tokenId, browser, provedAt: session.nowMs }
      const opened = await insertSession(session, made)
      const detail = { userId, by: 'token', tokenId, sessionId: opened.session.id }
      session.audit(userRef(name), { action: 'login', detail })
      return opened
    })
  }

  /** Makes a code that opens a session of this token once, within a minute. */
  createCode(
    actor: Actor,
    { id: userId, name, tokenId }: Person & { readonly tokenId: string },
  ): Promise<{ code: string; expiresAt: number }> {
    return this.#changes.write(actor, async (session) => {
      const code = randomBytes(32).toString('base64url')
      const expiresAt = session.nowMs + codeMs
      await session.tx.query('DELETE FROM session_codes WHERE expires_at <= $1', [session.nowMs])
      await session.tx.query(
        'INSERT INTO session_codes (code_hash, token_id, expires_at) VALUES ($1, $2, $3)',
        [hashOfToken(code), tokenId, expiresAt],
      )
      const detail = { userId, tokenId, expiresAt }
      session.audit(userRef(name), { action: 'create login code', detail })
      return { code, expiresAt }
    })
  }

  /** The person whose session the code would open. The code is not used up. Unauthorized for an invalid code. */
  async ownerOfCode(code: string): Promise<Person & { readonly expiresAt: number }> {
    const [row] = await this.#sql.query<{ id: string; name: string; expires_at: number }>(
      `SELECT u.id, u.name, c.expires_at FROM session_codes c JOIN tokens t ON t.id = c.token_id
       JOIN users u ON u.id = t.user_id
       WHERE c.code_hash = $1 AND c.expires_at > $2 AND u.disabled_at IS NULL
         AND (t.expires_at IS NULL OR t.expires_at > $2)`,
      [hashOfToken(code), this.#clock.now()],
    )
    if (row === undefined) throw noCode()
    return { id: row.id, name: row.name, expiresAt: row.expires_at }
  }

  /**
   * Uses the code up. The session is not confirmed: others on the machine may have seen the link.
   * Unauthorized for a code that opens none.
   */
  async openByCode(
    actor: Pick<Actor, 'address' | 'requestId'>,
    code: string,
    browser: Browser,
  ): Promise<OpenedSession> {
    // An unknown code needs no write, for which others would wait.
    const { id: userId, name } = await this.ownerOfCode(code)
    const person = { ...actor, name, id: userId, source: 'api', authority: 'whole' as const }
    return this.#changes.write(person, async (session) => {
      const [row] = await session.tx.query<{ token_id: string; expires_at: number }>(
        'DELETE FROM session_codes WHERE code_hash = $1 RETURNING token_id, expires_at',
        [hashOfToken(code)],
      )
      if (row === undefined || row.expires_at <= session.nowMs) throw noCode()
      const made = { userId, parentId: row.token_id, browser, provedAt: undefined }
      const opened = await insertSession(session, made)
      const detail = { userId, by: 'code', tokenId: row.token_id, sessionId: opened.session.id }
      session.audit(userRef(name), { action: 'login', detail })
      return opened
    })
  }

  /**
   * Notes that the person has proved their identity again, by a token. Returns the end of the confirmation. Forbidden for a
   * token with scopes that the session has not, and for one that nobody had to prove anything for.
   */
  confirm(
    actor: Actor,
    { id: userId, name, tokenId }: Person & { readonly tokenId: string },
    id: string,
  ): Promise<number> {
    return this.#changes.write(actor, async (session) => {
      await requireProof(session.tx, { id, tokenId })
      const until = confirmedUntil(session.nowMs, session.nowMs) ?? session.nowMs
      await confirmSession(session, { id, userId, until })
      const detail = { userId, by: 'token', tokenId, sessionId: id }
      session.audit(userRef(name), { action: 'confirm login', detail })
      return until
    })
  }

  /** The open sessions of a person; the one that was used last comes first. */
  async list(userId: string): Promise<Session[]> {
    const now = this.#clock.now()
    const rows = await this.#sql.query<RowOf<Session>>(
      `${sessionsSql} AND t.user_id = $1 AND ${liveSql('$2', '$3')}
       ORDER BY t.last_used_at DESC, t.id`,
      [userId, now, now - sessionIdleMs],
    )
    return rows.map((row) => fromRow<Session>(row))
  }

  /** Ends the session, if it has not ended. NotFound where the person never had it. */
  end(actor: Actor, { id: userId, name }: Person, id: string): Promise<void> {
    return this.#changes.write(actor, async (session) => {
      const rows = await session.tx.query(
        'DELETE FROM tokens WHERE is_session AND user_id = $1 AND id::text = $2 RETURNING 1',
        [userId, id],
      )
      if (rows.length === 0)
        throw new StagelyError('NotFound', `session "${id.slice(0, 100)}" not found`)
      session.audit(userRef(name), { action: 'logout', detail: { userId, sessionId: id } })
    })
  }
}
