// Whose token it was that opens nothing any more.
import type { DeniedAttempt } from '../../kernel/errors.ts'
import type { Sql } from '../sql.ts'

interface RefusedRow {
  why: 'TokenExpired' | 'TokenRevoked' | 'UserDisabled'
  token_id: string
  name: string
  user_id: string | null
  user_name: string | null
}

// A token that is still there and was refused is expired, or its user is disabled.
const refusedSql = `
SELECT CASE WHEN u.disabled_at IS NULL THEN 'TokenExpired' ELSE 'UserDisabled' END AS why, t.id AS token_id, t.name, t.user_id, u.name AS user_name
FROM tokens t LEFT JOIN users u ON u.id = t.user_id WHERE t.hash = $1
UNION ALL
SELECT 'TokenRevoked', t.id, t.name, t.user_id, u.name
FROM revoked_tokens t LEFT JOIN users u ON u.id = t.user_id WHERE t.hash = $1
LIMIT 1`

/** For a token that was refused; undefined when nobody ever had it. */
export const refusalOf = async (sql: Sql, hash: string): Promise<DeniedAttempt | undefined> => {
  const [row] = await sql.query<RefusedRow>(refusedSql, [hash])
  if (row === undefined) return undefined
  return {
    why: row.why,
    actorId: row.user_id ?? row.token_id,
    actorName: row.user_name ?? `token:${row.name}`,
  }
}

/** Tokens revoked before `before` (ms) are forgotten: an attempt with one is like any unknown. */
export const forgetRevoked = async (sql: Sql, before: number): Promise<void> => {
  await sql.query('DELETE FROM revoked_tokens WHERE revoked_at < to_timestamp($1::float8 / 1000)', [
    before,
  ])
}
