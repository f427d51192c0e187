// Closes change sets that are due. A write that completes its change set closes it by itself; this loop
// closes all others, also those that were open when the controller was restarted.
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import { quietMs } from '../../src/store/secrets/open-revision.ts'
import type { Store } from '../../src/store/store.ts'

/** The loop looks at least this often, in case that a call of schedule() was lost. */
const idleMs = 1000

interface ChangeSetCloser {
  /** To be called when a secret was written: its change set is due `quietMs` later. */
  readonly schedule: () => void
  readonly stop: () => Promise<void>
}

export const startChangeSetCloser = (deps: {
  store: Pick<Store, 'closeDueRevisions'>
  clock: Clock
  log: Logger
}): ChangeSetCloser => {
  const { store, clock, log } = deps
  /** The error that was logged last for each project that cannot be closed: the same is not logged each second. */
  let logged = new Map<string, string>()
  const run = async (): Promise<ReconcileOutcome> => {
    const failing = new Map<string, string>()
    try {
      const due = await store.closeDueRevisions(clock.now(), (project, error) => {
        failing.set(project, messageOf(error))
        if (logged.get(project) !== messageOf(error))
          log.error({ err: error, project }, 'closing its change set failed; trying again')
      })
      return waitFor(due === undefined ? idleMs : Math.min(Math.max(due - clock.now(), 1), idleMs))
    } catch (error) {
      log.error({ err: error }, 'closing change sets failed')
      return waitFor(idleMs)
    } finally {
      logged = failing
    }
  }
  const loop = startSingleLoop(deps, { name: 'change sets', settleMs: quietMs, run })
  loop.runNow()
  return { schedule: loop.schedule, stop: loop.stop }
}
