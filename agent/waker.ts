// Wakes a loop: after a time, soon after an event, or at once.
import type { Clock } from '../src/kernel/clock.ts'
import { isAbort } from '../src/kernel/errors.ts'

export interface Waker {
  /** To be called after an event: ends `rest` when events have settled. */
  readonly poke: () => void
  /** Ends `rest` at once, as for a new want. */
  readonly wake: () => void
  /** Resolves after `ms`, or earlier by `poke` or `wake` since the last `begin`. */
  readonly rest: (ms: number) => Promise<void>
  /** Forgets earlier calls. To be called before a look, so that a call during the look counts. */
  readonly begin: () => void
}

/** `settleMs`: events come in bursts; a re-creation makes five. */
export const createWaker = (clock: Clock, settleMs: number): Waker => {
  let level: 'none' | 'poked' | 'woken' = 'none'
  let sleep: { until: 'poked' | 'woken'; abort: AbortController } | undefined

  const raise = (to: 'poked' | 'woken'): void => {
    if (level !== 'woken') level = to
    if (sleep !== undefined && (sleep.until === 'poked' || to === 'woken')) sleep.abort.abort()
  }
  const sleepUntil = async (ms: number, until: 'poked' | 'woken'): Promise<void> => {
    const abort = new AbortController()
    sleep = { until, abort }
    await clock.sleep(ms, abort.signal).catch((error: unknown) => {
      if (!isAbort(error)) throw error
    })
    sleep = undefined
  }

  return {
    poke: () => {
      raise('poked')
    },
    wake: () => {
      raise('woken')
    },
    begin: () => {
      level = 'none'
    },
    rest: async (ms) => {
      if (ms === 0) return
      if (level === 'none') await sleepUntil(ms, 'poked')
      // Further events do not make the wait longer; only a wake ends it.
      if (level === 'poked') await sleepUntil(settleMs, 'woken')
    },
  }
}
