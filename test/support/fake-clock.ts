// A clock that moves only when told to.
import type { Clock } from '../../src/kernel/clock.ts'

export interface FakeClock extends Clock {
  /** Moves time on and wakes the sleepers that are due, in order. */
  advance(ms: number): Promise<void>
  /** Somebody sets the clock forward, or back; no time passes. */
  jump(ms: number): void
}

export const createFakeClock = (startMs = 1_700_000_000_000): FakeClock => {
  let now = startMs
  let jumpedMs = 0
  let sleepers: { dueAt: number; wake: () => void }[] = []
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

  return {
    now: () => now + jumpedMs,
    monotonic: () => now,
    jump: (ms) => {
      jumpedMs += ms
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const abort = (): void => {
          sleepers = sleepers.filter((s) => s !== sleeper)
          reject(new DOMException('aborted', 'AbortError'))
        }
        const wake = (): void => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        const sleeper = { dueAt: now + ms, wake }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', abort)
      }),
    advance: async (ms) => {
      const end = now + ms
      for (;;) {
        await settle()
        const next = sleepers.filter((s) => s.dueAt <= end).sort((a, b) => a.dueAt - b.dueAt)[0]
        if (next === undefined) break
        sleepers = sleepers.filter((s) => s !== next)
        now = next.dueAt
        next.wake()
      }
      now = end
      await settle()
    },
  }
}
