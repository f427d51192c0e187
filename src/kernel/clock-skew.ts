import { toFineTimestamp } from './clock.ts'

// The clocks of agent and controller may differ by this much. More is refused: times in reports would
// be wrong, and a report that was recorded long ago could be repeated.
export const maxClockSkewMs = 5 * 60_000

/** Names both times, because a wrong clock is found by comparing them. Parameters in ms since the epoch. */
export const clockSkewMessage = (agentMs: number, controllerMs: number): string =>
  `the clocks differ by more than 5 minutes: agent ${toFineTimestamp(agentMs)}, controller ${toFineTimestamp(controllerMs)}; set the wrong one, for instance with NTP`
