// How long agents take to come back, all together.

/** Agents come back after a restart at this rate. */
export const returnsPerSecond = 300

/** Over so long the first tries of that many agents are spread after they lost their streams. */
export const spreadMsFor = (agents: number): number =>
  Math.min(20_000, Math.max(500, Math.ceil((agents / returnsPerSecond) * 1000)))

/** No agent comes back later than that where its own machine is well, once it can. */
export const awayAfterMs = 20_000

/** How often an agent gives a sign of life: one that is lost on its way leaves time for the next. */
export const signEveryMs = 8_000

/**
 * The same after a start of the controller, which may have been away for long: the back-off of agents
 * (backoffCapMs in agent/reconnect.ts) has grown meanwhile.
 */
export const restartGraceMs = (agents: number): number =>
  awayAfterMs + Math.min(30_000, Math.max(5_000, 2 * spreadMsFor(agents)))
