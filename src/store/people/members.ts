// Members of teams, with their roles.
import type { TeamRole } from '../../access/team-roles.ts'
import { defined } from '../../kernel/defined.ts'
import { StagelyError } from '../../kernel/errors.ts'
import type { AccessChanges } from './access-changes.ts'
import { objectNotFound } from '../core/errors.ts'
import type { WriteSession } from '../core/write-session.ts'
import { fromRow, type RowOf } from '../drivers/rows.ts'
import type { Queryable, Sql } from '../drivers/sql.ts'
import type { Actor } from '../core/actor.ts'
import { findUser, type User } from './users.ts'

export interface Member {
  readonly userId: string
  readonly user: string
  readonly email: string | undefined
  readonly role: TeamRole
  /** The role follows a group of the OpenID provider and is set anew at each login. */
  readonly fromGroup: boolean
  readonly since: number
}

interface Membership {
  readonly team: string
  readonly role: TeamRole
}

const membersSql = `
SELECT m.user_id AS "userId", u.name AS "user", u.email, m.role, m.from_group AS "fromGroup", m.created_at AS since
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
  const [row] = await q.query<RowOf<Member>>(`${membersSql} AND m.user_id = $2`, [teamId, userId])
  return row === undefined ? undefined : fromRow<Member>(row)
}

interface Wanted {
  readonly team: string
  readonly user: User
  readonly role: TeamRole
  readonly fromGroup: boolean
}

/** Within the caller's write. The same role again changes nothing. */
export const putMember = async (session: WriteSession, wanted: Wanted): Promise<Member> => {
  const { team, user, role, fromGroup } = wanted
  const teamId = await teamIdOf(session.tx, team)
  const before = await memberIn(session.tx, teamId, user.id)
  if (before?.role === role && before.fromGroup === fromGroup) return before
  await session.tx.query(
    `INSERT INTO team_members (team_id, user_id, role, from_group, created_at)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role, from_group = excluded.from_group`,
    [teamId, user.id, role, fromGroup, session.nowMs],
  )
  session.audit(
    { kind: 'Member', namespace: team, name: user.name },
    {
      action: before === undefined ? 'add member' : 'change role',
      detail: {
        userId: user.id,
        role,
        ...defined({ previousRole: before?.role }),
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
  { team, user, role }: Pick<Wanted, 'team' | 'user'> & { readonly role?: TeamRole },
): Promise<void> => {
  if (actor.id !== user.id || user.admin || role === 'owner') return
  const owners = await tx.query<{ user_id: string }>(
    `SELECT m.user_id FROM team_members m JOIN users u ON u.id = m.user_id
     WHERE m.team_id = $1 AND m.role = 'owner' AND u.disabled_at IS NULL`,
    [await teamIdOf(tx, team)],
  )
  if (owners.length !== 1 || owners[0]?.user_id !== user.id) return
  throw new StagelyError(
    'Conflict',
    `you are the last owner of team "${team}": make another member an owner first`,
    { kind: 'members', name: user.name },
  )
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
    const rows = await this.#sql.query<RowOf<Member>>(`${membersSql} ORDER BY u.name COLLATE "C"`, [
      teamId,
    ])
    return rows.map((row) => fromRow<Member>(row))
  }

  /** In order of the teams' names. */
  teamsOf(userId: string): Promise<Membership[]> {
    return this.#sql.query<{ team: string; role: TeamRole }>(
      `SELECT o.name AS team, m.role FROM team_members m JOIN objects o ON o.uid = m.team_id
       WHERE m.user_id = $1 ORDER BY o.name COLLATE "C"`,
      [userId],
    )
  }

  /** Adds a user (by id, name or e-mail address), or changes his role. NotFound; Conflict for the last owner himself. */
  put(actor: Actor, team: string, user: string, role: TeamRole): Promise<Member> {
    return this.#changes.write(actor, async (session) => {
      const wanted = { team, user: await findUser(session.tx, user), role, fromGroup: false }
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
