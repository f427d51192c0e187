// How long the session of a browser lasts.
import type { Queryable } from '../drivers/sql.ts'

/** Longest life of a session (ms). */
export const sessionMs = 12 * 3_600_000
/** A session ends after this time (ms) without a request. An open stream is no request. */
export const sessionIdleMs = 3_600_000
/** The proof of a person's identity counts for this time (ms). */
const confirmedMs = 600_000
/** Clocks of an OpenID provider and of this machine differ (ms). */
export const skewMs = 60_000

/**
 * Until when a person counts as known who has proved at `provedAt` who they are; undefined: nothing is known of a proof,
 * or it is too old.
 */
export const confirmedUntil = (provedAt: number | undefined, now: number): number | undefined => {
  if (provedAt === undefined || provedAt > now + skewMs) return undefined
  const until = Math.min(provedAt, now) + confirmedMs
  return until > now ? until : undefined
}

/** SQL: true for a session in `tokens t` that has not ended. */
export const liveSql = (now: string, idleSince: string): string =>
  `t.expires_at > ${now} AND t.last_used_at > ${idleSince}`

/** True while the last request of the session is not too old. */
export const isLive = (lastUsedAt: number, now: number): boolean => lastUsedAt > now - sessionIdleMs

/** Drops sessions and codes that ended long ago. Until then an attempt with one gets the answer that it has expired. */
export const dropEndedSessions = async (q: Queryable, now: number): Promise<void> => {
  await q.query('DELETE FROM tokens WHERE is_session AND expires_at < $1', [now - sessionMs])
  await q.query('DELETE FROM session_codes WHERE expires_at < $1', [now])
}
