// Waits for the hints that a store puts into a queue, while the store may be called. A message stays in
// the queue until the keys that it names were looked at: whoever leads next gets it again.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Logger } from '../../src/kernel/log.ts'
import { QueueFault, type HintQueue, type Hints } from './provider.ts'

export interface HintListenerDeps {
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Logger
  readonly random: () => number
  /** Keys wait to be looked at. */
  readonly onHints: () => void
  /** The state, or the count of strangers, is another one. */
  readonly onNews: () => void
}

const restMs = { base: 10_000, most: 900_000 }
const none: readonly string[] = []

export class HintListener {
  /** undefined: nothing is known of the queue yet. */
  state: QueueFault | 'listening' | undefined
  /** Messages that were no hints. */
  strangers = 0
  readonly #deps: HintListenerDeps
  #listening: { readonly ending: AbortController; readonly running: Promise<void> } | undefined
  #waiting: { readonly keys: readonly string[]; readonly heeded: () => void } | undefined

  constructor(deps: HintListenerDeps) {
    this.#deps = deps
  }

  /** Those that wait to be looked at. */
  get keys(): readonly string[] {
    return this.#waiting?.keys ?? none
  }

  /** These were looked at. */
  heeded(keys: readonly string[]): void {
    if (this.#waiting?.keys === keys) this.#waiting.heeded()
  }

  /** Goes on listening where it does. */
  listen(queue: HintQueue): void {
    if (this.#listening !== undefined) return
    const ending = new AbortController()
    this.#listening = { ending, running: this.#run(queue, ending.signal) }
  }

  async stop(): Promise<void> {
    const listening = this.#listening
    this.#listening = undefined
    listening?.ending.abort()
    await listening?.running
  }

  async #run(queue: HintQueue, signal: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#deps
    let failed = 0
    while (!signal.aborted) {
      try {
        const hints = await queue.receive(signal)
        this.#note('listening', hints)
        if (hints.keys.length > 0) await this.#heed(hints.keys, signal)
        if (hints.receipts.length > 0) await queue.discard(hints, signal)
        failed = 0
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof QueueFault) this.#note(error)
        else log.error({ err: error }, 'a queue of hints could not be read; trying again')
        const wait = Math.min(restMs.base * 2 ** Math.min(failed, 12), restMs.most)
        failed += 1
        await clock.sleep(wait * (0.5 + random() / 2), signal).catch(() => undefined)
      }
    }
  }

  #note(
    state: QueueFault | 'listening',
    { strangers }: Pick<Hints, 'strangers'> = { strangers: 0 },
  ) {
    const said = (one: typeof this.state): unknown => (one instanceof Error ? one.message : one)
    const isNews = said(this.state) !== said(state) || strangers > 0
    this.state = state
    this.strangers += strangers
    if (isNews) this.#deps.onNews()
  }

  /** Until they were looked at. */
  async #heed(keys: readonly string[], signal: AbortSignal): Promise<void> {
    try {
      await new Promise<void>((heeded, reject) => {
        const giveUp = (): void => reject(signal.reason as Error)
        signal.addEventListener('abort', giveUp, { once: true })
        this.#waiting = { keys, heeded }
        this.#deps.onHints()
      })
    } finally {
      this.#waiting = undefined
    }
  }
}
