// Runs a reconciler for each key of a queue, and handles its outcome: the only switch over Outcome. A
// key says what to look at, never what happened. Reconcilers read the current state, so a lost or
// repeated event does no harm.
import type { Clock } from '../kernel/clock.ts'
import { isReason } from '../kernel/errors.ts'
import type { Logger } from '../kernel/log.ts'
import { WorkQueue } from './work-queue.ts'

export type ReconcileOutcome =
  /** The state matches, or was written. */
  | { readonly kind: 'done' }
  /** Something outside must happen first; reconcile again after `ms`. */
  | { readonly kind: 'waitFor'; readonly ms: number }
  /** Only a change of the spec can help. */
  | { readonly kind: 'stalled' }

export const done: ReconcileOutcome = { kind: 'done' }
export const stalled: ReconcileOutcome = { kind: 'stalled' }
/** `notKnown` of what shows no state of its own. */
export const noState = (): Promise<void> => Promise.resolve()
export const waitFor = (ms: number): ReconcileOutcome => ({ kind: 'waitFor', ms })

export interface Reconciler {
  readonly name: string
  /** Reconciles one key. Throws unexpected errors; the loop retries with backoff. */
  reconcile(key: string, signal: AbortSignal): Promise<ReconcileOutcome>
  /**
   * Reconciles several keys at once, where that is cheaper. When it throws, each key is reconciled
   * alone.
   */
  reconcileAll?(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ReconcileOutcome>>
  /** Says of a key that its state is not known. Called when its runs fail again and again, after each of them. */
  notKnown(key: string, signal: AbortSignal): Promise<void>
}

export interface LoopObserver {
  /** Called after each run; `outcome` is the Outcome's kind, 'conflict' or 'error'. */
  onRun?(reconciler: string, outcome: string, ms: number): void
}

export interface LoopDeps extends LoopObserver {
  readonly clock: Clock
  readonly log: Logger
  readonly workers?: number
}

export interface ControlLoop {
  enqueue(key: string): void
  enqueueAfter(key: string, ms: number): void
  /** Takes no more keys and waits for those in work. */
  stop(): Promise<void>
}

/** Size of a batch. Limits how long a batch delays other writers. */
const mostAtOnce = 64
const backoff = { baseMs: 50, capMs: 300_000 }
/** So many runs one after the other, within some seconds: by then it is no hitch. */
const failuresUntilUnknown = 5

export const startControlLoop = (deps: LoopDeps, reconciler: Reconciler): ControlLoop => {
  const { clock } = deps
  const log = deps.log.child({ reconciler: reconciler.name })
  const queue = new WorkQueue({ clock, backoff })
  const stopping = new AbortController()

  const settle = (key: string, outcome: ReconcileOutcome): void => {
    switch (outcome.kind) {
      case 'done':
      case 'stalled':
        queue.forget(key)
        return
      case 'waitFor':
        queue.forget(key)
        queue.addAfter(key, outcome.ms)
    }
  }

  const run = async (key: string): Promise<void> => {
    const startedAt = clock.now()
    let result = 'error'
    try {
      const outcome = await reconciler.reconcile(key, stopping.signal)
      result = outcome.kind
      settle(key, outcome)
    } catch (error) {
      // A Conflict means that another writer was faster: read again, without an error.
      result = isReason(error, 'Conflict') ? 'conflict' : 'error'
      if (result === 'error' && !stopping.signal.aborted) {
        log.error({ err: error, object: key }, 'reconcile failed')
      }
      const failures = queue.addFailed(key)
      if (result === 'error' && failures >= failuresUntilUnknown)
        await sayNotKnown(key, { reconciler, log, signal: stopping.signal })
    } finally {
      queue.done(key)
      deps.onRun?.(reconciler.name, result, clock.now() - startedAt)
    }
  }

  /** False when the batch failed as a whole; then no key has an outcome. */
  const runAll = async (keys: readonly string[]): Promise<boolean> => {
    const startedAt = clock.now()
    let outcomes: ReadonlyMap<string, ReconcileOutcome>
    try {
      outcomes = (await reconciler.reconcileAll?.(keys, stopping.signal)) ?? new Map()
    } catch (error) {
      if (!isReason(error, 'Conflict') && !stopping.signal.aborted)
        log.warn({ err: error, objects: keys.length }, 'trying each of them alone')
      return false
    }
    const ms = (clock.now() - startedAt) / keys.length
    for (const key of keys) {
      const outcome = outcomes.get(key) ?? done
      settle(key, outcome)
      queue.done(key)
      deps.onRun?.(reconciler.name, outcome.kind, ms)
    }
    return true
  }

  const work = async (): Promise<void> => {
    for (;;) {
      const key = await queue.take()
      if (key === undefined) return
      const more = reconciler.reconcileAll === undefined ? [] : queue.takeMore(mostAtOnce - 1)
      if (more.length > 0 && (await runAll([key, ...more]))) continue
      for (const next of [key, ...more]) await run(next)
    }
  }
  const workers = Array.from({ length: deps.workers ?? 2 }, work)

  return {
    enqueue: (key) => queue.add(key),
    enqueueAfter: (key, ms) => queue.addAfter(key, ms),
    stop: async () => {
      stopping.abort()
      queue.close()
      await Promise.all(workers)
    },
  }
}

const sayNotKnown = async (
  key: string,
  { reconciler, log, signal }: { reconciler: Reconciler; log: Logger; signal: AbortSignal },
): Promise<void> => {
  try {
    await reconciler.notKnown(key, signal)
  } catch (error) {
    if (!isReason(error, 'Conflict') && !signal.aborted)
      log.error({ err: error, object: key }, 'its status could not be set to Unknown')
  }
}
