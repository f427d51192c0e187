// Measures the skew of an agent's clock: pure. A request has the time of its signature, by the agent's clock, and always
// arrives later. So of the last requests, the one with the shortest apparent way measures best.

const mostKept = 8

/** A smaller skew cannot be told from the time that a request takes. */
export const leastSkewMs = 50

/** `ahead`: for each of the last requests, its time by the agent minus its arrival here, the newest last. */
export const skewOf = (ahead: readonly number[]): number => {
  const ms = Math.max(...ahead)
  return Math.abs(ms) < leastSkewMs ? 0 : ms
}

export const withNewest = (ahead: readonly number[], newest: number): readonly number[] =>
  [...ahead, newest].slice(-mostKept)
