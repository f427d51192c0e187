// Finds the principal of a token, with one query.
import type { Narrowing } from '../../access/place.ts'
import type { Principal, TokenLimits } from '../../access/principal.ts'
import type { TeamGrant, TeamRole } from '../../access/team-roles.ts'
import { defined, notNull } from '../../kernel/defined.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { DeniedAttempt } from '../../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import { isTrustedSql } from './exchanged-rows.ts'
import { refusalOf } from './refused-tokens.ts'
import { isLive } from './session-times.ts'
import type { Sql } from '../drivers/sql.ts'
import { hashOfToken } from './tokens.ts'

interface PrincipalRow {
  id: string
  name: string
  role: TeamRole | null
  read_only: boolean
  namespaces: string | null
  narrowing: string | null
  enters_protected: boolean
  expires_at: number | null
  last_used_at: number | null
  is_session: boolean
  issuer_uid: string | null
  confirmed_until: number | null
  user_id: string | null
  user_name: string | null
  admin: boolean | null
  disabled_at: number | null
  team: string | null
  /** {"team": {"role": …, "narrowing": …}} of the user; null where he has none. */
  roles: string | null
}

const principalSql = `
SELECT t.id, t.name, t.role, t.read_only, t.namespaces, t.narrowing, t.enters_protected,
  t.expires_at, t.last_used_at, t.is_session, t.issuer_uid, t.confirmed_until,
  u.id AS user_id, u.name AS user_name, u.admin, u.disabled_at, team.name AS team,
  (SELECT json_object_agg(o.name, json_build_object('role', m.role, 'narrowing', m.narrowing)) FROM team_members m JOIN objects o ON o.uid = m.team_id
   WHERE m.user_id = u.id) AS roles
FROM tokens t LEFT JOIN users u ON u.id = t.user_id LEFT JOIN objects team ON team.uid = t.team_id
WHERE t.hash = $1 AND ${isTrustedSql}`

/** The last use of a token is written once in this time (ms). */
const lastUsedEveryMs = 60_000

const limitsOf = (row: PrincipalRow): TokenLimits | undefined => {
  // The role of a machine is its right, and no limit of a right.
  const role = row.user_id === null ? null : row.role
  const { namespaces, narrowing } = row
  if (!row.read_only && namespaces === null && narrowing === null && role === null) return undefined
  return {
    readOnly: row.read_only,
    ofAdmin: row.admin === true,
    ...(namespaces !== null && { namespaces: JSON.parse(namespaces) as string[] }),
    ...(narrowing !== null && { narrowing: JSON.parse(narrowing) as Narrowing }),
    ...(row.enters_protected && { entersProtected: true }),
    ...notNull({ role }),
  }
}

/** Roles and narrowings by team. An admin is narrowed by a token only. */
const memberships = ({ roles, admin }: PrincipalRow): Pick<Principal, 'roles' | 'narrowings'> => {
  const grants = Object.entries(JSON.parse(roles ?? '{}') as Record<string, TeamGrant>)
  const narrowed = grants.flatMap(([team, { narrowing }]) =>
    (narrowing ?? undefined) === undefined ? [] : ([[team, narrowing!]] as const),
  )
  return {
    roles: new Map(grants.map(([team, { role }]) => [team, role])),
    ...(narrowed.length > 0 && admin !== true && { narrowings: new Map(narrowed) }),
  }
}

const toPrincipal = (row: PrincipalRow): Principal => {
  const limits = limitsOf(row)
  const common = {
    tokenId: row.id,
    ...notNull({ expiresAt: row.expires_at }),
    ...defined({ limits }),
    ...(row.is_session && { session: { confirmedUntil: row.confirmed_until ?? undefined } }),
  }
  if (row.user_id !== null) {
    return {
      id: row.user_id,
      name: row.user_name ?? '',
      kind: 'user',
      admin: row.admin === true && limits === undefined,
      ...memberships(row),
      ...common,
    }
  }
  const team = row.team ?? ''
  return {
    id: row.id,
    name: `machine:${team}/${row.name}`,
    kind: 'machine',
    admin: false,
    roles: new Map(row.role === null ? [] : [[team, row.role]]),
    ...(row.issuer_uid !== null && {
      countedAs: [row.issuer_uid, row.role, row.narrowing].join(' '),
    }),
    ...common,
  }
}

export class PrincipalStore {
  readonly #sql: Sql
  readonly #clock: Clock
  readonly #changes: AccessChanges

  constructor(sql: Sql, clock: Clock, changes: AccessChanges) {
    this.#sql = sql
    this.#clock = clock
    this.#changes = changes
  }

  /**
   * Undefined for a token that is unknown, revoked or expired, or of a disabled user. Looked up by
   * hash: timing tells nothing of it. `isRequest: false`: nobody asks for anything, so a session rests.
   */
  async verify(token: string, isRequest = true): Promise<Principal | undefined> {
    const [row] = await this.#sql.query<PrincipalRow>(principalSql, [hashOfToken(token)])
    if (row === undefined || row.disabled_at !== null) return undefined
    const now = this.#clock.now()
    if (row.expires_at !== null && row.expires_at <= now) return undefined
    if (row.is_session && !isLive(row.last_used_at ?? 0, now)) return undefined
    const counts = isRequest || !row.is_session
    if (counts && (row.last_used_at ?? 0) <= now - lastUsedEveryMs) await this.#noteUse(row.id, now)
    return toPrincipal(row)
  }

  /** The owner of a refused token; undefined where the token never existed. */
  refusalOf(token: string): Promise<DeniedAttempt | undefined> {
    return refusalOf(this.#sql, hashOfToken(token))
  }

  /** Calls `listener` after each change of users, members and tokens; returns how to stop that. */
  onChange(listener: () => void): () => void {
    return this.#changes.onChange(listener)
  }

  /** Of two replicas, only one writes. */
  async #noteUse(id: string, now: number): Promise<void> {
    await this.#sql.query(
      'UPDATE tokens SET last_used_at = $2 WHERE id = $1 AND coalesce(last_used_at, 0) <= $3',
      [id, now, now - lastUsedEveryMs],
    )
  }
}
