// Wakes a loop: after a time, soon after an event, or at once.
import type { Clock } from './clock.ts'
import { linkedAbort } from './linked-abort.ts'
import { isAbort } from './errors.ts'

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

export interface WakerOptions {
  /** Events come in bursts, a re-creation is five of them. */
  readonly settleMs?: number
  /** The end: there is no rest after it. */
  readonly signal?: AbortSignal
}

export const createWaker = (
  clock: Pick<Clock, 'sleep'>,
  { settleMs = 0, signal = new AbortController().signal }: WakerOptions = {},
): Waker => {
  let level: 'none' | 'poked' | 'woken' = 'none'
  let sleep: { until: 'poked' | 'woken'; ending: AbortController } | undefined

  const raise = (to: 'poked' | 'woken'): void => {
    if (level !== 'woken') level = to
    if (sleep !== undefined && (sleep.until === 'poked' || to === 'woken')) sleep.ending.abort()
  }
  const sleepUntil = async (ms: number, until: 'poked' | 'woken'): Promise<void> => {
    const ending = linkedAbort(signal)
    sleep = { until, ending }
    await clock.sleep(ms, ending.signal).catch((error: unknown) => {
      if (!isAbort(error)) throw error
    })
    sleep = undefined
    ending.abort()
  }

  return {
    poke: () => raise('poked'),
    wake: () => raise('woken'),
    begin: () => {
      level = 'none'
    },
    rest: async (ms) => {
      if (ms === 0 || signal.aborted) return
      if (level === 'none') await sleepUntil(ms, 'poked')
      // Further events do not make the wait longer; only a wake ends it.
      if (level === 'poked' && !signal.aborted) await sleepUntil(settleMs, 'woken')
    },
  }
}
