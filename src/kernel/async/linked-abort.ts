// One AbortController that follows several signals.
import { setMaxListeners } from 'node:events'

/**
 * A new AbortController that aborts when the first of `signals` aborts. The caller aborts it when it is no longer needed:
 * that removes the listeners from `signals`. AbortSignal.any() has two faults in Node 20: it refers to its sources weakly,
 * so that an AbortSignal.timeout() may be garbage-collected and never fire; and it leaks memory at each long-lived source.
 */
export const linkedAbort = (...signals: AbortSignal[]): AbortController => {
  const ending = new AbortController()
  const ends = signals.map((signal) => (): void => ending.abort(signal.reason))
  const unlink = (): void => {
    signals.forEach((signal, i) => signal.removeEventListener('abort', ends[i]!))
  }
  // More than ten listeners are normal here, and no leak.
  setMaxListeners(0, ...signals)
  const over = signals.find((signal) => signal.aborted)
  if (over !== undefined) {
    ending.abort(over.reason)
    return ending
  }
  ending.signal.addEventListener('abort', unlink, { once: true })
  signals.forEach((signal, i) => signal.addEventListener('abort', ends[i]!, { once: true }))
  return ending
}
