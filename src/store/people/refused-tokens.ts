// Finds the owner of a token that is not valid any more.
import type { DeniedAttempt } from '../../kernel/errors.ts'
import type { Sql } from '../drivers/sql.ts'

interface RefusedRow {
  why: 'TokenExpired' | 'TokenRevoked' | 'UserDisabled'
  token_id: string
  name: string
  user_id: string | null
  user_name: string | null
}

// A token that exists and was refused is expired, or its user is disabled.
const refusedSql = `
SELECT CASE WHEN u.disabled_at IS NULL THEN 'TokenExpired' ELSE 'UserDisabled' END AS why, t.id AS token_id, t.name, t.user_id, u.name AS user_name
FROM tokens t LEFT JOIN users u ON u.id = t.user_id WHERE t.hash = $1
UNION ALL
SELECT CASE WHEN u.disabled_at IS NULL THEN 'TokenRevoked' ELSE 'UserDisabled' END, t.id, t.name, t.user_id, u.name
FROM revoked_tokens t LEFT JOIN users u ON u.id = t.user_id WHERE t.hash = $1
LIMIT 1`

/** For a refused token; undefined where it never existed. */
export const refusalOf = async (sql: Sql, hash: string): Promise<DeniedAttempt | undefined> => {
  const [row] = await sql.query<RefusedRow>(refusedSql, [hash])
  if (row === undefined) return undefined
  return {
    why: row.why,
    actorId: row.user_id ?? row.token_id,
    actorName: row.user_name ?? `token:${row.name}`,
  }
}

/** Forgets tokens that were revoked before `before` (ms): they count as unknown from then on. */
export const forgetRevoked = async (sql: Sql, before: number): Promise<void> => {
  await sql.query('DELETE FROM revoked_tokens WHERE revoked_at < to_timestamp($1::float8 / 1000)', [
    before,
  ])
}
