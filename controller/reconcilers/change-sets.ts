// Closes change sets when their time has come. The write itself closes a complete one; this loop
// does the rest, and after a restart finds what was left open.
import type { Clock } from '../../src/kernel/clock.ts'
import { isAbort, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Store } from '../../src/store/store.ts'

/** A lost wake-up costs at most this. */
const idleMs = 1000

export interface ChangeSetCloser {
  /** A secret was written: look now when the next set is due. */
  poke(): void
  stop(): Promise<void>
}

export const startChangeSetCloser = (deps: {
  store: Store
  clock: Clock
  log: Logger
}): ChangeSetCloser => {
  const stopping = new AbortController()
  let wake = new AbortController()

  /** What was said of projects that cannot be closed: not again each second. */
  let said = new Map<string, string>()
  const waitMs = async (): Promise<number> => {
    const failing = new Map<string, string>()
    try {
      const due = await deps.store.closeDueRevisions(deps.clock.now(), (project, error) => {
        failing.set(project, messageOf(error))
        if (said.get(project) !== messageOf(error))
          deps.log.error({ err: error, project }, 'closing its change set failed; trying again')
      })
      return due === undefined ? idleMs : Math.min(Math.max(due - deps.clock.now(), 1), idleMs)
    } catch (error) {
      deps.log.error({ err: error }, 'closing change sets failed')
      return idleMs
    } finally {
      said = failing
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const poked = wake.signal
      const ms = await waitMs()
      await deps.clock
        .sleep(ms, AbortSignal.any([stopping.signal, poked]))
        .catch((error: unknown) => {
          if (!isAbort(error)) throw error
        })
      if (poked.aborted) wake = new AbortController()
    }
  }
  const running = run()

  return {
    poke: () => {
      wake.abort()
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
