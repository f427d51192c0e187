// How much work each caller may make, in bytes that cost about as much: so many at once, and so many a second after
// that. Whoever floods is put off, and keeps no other out.
import type { Clock } from '../../src/kernel/clock.ts'
import { StagelyError } from '../../src/kernel/errors.ts'

/** A request, or one change of many in a request, costs as much as so many bytes. */
export const requestBytes = 8_192

export interface WorkBudget {
  /** TooManyRequests while the caller owes work. */
  readonly check: (caller: string) => void
  /** What is returned takes it back. */
  readonly charge: (caller: string, bytes: number) => () => void
}

interface Bounds {
  readonly most: number
  readonly perSecond: number
  /** Says who asks for too much. */
  readonly message: string
}

const mostKnown = 20_000

export const createWorkBudget = (
  clock: Pick<Clock, 'monotonic'>,
  { most, perSecond, message }: Bounds,
): WorkBudget => {
  const callers = new Map<string, { left: number; at: number }>()
  const leftOf = (caller: string): number => {
    const last = callers.get(caller)
    if (last === undefined) return most
    return Math.min(most, last.left + ((clock.monotonic() - last.at) / 1_000) * perSecond)
  }
  const forgetRested = (): void => {
    for (const caller of callers.keys()) if (leftOf(caller) === most) callers.delete(caller)
  }
  const take = (caller: string, bytes: number): void => {
    callers.set(caller, { left: leftOf(caller) - bytes, at: clock.monotonic() })
  }
  return {
    charge: (caller, bytes) => {
      if (callers.size >= mostKnown) forgetRested()
      take(caller, bytes)
      return () => take(caller, -bytes)
    },
    check: (caller) => {
      const left = leftOf(caller)
      if (left >= 0) return
      const retryAfterSeconds = Math.ceil(-left / perSecond)
      throw new StagelyError('TooManyRequests', `${message}; try again in ${retryAfterSeconds} s`, {
        retryAfterSeconds,
      })
    },
  }
}

/** Counts work that is about to be done. TooManyRequests, and nothing is counted, while the caller owes work. */
export const spend = (work: WorkBudget, caller: string, bytes: number): void => {
  work.check(caller)
  work.charge(caller, bytes)
}

/** Some seconds of work at once, and then about half of what a processor does. */
const ofPerson = {
  most: 32 * 1024 * 1024,
  perSecond: 4 * 1024 * 1024,
  message: 'your requests make more work than the controller does for one person',
}

/** Of people and machines with a token; their small requests are limited by number alone. */
export const createPersonWork = (clock: Pick<Clock, 'monotonic'>): WorkBudget =>
  createWorkBudget(clock, ofPerson)

/** Where requests are not limited. */
export const endlessWork: WorkBudget = { check: () => undefined, charge: () => () => undefined }
