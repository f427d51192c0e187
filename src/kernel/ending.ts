// Signals that end together.
import { setMaxListeners } from 'node:events'

/**
 * A controller of its own, which aborts with the first of `signals`. Who has no more use for it aborts it:
 * then it lets go of them. It stands in for AbortSignal.any(): Node 20 holds what that is made of weakly,
 * so that one of AbortSignal.timeout() is collected and never fires, and keeps of each one something at
 * every signal that lives on.
 */
export const endingWith = (...signals: AbortSignal[]): AbortController => {
  const ending = new AbortController()
  const ends = signals.map((signal) => (): void => {
    ending.abort(signal.reason)
  })
  const letGo = (): void => {
    signals.forEach((signal, i) => {
      signal.removeEventListener('abort', ends[i]!)
    })
  }
  // Many may wait for the end of a program.
  setMaxListeners(0, ...signals)
  const over = signals.find((signal) => signal.aborted)
  if (over !== undefined) {
    ending.abort(over.reason)
    return ending
  }
  ending.signal.addEventListener('abort', letGo, { once: true })
  signals.forEach((signal, i) => {
    signal.addEventListener('abort', ends[i]!, { once: true })
  })
  return ending
}
