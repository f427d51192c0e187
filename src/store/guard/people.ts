// People and tokens that policies speak of, read within the write that asks.
import type { MemberFacts } from '../../kinds/access-request/state.ts'
import type { TeamRole } from '../../access/team-roles.ts'
import type { Queryable } from '../drivers/sql.ts'
import { breakGlassName } from '../../access/break-glass.ts'

/**
 * Who may log in: the members of the team, and whoever else is named. A narrowed membership makes nobody an approver.
 * Nobody knows who the user for emergencies is.
 */
export const readMembers = async (
  q: Queryable,
  team: string,
  names: readonly string[],
): Promise<MemberFacts[]> => {
  const rows = await q.query<{ id: string; name: string; role: TeamRole | null }>(
    `SELECT u.id, u.name, CASE WHEN m.narrowing IS NULL THEN m.role END AS role FROM users u
     LEFT JOIN team_members m ON m.user_id = u.id AND m.team_id =
       (SELECT uid FROM objects WHERE kind = 'Namespace' AND namespace = '' AND name = $1)
     WHERE u.disabled_at IS NULL AND u.name <> $3 AND (m.role IS NOT NULL OR u.name = ANY ($2))
     ORDER BY u.name COLLATE "C"`,
    [team, names, breakGlassName],
  )
  return rows.map(({ role, ...member }) => ({ ...member, role: role ?? undefined }))
}

interface MachineToken {
  readonly id: string
  readonly name: string
  readonly since: number
}

/** Tokens of machines of the team, with a role of these. */
export const readMachines = async (
  q: Queryable,
  team: string,
  roles: readonly TeamRole[],
): Promise<MachineToken[]> =>
  q.query<MachineToken & Record<string, unknown>>(
    `SELECT t.id, t.name, t.created_at AS since FROM tokens t JOIN objects o ON o.uid = t.team_id
     WHERE o.name = $1 AND t.role = ANY ($2) ORDER BY t.name COLLATE "C"`,
    [team, roles],
  )

/** Why the user for emergencies has been let in last. */
export const reasonOfBreakGlass = async (q: Queryable): Promise<string | undefined> => {
  const [row] = await q.query<{ reason: string | null }>(
    `SELECT detail ->> 'reason' AS reason FROM audit
     WHERE kind = 'User' AND namespace = '' AND name = $1 AND action = 'break glass' ORDER BY id DESC LIMIT 1`,
    [breakGlassName],
  )
  return row?.reason ?? undefined
}
