// A lock that is fair between owners: one holder at a time, and waiting owners are served in turn. An
// owner with many waiting requests delays each other owner by one request.
import { StagelyError } from '../errors.ts'

/** An owner may have this many waiting requests; more are refused. */
const maxWaiting = 8

export class FairLock {
  /** Waiting requests by owner. The first owner in the map is served next. */
  readonly #waiting = new Map<string, (() => void)[]>()
  #busy = false

  /**
   * Resolves with a function that releases the lock, when the owner gets the lock. Rejects when
   * `signal` aborts before that. TooManyRequests when the owner has too many waiting.
   */
  async take(owner: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#busy) await this.#wait(owner, signal)
    this.#busy = true
    return () => this.#next()
  }

  #wait(owner: string, signal: AbortSignal): Promise<void> {
    const own = this.#waiting.get(owner) ?? []
    if (own.length >= maxWaiting)
      throw new StagelyError(
        'TooManyRequests',
        `${maxWaiting} of your long requests wait already`,
        {
          retryAfterSeconds: 5,
        },
      )
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

  /** Passes the lock on at once, so that a new request cannot overtake the waiting ones. */
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
