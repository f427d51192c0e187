// A control loop for work of which there is only one, such as the outbox or a folder.
import { startControlLoop, type LoopDeps, type Outcome } from './control-loop.ts'

export interface SingleLoop {
  /** Asks for a run soon. Events come in bursts: `settleMs` pass before the run, and before a further one. */
  readonly poke: () => void
  /** Asks for a run at once. */
  readonly wake: () => void
  /** Asks for no more runs, and waits for the one in work. */
  readonly stop: () => Promise<void>
}

export interface SingleWork {
  /** Named in the log. */
  readonly name: string
  readonly settleMs?: number
  /** As in Reconciler: reads the current state, and says when to be called again. */
  readonly run: (signal: AbortSignal) => Promise<Outcome>
}

/** Runs nothing before the first poke() or wake(). */
export const startSingleLoop = (
  { clock, log }: Pick<LoopDeps, 'clock' | 'log'>,
  { name, settleMs = 0, run }: SingleWork,
): SingleLoop => {
  let isRunning = false
  let isPoked = false
  const soon = (): void => loop.enqueueAfter(name, settleMs)
  const reconcile = async (_key: string, signal: AbortSignal): Promise<Outcome> => {
    isRunning = true
    isPoked = false
    try {
      return await run(signal)
    } finally {
      isRunning = false
      // Counted from the end of the run, which may have made the events itself.
      if (isPoked) soon()
    }
  }
  const loop = startControlLoop({ clock, log, workers: 1 }, { name, reconcile })
  return {
    poke: () => {
      if (isRunning) isPoked = true
      else soon()
    },
    wake: () => loop.enqueue(name),
    stop: () => loop.stop(),
  }
}
