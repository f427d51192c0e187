// Closes change sets when their time has come. The write itself closes a complete one; this loop
// does the rest, and after a restart finds what was left open.
import type { Clock } from '../../src/kernel/clock.ts'
import { endingWith } from '../../src/kernel/ending.ts'
import { isAbort, messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { quietMs } from '../../src/store/revisions.ts'
import type { Store } from '../../src/store/store.ts'

/** A lost wake-up costs at most this. */
const idleMs = 1000

export interface ChangeSetCloser {
  /** A secret was written: its set is due soon, and not before all has been quiet for a moment. */
  poke(): void
  stop(): Promise<void>
}

export const startChangeSetCloser = (deps: {
  store: Pick<Store, 'closeDueRevisions'>
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

  const sleep = async (ms: number, ...signals: AbortSignal[]): Promise<void> => {
    const ended = endingWith(stopping.signal, ...signals)
    try {
      await deps.clock.sleep(ms, ended.signal)
    } catch (error) {
      if (!isAbort(error)) throw error
    } finally {
      ended.abort()
    }
  }

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      wake = new AbortController()
      const ms = await waitMs()
      // Nothing that is written meanwhile is due before the next look, unless that is far away.
      if (ms <= quietMs) await sleep(ms)
      else {
        await sleep(ms, wake.signal)
        if (wake.signal.aborted) await sleep(quietMs)
      }
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
