// How long the session of a browser lasts.
/** At most, whatever happens in it. */
export const sessionMs = 12 * 3_600_000
/** Without a request. An open stream is none. */
export const sessionIdleMs = 3_600_000
/** So long it counts that the person has proved who they are. */
export const confirmedMs = 600_000

/** SQL: true of a session in `tokens t` that has neither expired nor rested too long. */
export const liveSql = (now: string, idleSince: string): string =>
  `t.expires_at > ${now} AND t.last_used_at > ${idleSince}`

/** True while a session has not rested too long. */
export const isLive = (lastUsedAt: number, now: number): boolean => lastUsedAt > now - sessionIdleMs
