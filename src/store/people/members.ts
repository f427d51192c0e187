// Members of teams, with their roles.
import type { Narrowing } from '../../access/place.ts'
import type { TeamGrant, TeamRole } from '../../access/team-roles.ts'
import { defined } from '../../kernel/defined.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { AccessChanges } from './access-changes.ts'
import { objectNotFound } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor } from '../core/actor.ts'
import { narrowingFaults } from './token-rules.ts'
import { findUser, type User } from './users.ts'

export interface Member {
  readonly userId: string
  readonly user: string
  readonly email: string | undefined
  readonly role: TeamRole
  /** The places to which the role is narrowed; undefined: the whole team. */
  readonly narrowing: Narrowing | undefined
  /** The role follows a group of the OpenID provider and is set anew at each login. */
  readonly fromGroup: boolean
  readonly since: number
}

interface Membership extends TeamGrant {
  readonly team: string
}

interface MemberRow extends RowOf<Omit<Member, 'narrowing'>> {
  readonly narrowing: string | null
}

const parseNarrowing = (text: string | null): Narrowing | undefined =>
  text === null ? undefined : (JSON.parse(text) as Narrowing)

const toMember = ({ narrowing, ...row }: MemberRow): Member => ({
  ...fromRow<Omit<Member, 'narrowing'>>(row),
  narrowing: parseNarrowing(narrowing),
})

const membersSql = `
SELECT m.user_id AS "userId", u.name AS "user", u.email, m.role, m.narrowing, m.from_group AS "fromGroup", m.created_at AS since
FROM team_members m JOIN users u ON u.id = m.user_id WHERE m.team_id = $1`

/** Uid of the Namespace object. NotFound. */
export const teamIdOf = async (q: Queryable, team: string): Promise<string> => {
  const [row] = await q.query<{ uid: string }>(
    `SELECT uid FROM objects WHERE kind = 'Namespace' AND namespace = '' AND name = $1`,
    [team],
  )
  if (row === undefined) throw objectNotFound({ kind: 'Namespace', namespace: '', name: team })
  return row.uid
}

const memberIn = async (
  q: Queryable,
  teamId: string,
  userId: string,
): Promise<Member | undefined> => {
  const [row] = await q.query<MemberRow>(`${membersSql} AND m.user_id = $2`, [teamId, userId])
  return row && toMember(row)
}

interface Wanted extends TeamGrant {
  readonly team: string
  readonly user: User
  readonly fromGroup: boolean
}

/** Within the caller's write. The same role at the same place again changes nothing. */
export const putMember = async (session: WriteSession, wanted: Wanted): Promise<Member> => {
  const { team, user, role, narrowing, fromGroup } = wanted
  const teamId = await teamIdOf(session.tx, team)
  const before = await memberIn(session.tx, teamId, user.id)
  const isSame = before?.role === role && before.fromGroup === fromGroup
  if (isSame && sameJson(before.narrowing, narrowing)) return before
  await session.tx.query(
    `INSERT INTO team_members (team_id, user_id, role, from_group, created_at, narrowing)
     VALUES ($1, $2, $3, $4, $5, $6::json)
     ON CONFLICT (team_id, user_id) DO UPDATE
     SET role = excluded.role, from_group = excluded.from_group, narrowing = excluded.narrowing`,
    [
      ...[teamId, user.id, role, fromGroup, session.nowMs],
      narrowing === undefined ? null : JSON.stringify(narrowing),
    ],
  )
  session.audit(
    { kind: 'Member', namespace: team, name: user.name },
    {
      action: before === undefined ? 'add member' : 'change role',
      detail: {
        userId: user.id,
        role,
        ...defined({
          previousRole: before?.role,
          narrowing,
          previousNarrowing: before?.narrowing,
        }),
      },
    },
  )
  return (await memberIn(session.tx, teamId, user.id))!
}

/** Within the caller's write. False where the user was no member. */
export const dropMember = async (
  session: WriteSession,
  team: string,
  user: User,
): Promise<boolean> => {
  const teamId = await teamIdOf(session.tx, team)
  const rows = await session.tx.query<{ role: string }>(
    'DELETE FROM team_members WHERE team_id = $1 AND user_id = $2 RETURNING role',
    [teamId, user.id],
  )
  if (rows[0] === undefined) return false
  const detail = { userId: user.id, previousRole: rows[0].role }
  const ref = { kind: 'Member', namespace: team, name: user.name }
  session.audit(ref, { action: 'remove member', detail })
  return true
}

/** Conflict for a person who would leave a team of theirs without an owner. */
const keepAnOwner = async (
  { tx, actor }: WriteSession,
  { team, user, role, narrowing }: Pick<Wanted, 'team' | 'user'> & Partial<TeamGrant>,
): Promise<void> => {
  const stays = role === 'owner' && narrowing === undefined
  if (actor.id !== user.id || user.admin || stays) return
  const owners = await tx.query<{ user_id: string }>(
    `SELECT m.user_id FROM team_members m JOIN users u ON u.id = m.user_id
     WHERE m.team_id = $1 AND m.role = 'owner' AND m.narrowing IS NULL AND u.disabled_at IS NULL`,
    [await teamIdOf(tx, team)],
  )
  if (owners.length !== 1 || owners[0]?.user_id !== user.id) return
  throw new StagelyError(
    'Conflict',
    `you are the last owner of team "${team}": make another member an owner first`,
    { kind: 'members', name: user.name },
  )
}

interface GivenGrant {
  readonly role: TeamRole
  readonly narrowing?: NarrowingChange | undefined
}

/** A list that is absent stays as it is; null: it ends. */
type NarrowingChange = { readonly [key in keyof Narrowing]: Narrowing[key] | null }

const changedNarrowing = (
  before: Narrowing | undefined,
  { narrowing = {} }: GivenGrant,
): Narrowing | undefined => {
  const lists = Object.entries({ ...before, ...defined(narrowing) })
  const kept = lists.filter(([, names]) => names !== null)
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

const checkGrant = (user: string, narrowing: Narrowing | undefined): void => {
  const faults = narrowingFaults(narrowing)
  if (faults.length === 0) return
  const list = faults.map(({ field, message }) => `${field}: ${message}`).join(', ')
  const details = { kind: 'Member', name: user, faults }
  throw new StagelyError('Invalid', `member "${user}" is invalid: ${list}`, details)
}

export class MemberStore {
  readonly #sql: Sql
  readonly #changes: AccessChanges

  constructor(sql: Sql, changes: AccessChanges) {
    this.#sql = sql
    this.#changes = changes
  }

  /** In order of their names. NotFound for an absent team. */
  async list(team: string): Promise<Member[]> {
    const teamId = await teamIdOf(this.#sql, team)
    const rows = await this.#sql.query<MemberRow>(`${membersSql} ORDER BY u.name COLLATE "C"`, [
      teamId,
    ])
    return rows.map(toMember)
  }

  /** In order of the teams' names. */
  async teamsOf(userId: string): Promise<Membership[]> {
    const rows = await this.#sql.query<{ team: string; role: TeamRole; narrowing: string | null }>(
      `SELECT o.name AS team, m.role, m.narrowing FROM team_members m JOIN objects o ON o.uid = m.team_id
       WHERE m.user_id = $1 ORDER BY o.name COLLATE "C"`,
      [userId],
    )
    return rows.map(({ narrowing, ...row }) => ({
      ...row,
      ...defined({ narrowing: parseNarrowing(narrowing) }),
    }))
  }

  /**
   * Adds a user (by id, name or e-mail address), or changes role and place. A list that is absent stays as it is; null ends
   * it. NotFound; Conflict for the last owner himself.
   */
  put(actor: Actor, team: string, user: string, grant: GivenGrant): Promise<Member> {
    return this.#changes.write(actor, async (session) => {
      const { tx } = session
      const found = await findUser(tx, user)
      const before = await memberIn(tx, await teamIdOf(tx, team), found.id)
      const { role } = grant
      const narrowing = changedNarrowing(before?.narrowing, grant)
      checkGrant(user, narrowing)
      const wanted = { team, user: found, role, narrowing, fromGroup: false }
      await keepAnOwner(session, wanted)
      return putMember(session, wanted)
    })
  }

  /** NotFound where the user is no member; Conflict for the last owner himself. */
  remove(actor: Actor, team: string, user: string): Promise<void> {
    return this.#changes.write(actor, async (session) => {
      const found = await findUser(session.tx, user)
      await keepAnOwner(session, { team, user: found })
      if (await dropMember(session, team, found)) return
      throw new StagelyError('NotFound', `user "${user}" is no member of team "${team}"`, {
        kind: 'members',
        name: user,
      })
    })
  }
}
