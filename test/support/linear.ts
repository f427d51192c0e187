// Whether work costs no more than its size: CPU, the least of some attempts, since others use the machine too.
import { realClock } from '../../src/kernel/clock.ts'
import { passes } from './eventually.ts'

/** What eight times as much may cost: twice as much again, and a constant. */
export const factor = 8
const mostTimes = 2.2 * factor
const constantMs = 20

/** The CPU of this process, in milliseconds, until `work` has ended. */
export const cpuMsOf = async (work: () => unknown): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** Resolves when this process does next to nothing by itself: what its loops still do would count as what is asked. */
export const atRest = (): Promise<true> =>
  passes(async () => (await cpuMsOf(() => realClock.sleep(200))) < 20)

const isLinear = (smallMs: number, largeMs: number): boolean =>
  largeMs <= smallMs * mostTimes + constantMs

/** The least CPU of up to five attempts, until one is linear. Each attempt after the first waits for the process to rest. */
export const leastCpuMs = async (work: () => unknown, smallMs: number): Promise<number> => {
  let least = await cpuMsOf(work)
  for (let attempt = 1; attempt < 5 && !isLinear(smallMs, least); attempt += 1) {
    await atRest()
    least = Math.min(least, await cpuMsOf(work))
  }
  return least
}

/** Says so where the cost is not linear. */
export const tooDear = (name: string, smallMs: number, largeMs: number): string[] =>
  isLinear(smallMs, largeMs)
    ? []
    : [`${name}: ${smallMs.toFixed(1)} ms, with ${factor} times as much ${largeMs.toFixed(1)} ms`]
