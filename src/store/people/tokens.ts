// Tokens of people and machines. Only their SHA-256 is stored: they are random, so no slow hash is
// needed. A token is shown once, when it is made.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Narrowing } from '../../access/place.ts'
import type { TeamRole } from '../../access/team-roles.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import { teamIdOf } from './members.ts'
import type { WriteSession } from '../core/write-session.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor } from '../core/actor.ts'
import { checkSpec, type TokenOwner, type TokenSpec } from './token-rules.ts'
import { findUser, insertUser, setBreakGlassUser } from './users.ts'
import { controllerActor } from '../core/actor.ts'

/** Prefixes by which people, and scanners of leaked secrets, recognize a token. */
export const tokenPrefixes = {
  admin: 'sat_',
  personal: 'spt_',
  machine: 'smt_',
  /** Token of a browser's session. It is valid only in a cookie. */
  session: 'sst_',
} as const

export interface Token {
  readonly id: string
  readonly name: string
  readonly kind: 'personal' | 'machine'
  /** Name of the user or of the team. */
  readonly owner: string
  /** The first letters of the token. */
  readonly hint: string
  readonly role: TeamRole | undefined
  readonly readOnly: boolean
  readonly namespaces: readonly string[] | undefined
  readonly narrowing: Narrowing | undefined
  readonly expiresAt: number | undefined
  readonly lastUsedAt: number | undefined
  readonly createdAt: number
  readonly createdBy: string
}

export interface CreatedToken {
  /** The token itself, this one time. */
  readonly secret: string
  readonly token: Token
}

interface TokenRow extends RowOf<Omit<Token, 'namespaces' | 'narrowing'>> {
  readonly namespaces: string | null
  readonly narrowing: string | null
}

const tokensSql = `
SELECT t.id, t.name, CASE WHEN o.name IS NULL THEN 'personal' ELSE 'machine' END AS kind,
  coalesce(o.name, u.name, '') AS owner, t.hint, t.role, t.read_only AS "readOnly", t.namespaces, t.narrowing,
  t.expires_at AS "expiresAt", t.last_used_at AS "lastUsedAt", t.created_at AS "createdAt", t.created_by AS "createdBy"
FROM tokens t LEFT JOIN users u ON u.id = t.user_id LEFT JOIN objects o ON o.uid = t.team_id`

const toToken = ({ namespaces, narrowing, ...row }: TokenRow): Token => ({
  ...fromRow<Omit<Token, 'namespaces' | 'narrowing'>>(row),
  narrowing: narrowing === null ? undefined : (JSON.parse(narrowing) as Narrowing),
  namespaces: namespaces === null ? undefined : (JSON.parse(namespaces) as string[]),
})

export const hashOfToken = (token: string): string =>
  createHash('sha256').update(token).digest('hex')

const newSecret = (kind: 'admin' | 'personal' | 'machine'): string =>
  tokenPrefixes[kind] + randomBytes(32).toString('base64url')

export const hintLength = 8

/** The owner as the row of a token names it. */
interface TokenPlace {
  readonly userId: string | null
  readonly teamId: string | null
  readonly namespace: string
}

interface Birth {
  /** Absent: one of a random text. */
  readonly secret?: string
  /** True: it may confirm sessions, since a proof of who the person is stood at its birth. */
  readonly isProven: boolean
  /** The TrustedIssuer that it was exchanged by, with which it ends. */
  readonly issuer?: { readonly uid: string; readonly generation: number }
  /** What the audit row says beside. */
  readonly detail?: Readonly<Record<string, unknown>>
}

const tokenPlaceOf = async (q: Queryable, owner: TokenOwner): Promise<TokenPlace> =>
  'team' in owner
    ? { userId: null, teamId: await teamIdOf(q, owner.team), namespace: owner.team }
    : { userId: (await findUser(q, owner.user)).id, teamId: null, namespace: '' }

const tokenRef = (
  namespace: string,
  name: string,
): { kind: string; namespace: string; name: string } => ({
  kind: 'Token',
  namespace,
  name,
})

/** Within the caller's write. AlreadyExists, Invalid, NotFound. */
export const insertToken = async (
  session: WriteSession,
  owner: TokenOwner,
  spec: TokenSpec,
  {
    isProven,
    issuer,
    detail: more,
    secret = newSecret('team' in owner ? 'machine' : 'personal'),
  }: Birth,
): Promise<CreatedToken> => {
  checkSpec(owner, spec, session.nowMs)
  const { userId, teamId, namespace } = await tokenPlaceOf(session.tx, owner)
  const { name, role, readOnly = false, namespaces, narrowing, expiresAt } = spec
  const { entersProtected = false } = spec
  const [same] = await session.tx.query(
    'SELECT 1 FROM tokens WHERE coalesce(user_id, team_id) = $1 AND name = $2',
    [userId ?? teamId, name],
  )
  if (same !== undefined)
    throw new StagelyError(
      'AlreadyExists',
      `token "${name}" already exists: revoke it, or choose another name`,
      { kind: 'tokens', name },
    )
  const id = randomUUID()
  await session.tx.query(
    `INSERT INTO tokens (id, hash, name, hint, user_id, team_id, role, read_only, namespaces, expires_at, created_at, created_by, is_proven, narrowing, enters_protected, issuer_uid, issuer_generation)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10, $11, $12, $13, $14::json, $15, $16, $17)`,
    [
      id,
      hashOfToken(secret),
      name,
      secret.slice(0, hintLength),
      userId,
      teamId,
      role ?? null,
      readOnly,
      namespaces === undefined ? null : JSON.stringify(namespaces),
      expiresAt ?? null,
      session.nowMs,
      session.actor.name,
      isProven,
      narrowing === undefined ? null : JSON.stringify(narrowing),
      entersProtected,
      issuer?.uid ?? null,
      issuer?.generation ?? null,
    ],
  )
  const detail = { tokenId: id, userId, role, readOnly, namespaces, narrowing, expiresAt, ...more }
  const action = issuer === undefined ? 'create token' : 'exchange token'
  session.audit(tokenRef(namespace, name), { action, detail })
  const [row] = await session.tx.query<TokenRow>(`${tokensSql} WHERE t.id = $1`, [id])
  return { secret, token: toToken(row!) }
}

const dropToken = async (
  session: WriteSession,
  { id, name }: Pick<TokenRow, 'id' | 'name'>,
  { namespace, userId }: Pick<TokenPlace, 'namespace' | 'userId'>,
): Promise<void> => {
  await session.tx.query('DELETE FROM tokens WHERE id = $1', [id])
  const detail = { tokenId: id, userId }
  session.audit(tokenRef(namespace, name), { action: 'revoke token', detail })
}

/** As `insertToken` for a person; an earlier token of the name is revoked. */
export const replaceToken = async (
  session: WriteSession,
  userId: string,
  spec: TokenSpec,
  birth: Birth,
): Promise<CreatedToken> => {
  const [same] = await session.tx.query<Pick<TokenRow, 'id' | 'name'>>(
    'SELECT id, name FROM tokens WHERE user_id = $1 AND name = $2 AND NOT is_session',
    [userId, spec.name],
  )
  if (same !== undefined) await dropToken(session, same, { namespace: '', userId })
  return insertToken(session, { user: userId }, spec, birth)
}

export class TokenStore {
  readonly #sql: Sql
  readonly #changes: AccessChanges

  constructor(sql: Sql, changes: AccessChanges) {
    this.#sql = sql
    this.#changes = changes
  }

  /**
   * Where there is no user yet: makes the first admin, and returns its token. `keep` runs before the commit, so that a crash
   * cannot leave a token that nobody knows.
   */
  ensureAdmin(
    keep?: (token: string) => Promise<void>,
    given?: string,
  ): Promise<string | undefined> {
    return this.#changes.write(controllerActor, async (session) => {
      const [someone] = await session.tx.query('SELECT 1 FROM users LIMIT 1')
      if (someone !== undefined) return undefined
      const { id } = await insertUser(session, { name: 'admin', admin: true })
      const { secret } = await insertToken(
        session,
        { user: id },
        { name: 'first-start' },
        { secret: given ?? newSecret('admin'), isProven: true },
      )
      await keep?.(secret)
      return secret
    })
  }

  /**
   * Makes a token of the admin for emergencies, for a person with access to the database and the master key. The audit row
   * has the reason.
   */
  breakGlass({ reason, ttlMs }: { reason: string; ttlMs: number }): Promise<CreatedToken> {
    return this.#changes.write(controllerActor, async (session) => {
      const { id, name } = await setBreakGlassUser(session)
      const expiresAt = session.nowMs + ttlMs
      const spec = { name: `emergency-${session.nowMs}`, expiresAt }
      const birth = { secret: newSecret('admin'), isProven: true }
      const created = await insertToken(session, { user: id }, spec, birth)
      const detail = { reason, tokenId: created.token.id, expiresAt }
      const user = { kind: 'User', namespace: '', name }
      session.audit(user, { action: 'break glass', detail })
      return created
    })
  }

  /** In order of their names. NotFound for an absent owner. */
  async list(owner: TokenOwner): Promise<Token[]> {
    const { userId, teamId } = await tokenPlaceOf(this.#sql, owner)
    const rows = await this.#sql.query<TokenRow>(
      `${tokensSql} WHERE coalesce(t.user_id, t.team_id) = $1 AND NOT t.is_session ORDER BY t.name COLLATE "C"`,
      [userId ?? teamId],
    )
    return rows.map(toToken)
  }

  /** `by`: id of the token or session that asks. A session that makes tokens is confirmed. */
  create(
    actor: Actor,
    owner: TokenOwner,
    spec: TokenSpec,
    { by }: { readonly by?: string } = {},
  ): Promise<CreatedToken> {
    return this.#changes.write(actor, async (session) => {
      const [proven] = await session.tx.query(
        'SELECT 1 FROM tokens WHERE id = $1 AND (is_proven OR is_session)',
        [by ?? null],
      )
      return insertToken(session, owner, spec, { isProven: proven !== undefined })
    })
  }

  /** Revokes a token of the owner, by id or name. NotFound. */
  revoke(actor: Actor, owner: TokenOwner, what: string): Promise<Token> {
    return this.#changes.write(actor, async (session) => {
      const { userId, teamId, namespace } = await tokenPlaceOf(session.tx, owner)
      const [row] = await session.tx.query<TokenRow>(
        `${tokensSql} WHERE coalesce(t.user_id, t.team_id) = $1 AND NOT t.is_session
           AND (t.id::text = $2 OR t.name = $2)
         ORDER BY t.id::text = $2 DESC LIMIT 1`,
        [userId ?? teamId, what],
      )
      if (row === undefined)
        throw new StagelyError('NotFound', `token "${what}" not found`, {
          kind: 'tokens',
          name: what,
        })
      await dropToken(session, row, { namespace, userId })
      return toToken(row)
    })
  }
}
