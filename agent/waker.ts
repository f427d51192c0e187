// When a loop looks again: after a time, soon after an event, or at once.
import type { Clock } from '../src/kernel/clock.ts'
import { isAbort } from '../src/kernel/errors.ts'

export interface Waker {
  /** Something happened: `rest` ends after events have had a moment to settle. */
  readonly poke: () => void
  /** Something new is wanted: `rest` ends at once. */
  readonly wake: () => void
  /** Resolves after `ms`, or earlier by `poke` or `wake`; those that came since `begin` count. */
  readonly rest: (ms: number) => Promise<void>
  /** Forgets earlier calls; to be called before looking, so that none in between is lost. */
  readonly begin: () => void
}

/** `settleMs`: events come in bursts, a re-creation is five of them. */
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
      // Further events do not prolong the wait; only a wake ends it.
      if (level === 'poked') await sleepUntil(settleMs, 'woken')
    },
  }
}
