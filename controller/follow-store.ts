// Follows the store: everything there is, then each change. What breaks is read again from the start.
import { backoffMs } from '../src/kernel/backoff.ts'
import type { Clock } from '../src/kernel/clock.ts'
import { isReason } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import { nextTurn } from '../src/kernel/async/event-loop.ts'
import { pause } from '../src/kernel/async/pause.ts'
import type { ChangeEvent, Store } from '../src/store/store.ts'

interface FollowDeps {
  readonly store: Pick<Store, 'currentVersion' | 'watch'>
  readonly clock: Clock
  readonly log: Logger
}

export interface Follower {
  /** Reads everything, as it is at `version` or later. */
  readonly readAll: (version: number) => Promise<void>
  /** Changes after that version, in order; what the look has seen already may be among them. */
  readonly onChanges: (changes: readonly ChangeEvent[]) => void | Promise<void>
}

const manyChanges = 50

const backoff = { baseMs: 100, capMs: 5_000 }

/**
 * Until `signal` aborts; never rejects. No change is missed: the version is read before the look, and
 * after any fault (the feed expired, the database is away, the follower threw) all is looked at again.
 */
export const followStore = async (
  { store, clock, log }: FollowDeps,
  signal: AbortSignal,
  { readAll, onChanges }: Follower,
): Promise<void> => {
  let attempt = 0
  do {
    try {
      const version = await store.currentVersion()
      await readAll(version)
      attempt = 0
      for await (const changes of store.watch(version, signal)) {
        // One commit may have thousands of changes, and wakes all who follow the store at once.
        if (changes.length > manyChanges) await nextTurn()
        await onChanges(changes)
      }
    } catch (error) {
      // The abort of somebody else, such as a query that took too long, is a fault like others.
      if (signal.aborted) return
      if (!isReason(error, 'Expired'))
        log.warn({ err: error }, 'the change feed broke; everything is read again')
    }
  } while (await pause(clock, 50 + backoffMs(attempt++, backoff), signal))
}

/** Calls `schedule` at the start, after each gap, and at each change that concerns. */
export const scheduleOn = (
  deps: FollowDeps,
  signal: AbortSignal,
  schedule: () => void,
  concerns: (change: ChangeEvent) => boolean,
): Promise<void> => {
  const readAll = (): Promise<void> => {
    schedule()
    return Promise.resolve()
  }
  const onChanges = (changes: readonly ChangeEvent[]): void => {
    if (changes.some(concerns)) schedule()
  }
  return followStore(deps, signal, { readAll, onChanges })
}
