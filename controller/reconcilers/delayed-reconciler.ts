// Lets a reconciler rest between its runs, the longer the longer a run takes.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Reconciler } from '../../src/runtime/control-loop.ts'

interface DelayedReconciler {
  readonly reconciler: Reconciler
  /** How long (ms) a key should wait before its next run: `leastMs`, or until the rest after its last run is over. */
  readonly delayOf: (key: string) => number
}

/** After a run of n ms a key rests for `rest` × n ms, `mostMs` at most. */
export const withDelay = (
  reconciler: Reconciler,
  clock: Clock,
  { leastMs, rest, mostMs }: { leastMs: number; rest: number; mostMs: number },
): DelayedReconciler => {
  const restsUntil = new Map<string, number>()
  return {
    reconciler: {
      name: reconciler.name,
      notKnown: (key, signal) => reconciler.notKnown(key, signal),
      reconcile: async (key, signal) => {
        const startedAt = clock.now()
        try {
          return await reconciler.reconcile(key, signal)
        } finally {
          const now = clock.now()
          for (const [rested, until] of restsUntil) if (until <= now) restsUntil.delete(rested)
          restsUntil.set(key, now + Math.min((now - startedAt) * rest, mostMs))
        }
      },
    },
    delayOf: (key) => {
      const left = (restsUntil.get(key) ?? 0) - clock.now()
      if (left > leastMs) return left
      restsUntil.delete(key)
      return leastMs
    },
  }
}
