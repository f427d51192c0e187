// Small tools of the benches: rows, medians, stop watches.

/** One measured number. Further fields say what it was measured on. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly [detail: string]: string | number | boolean
}

/** Middle of the sorted values; the upper of the two for an even count. NaN for none. */
export const median = (values: readonly number[]): number => percentile(values, 0.5)

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

export const timeMs = (fn: () => unknown): number => {
  const start = performance.now()
  fn()
  return performance.now() - start
}

export const timeAsyncMs = async (fn: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await fn()
  return performance.now() - start
}

/** CPU time of this process until the work is done. */
export const cpuAsyncMs = async (work: () => Promise<unknown>): Promise<number> => {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1_000
}

/** Median µs for one call of `fn`, from `rounds` rounds of `perRound` calls after one to warm up. */
export const microsPerCall = (fn: () => unknown, perRound = 2_000, rounds = 9): number => {
  const round = (): number => timeMs(() => Array.from({ length: perRound }, fn))
  round()
  return (median(Array.from({ length: rounds }, round)) * 1000) / perRound
}

/** The same in µs of CPU time, which other work on the machine does not prolong much. */
export const cpuMicrosPerCall = (fn: () => unknown, perRound = 5_000, rounds = 9): number => {
  const round = (): number => {
    const before = process.cpuUsage()
    Array.from({ length: perRound }, fn)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  round()
  return median(Array.from({ length: rounds }, round)) / perRound
}

/** What work costs beside other work, by the lower quarter of CPU times: pauses of the collector are in neither. */
export const ratioRow = (
  name: string,
  [without = [], within = []]: readonly (readonly number[])[],
): Row => ({
  name,
  value: Number((percentile(within, 0.25) / percentile(without, 0.25)).toFixed(2)),
  unit: 'x',
})
