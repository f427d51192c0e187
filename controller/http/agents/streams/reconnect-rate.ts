// How fast all agents together come back.

/** Agents come back after a restart at this rate. */
export const returnsPerSecond = 300

/** Time over which the first tries of so many agents are spread after they lost their streams. */
export const spreadMsFor = (agents: number): number =>
  Math.min(20_000, Math.max(500, Math.ceil((agents / returnsPerSecond) * 1000)))

/** An agent whose machine is well is back within this time. */
export const awayAfterMs = 20_000

/** Time between two heartbeats: short enough that one of them may get lost. */
export const signEveryMs = 8_000

/**
 * Time in which agents are back after a start of the controller. It may have been away for long, so that the back-off
 * of agents (backoffCapMs in agent/link/reconnect.ts) has grown.
 */
export const restartGraceMs = (agents: number): number =>
  awayAfterMs + Math.min(30_000, Math.max(5_000, 2 * spreadMsFor(agents)))
