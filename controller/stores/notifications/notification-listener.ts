// Waits for the notifications that a store puts into a queue, while the store may be called. A message stays in
// the queue until the keys that it names were looked at: whoever leads next gets it again.
import type { Clock } from '../../../src/kernel/clock.ts'
import type { Logger } from '../../../src/kernel/log.ts'
import { done, waitFor, type ReconcileOutcome } from '../../../src/runtime/control-loop.ts'
import { startSingleLoop, type SingleLoop } from '../../../src/runtime/single-loop.ts'
import { QueueFault, type NotificationQueue, type QueueNotifications } from '../provider.ts'

interface NotificationListenerDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  /** Keys wait to be looked at. */
  readonly onNotifications: () => void
  /** The state, or the count of foreignMessages, is another one. */
  readonly onNews: () => void
}

const rest = { baseMs: 10_000, mostMs: 900_000 }
const none: readonly string[] = []

export class NotificationListener {
  /** undefined: nothing is known of the queue yet. */
  state: QueueFault | 'listening' | undefined
  /** Messages that were no notifications. */
  foreignMessages = 0
  readonly #deps: NotificationListenerDeps
  #loop: SingleLoop | undefined
  #waiting: { readonly keys: readonly string[]; readonly acknowledge: () => void } | undefined

  constructor(deps: NotificationListenerDeps) {
    this.#deps = deps
  }

  /** Keys that wait for a sync. */
  get keys(): readonly string[] {
    return this.#waiting?.keys ?? none
  }

  /** These keys were synced. */
  acknowledge(keys: readonly string[]): void {
    if (this.#waiting?.keys === keys) this.#waiting.acknowledge()
  }

  /** Goes on listening where it does. */
  listen(queue: NotificationQueue): void {
    if (this.#loop !== undefined) return
    const { clock, log, random } = this.#deps
    let failed = 0
    const run = async (signal: AbortSignal): Promise<ReconcileOutcome> => {
      try {
        await this.#receive(queue, signal)
        failed = 0
        return waitFor(0)
      } catch (error) {
        if (signal.aborted) return done
        if (error instanceof QueueFault) this.#note(error)
        else log.error({ err: error }, 'a queue of notifications could not be read; trying again')
        const restMs = Math.min(rest.baseMs * 2 ** Math.min(failed, 12), rest.mostMs)
        failed += 1
        return waitFor(restMs * (0.5 + random() / 2))
      }
    }
    this.#loop = startSingleLoop({ clock, log }, { name: 'hints', run })
    this.#loop.runNow()
  }

  async stop(): Promise<void> {
    const loop = this.#loop
    this.#loop = undefined
    await loop?.stop()
  }

  async #receive(queue: NotificationQueue, signal: AbortSignal): Promise<void> {
    const notifications = await queue.receive(signal)
    this.#note('listening', notifications)
    if (notifications.keys.length > 0) await this.#handled(notifications.keys, signal)
    if (notifications.receipts.length > 0) await queue.discard(notifications, signal)
  }

  #note(
    state: QueueFault | 'listening',
    { foreignMessages }: Pick<QueueNotifications, 'foreignMessages'> = { foreignMessages: 0 },
  ) {
    const textOf = (state: typeof this.state): unknown =>
      state instanceof Error ? state.message : state
    const isNews = textOf(this.state) !== textOf(state) || foreignMessages > 0
    this.state = state
    this.foreignMessages += foreignMessages
    if (isNews) this.#deps.onNews()
  }

  /** Resolves when the keys were synced. */
  async #handled(keys: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await new Promise<void>((acknowledge, reject) => {
        const giveUp = (): void => reject(signal.reason as Error)
        signal.addEventListener('abort', giveUp, { once: true })
        this.#waiting = { keys, acknowledge }
        this.#deps.onNotifications()
      })
    } finally {
      this.#waiting = undefined
    }
  }
}
