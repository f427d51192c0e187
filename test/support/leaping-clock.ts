// A clock that runs on and can be set forward: whoever sleeps until a time that has come wakes up.
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { reaches } from './eventually.ts'

export interface LeapingClock extends Clock {
  leap(ms: number): void
  /**
   * Leaps until `read` gives what equals `wanted`. A step that was under way as time leapt counts as of now, so that
   * what comes after it is due later: one leap may not do.
   */
  leapUntil<T>(ms: number, read: () => T | Promise<T>, wanted: T): Promise<void>
}

const leapEveryMs = 3_000

export const createLeapingClock = (): LeapingClock => {
  let leapt = 0
  const sleepers = new Set<{ dueAt: number; wake: () => void }>()
  const now = (): number => realClock.now() + leapt
  const leap = (ms: number): void => {
    leapt += ms
    for (const one of [...sleepers]) if (one.dueAt <= now()) one.wake()
  }
  return {
    now,
    monotonic: () => realClock.monotonic() + leapt,
    sleep: async (ms, signal) => {
      const cut = new AbortController()
      const abort = (): void => {
        cut.abort()
      }
      signal?.throwIfAborted()
      signal?.addEventListener('abort', abort, { once: true })
      const sleeper = { dueAt: now() + ms, wake: abort }
      sleepers.add(sleeper)
      try {
        // A timer of more than 24 days would ring at once.
        await realClock.sleep(Math.min(ms, 2 ** 31 - 1), cut.signal)
      } catch {
        signal?.throwIfAborted()
      } finally {
        sleepers.delete(sleeper)
        signal?.removeEventListener('abort', abort)
      }
    },
    leap,
    leapUntil: (ms, read, wanted) => {
      let leaptAt = -Infinity
      return reaches(() => {
        if (realClock.monotonic() - leaptAt > leapEveryMs) {
          leaptAt = realClock.monotonic()
          leap(ms)
        }
        return read()
      }, wanted)
    },
  }
}
