// Clocks of agent and controller may be apart by so much; more is refused, because times in reports
// would lie, and because what was recorded long ago must not count.
export const maxClockSkewMs = 5 * 60_000

/** Peers may say any number; Date knows only these. */
const maxDateMs = 8_640_000_000_000_000
const utc = (ms: number): string =>
  new Date(Math.min(Math.max(ms, -maxDateMs), maxDateMs)).toISOString()

/** Both times are in the message, because a wrong clock is found by looking at both. In ms. */
export const clockSkewMessage = (agentMs: number, controllerMs: number): string =>
  `the clocks differ by more than 5 minutes: agent ${utc(agentMs)}, controller ${utc(controllerMs)}; set the wrong one, for instance with NTP`
