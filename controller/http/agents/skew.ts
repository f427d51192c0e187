// How far the clock of an agent is off. A request says when it was signed, by the agent's clock. It comes later than
// that, by its way and by whatever else it waited for, and never sooner. So of the last requests the one that seems
// to come soonest measures best. Pure.

const mostKept = 8

/** A smaller one cannot be told from the way of a request. */
export const leastSkewMs = 50

/** `ahead`: for each of the last requests, its time by the agent minus its arrival here, the newest last. */
export const skewOf = (ahead: readonly number[]): number => {
  const ms = Math.max(...ahead)
  return Math.abs(ms) < leastSkewMs ? 0 : ms
}

export const withNewest = (ahead: readonly number[], newest: number): readonly number[] =>
  [...ahead, newest].slice(-mostKept)
