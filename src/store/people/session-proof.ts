// What confirms the session of a browser: a proof of who its person is, by a token or by the OpenID provider.
import { StagelyError } from '../../kernel/errors.ts'
import { liveSql, sessionIdleMs } from './session-times.ts'
import type { WriteSession } from '../core/write-session.ts'
import type { Queryable } from '../drivers/sql.ts'

export const ended = (): StagelyError =>
  new StagelyError('Unauthorized', 'the session has ended: log in again')

/** Within the caller's write, which audits it. Returns the end of the confirmation. */
export const confirmSession = async (
  { tx, nowMs }: WriteSession,
  { id, userId, until }: { readonly id: string; readonly userId: string; readonly until: number },
): Promise<number> => {
  const rows = await tx.query(
    `UPDATE tokens t SET confirmed_until = $3
     WHERE is_session AND id = $1 AND user_id = $2 AND ${liveSql('$4', '$5')} RETURNING 1`,
    [id, userId, until, nowMs, nowMs - sessionIdleMs],
  )
  if (rows.length === 0) throw ended()
  return until
}

const refuseProof = (message: string): StagelyError =>
  new StagelyError('Forbidden', message, { denied: { why: 'Login' } })

/** Forbidden for a token that may less than the session, or whose own birth proves nothing. */
export const requireProof = async (
  q: Queryable,
  { id, tokenId }: { readonly id: string; readonly tokenId: string },
): Promise<void> => {
  const [token] = await q.query<{ is_limited: boolean; is_proven: boolean }>(
    `SELECT t.is_proven, (t.read_only OR t.role IS NOT NULL OR t.namespaces IS NOT NULL
         OR t.narrowing IS NOT NULL)
       AND s.parent_id IS DISTINCT FROM t.id AS is_limited
     FROM tokens t JOIN tokens s ON s.id = $1 AND s.user_id = t.user_id
     WHERE t.id = $2 AND NOT t.is_session`,
    [id, tokenId],
  )
  if (token === undefined) throw ended()
  if (token.is_limited)
    throw refuseProof('a token with scopes confirms no session that has none: give one without')
  if (!token.is_proven)
    throw refuseProof(
      'this token was made without a fresh login at the provider: confirm there, or with a token that an admin makes for you (stagely token create NAME --user YOU)',
    )
}
