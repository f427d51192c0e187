// One piece of work at a time for all, and among those who wait each owner in turn: who has many
// waiting holds up the others by one.
import { StagelyError } from './errors.ts'

/** More that one owner has waiting are refused. */
const mostWaiting = 8

export class FairTurn {
  /** By owner; the owner who is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #busy = false

  /** Resolves when it is the owner's turn, with what ends that turn. Rejects when `signal` aborts before. */
  async take(owner: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#busy) await this.#wait(owner, signal)
    this.#busy = true
    return () => {
      this.#next()
    }
  }

  #wait(owner: string, signal: AbortSignal): Promise<void> {
    const own = this.#waiting.get(owner) ?? []
    if (own.length >= mostWaiting)
      throw new StagelyError('TooManyRequests', `${mostWaiting} of your reviews wait already`, {
        retryAfterSeconds: 5,
      })
    this.#waiting.set(owner, own)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        own.splice(own.indexOf(go), 1)
        if (own.length === 0) this.#waiting.delete(owner)
        reject(signal.reason as Error)
      }
      const go = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      own.push(go)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  /** Hands the turn on without a gap in which a new one could overtake those who wait. */
  #next(): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#busy = false
      return
    }
    const [owner, own] = first
    this.#waiting.delete(owner)
    const go = own.shift()
    if (own.length > 0) this.#waiting.set(owner, own)
    go?.()
  }
}
