// Waits that end by themselves: with the time, or with the program.
import { background } from './background.ts'
import type { Clock } from '../clock.ts'

type Sleeper = Pick<Clock, 'sleep'>

/** Resolves after `ms`, or as soon as `signal` aborts: false then. */
export const pause = async (clock: Sleeper, ms: number, signal: AbortSignal): Promise<boolean> => {
  if (signal.aborted) return false
  try {
    await clock.sleep(ms, signal)
    return true
  } catch (error) {
    // The abort of `signal` ends the pause, whatever its reason. Any other error is a fault.
    if (!signal.aborted) throw error
    return false
  }
}

/** Calls `then` after `ms`, unless `signal` aborts first: a timer. A fault of `then` is one of the program. */
export const after = (clock: Sleeper, ms: number, signal: AbortSignal, then: () => void): void => {
  const wait = async (): Promise<void> => {
    if (await pause(clock, ms, signal)) then()
  }
  background(wait, (error) => {
    throw error
  })
}

export interface Repeated {
  readonly everyMs: number
  readonly work: () => Promise<void>
  readonly onFault: (error: unknown) => void
}

/** Does the work `everyMs` from now and again after each end, until `signal` aborts. Never rejects. */
export const repeatUntil = async (
  signal: AbortSignal,
  clock: Sleeper,
  { everyMs, work, onFault }: Repeated,
): Promise<void> => {
  while (await pause(clock, everyMs, signal)) await work().catch(onFault)
}

/** What `work` resolves to, or what `late` says where it is not done after `ms`. */
export const within = async <T, L>(
  clock: Sleeper,
  ms: number,
  work: Promise<T>,
  late: () => L,
): Promise<T | L> => {
  const done = new AbortController()
  const orLate = async (): Promise<T | L> =>
    (await pause(clock, ms, done.signal)) ? late() : await work
  try {
    return await Promise.race([work, orLate()])
  } finally {
    done.abort()
  }
}
