// Whether work costs no more than its size: CPU, the least of some attempts, since others use the machine too.
import { realClock } from '../../src/kernel/clock.ts'
import { passes } from './eventually.ts'

/** What eight times as much may cost: twice as much again, and a constant. */
export const factor = 8
const mostTimes = 2.2 * factor
const constantMs = 20

const cpuMsOf = async (work: () => unknown): Promise<number> => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** `enough`: no further attempt is needed where one costs less. */
export const leastCpuMs = async (
  work: () => unknown,
  {
    attempts = 3,
    enough = () => false,
  }: { readonly attempts?: number; readonly enough?: (ms: number) => boolean } = {},
): Promise<number> => {
  let least = Infinity
  for (let attempt = 0; attempt < attempts && !enough(least); attempt += 1)
    least = Math.min(least, await cpuMsOf(work))
  return least
}

/** Resolves when this process does next to nothing by itself: what its loops still do would count as what is asked. */
export const atRest = (): Promise<true> =>
  passes(async () => (await cpuMsOf(() => realClock.sleep(200))) < 20)

export const isLinear = (smallMs: number, largeMs: number): boolean =>
  largeMs <= smallMs * mostTimes + constantMs

/** Says so where the cost is not linear. */
export const tooDear = (name: string, smallMs: number, largeMs: number): string[] =>
  isLinear(smallMs, largeMs)
    ? []
    : [`${name}: ${smallMs.toFixed(1)} ms, with ${factor} times as much ${largeMs.toFixed(1)} ms`]
