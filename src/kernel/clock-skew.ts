// The clocks of agent and controller may differ by this much. More is refused: times in reports would
// be wrong, and a report that was recorded long ago could be repeated.
export const maxClockSkewMs = 5 * 60_000

/** A peer may send any number; Date accepts only these. */
const maxDateMs = 8_640_000_000_000_000
const utc = (ms: number): string =>
  new Date(Math.min(Math.max(ms, -maxDateMs), maxDateMs)).toISOString()

/** Names both times, because a wrong clock is found by comparing them. Parameters in ms since the epoch. */
export const clockSkewMessage = (agentMs: number, controllerMs: number): string =>
  `the clocks differ by more than 5 minutes: agent ${utc(agentMs)}, controller ${utc(controllerMs)}; set the wrong one, for instance with NTP`
