// Closes change sets that are due. A write that completes its change set closes it by itself; this loop
// closes all others, also those that were open when the controller was restarted.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { pause } from '../../src/kernel/pause.ts'
import { createWaker } from '../../src/kernel/waker.ts'
import { quietMs } from '../../src/store/revisions.ts'
import type { Store } from '../../src/store/store.ts'

/** The loop looks at least this often, in case that a poke() was lost. */
const idleMs = 1000

interface ChangeSetCloser {
  /** To be called when a secret was written: its change set is due `quietMs` later. */
  poke(): void
  stop(): Promise<void>
}

export const startChangeSetCloser = (deps: {
  store: Pick<Store, 'closeDueRevisions'>
  clock: Clock
  log: Logger
}): ChangeSetCloser => {
  const stopping = new AbortController()
  const { clock } = deps
  const waker = createWaker(clock, { settleMs: quietMs, signal: stopping.signal })

  /** The error that was logged last for each project that cannot be closed: the same is not logged each second. */
  let said = new Map<string, string>()
  const waitMs = async (): Promise<number> => {
    const failing = new Map<string, string>()
    try {
      const due = await deps.store.closeDueRevisions(clock.now(), (project, error) => {
        failing.set(project, messageOf(error))
        if (said.get(project) !== messageOf(error))
          deps.log.error({ err: error, project }, 'closing its change set failed; trying again')
      })
      return due === undefined ? idleMs : Math.min(Math.max(due - clock.now(), 1), idleMs)
    } catch (error) {
      deps.log.error({ err: error }, 'closing change sets failed')
      return idleMs
    } finally {
      said = failing
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      waker.begin()
      const ms = await waitMs()
      // A secret that is written now is due after quietMs: only a longer sleep has to be cut short.
      if (ms <= quietMs) await pause(clock, ms, stopping.signal)
      else await waker.rest(ms)
    }
  }
  const running = run()

  return {
    poke: waker.poke,
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
