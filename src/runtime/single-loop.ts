// A control loop for work of which there is only one, such as the outbox or a folder.
import { noState, startControlLoop, type LoopDeps, type ReconcileOutcome } from './control-loop.ts'

export interface SingleLoop {
  /** Asks for a run soon. Events come in bursts: `settleMs` pass before the run, and before a further one. */
  readonly schedule: () => void
  /** Asks for a run at once. */
  readonly runNow: () => void
  /** Asks for no more runs, and waits for the one in work. */
  readonly stop: () => Promise<void>
}

export interface SingleWork {
  /** Named in the log. */
  readonly name: string
  readonly settleMs?: number
  /** As in Reconciler: reads the current state, and says when to be called again. */
  readonly run: (signal: AbortSignal) => Promise<ReconcileOutcome>
}

/** Runs nothing before the first schedule() or runNow(). */
export const startSingleLoop = (
  { clock, log }: Pick<LoopDeps, 'clock' | 'log'>,
  { name, settleMs = 0, run }: SingleWork,
): SingleLoop => {
  let isRunning = false
  let isRequested = false
  const runAgain = (): void => loop.enqueueAfter(name, settleMs)
  const reconcile = async (_key: string, signal: AbortSignal): Promise<ReconcileOutcome> => {
    isRunning = true
    isRequested = false
    try {
      return await run(signal)
    } finally {
      isRunning = false
      // Counted from the end of the run, which may have made the events itself.
      if (isRequested) runAgain()
    }
  }
  const loop = startControlLoop({ clock, log, workers: 1 }, { name, reconcile, notKnown: noState })
  return {
    schedule: () => {
      if (isRunning) isRequested = true
      else runAgain()
    },
    runNow: () => loop.enqueue(name),
    stop: () => loop.stop(),
  }
}
