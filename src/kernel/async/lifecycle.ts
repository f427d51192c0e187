// Start and stop of a program. Steps of the start are undone in reverse order, each within its
// time-out, so that a hanging step does not keep the others (the database last) from closing.
import type { Logger } from '../log.ts'
import { realClock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { within } from './pause.ts'

export interface Lifecycle {
  /** Aborts when the stop begins: long-lived work (streams, loops) ends then. */
  readonly stopping: AbortSignal
  /**
   * Registers how to undo a step of the start. The last registered function runs first; they run one
   * after the other.
   */
  onStop(name: string, timeoutMs: number, step: () => void | Promise<void>): void
  /** Runs every registered function; never rejects. A second call waits for the first. */
  stop(): Promise<void>
}

export const createLifecycle = (log: Logger): Lifecycle => {
  const controller = new AbortController()
  const steps: { name: string; timeoutMs: number; step: () => void | Promise<void> }[] = []
  let stopped: Promise<void> | undefined

  const runAll = async (): Promise<void> => {
    for (const { name, timeoutMs, step } of steps.reverse()) {
      try {
        await within(realClock, timeoutMs, Promise.resolve().then(step), () =>
          log.warn({ step: name, timeoutMs }, 'a stop step took too long and was left behind'),
        )
      } catch (error) {
        log.error({ step: name, err: messageOf(error) }, 'a stop step failed')
      }
    }
  }

  return {
    stopping: controller.signal,
    onStop: (name, timeoutMs, step) => steps.push({ name, timeoutMs, step }),
    stop: () => {
      controller.abort()
      stopped ??= runAll()
      return stopped
    },
  }
}
