// Time comes in through a Clock, so that tests own it.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since some moment: for how long something lasts, whoever sets the clock meanwhile. */
  monotonic(): number
  /** Resolves after `ms`; rejects with an AbortError when `signal` aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        clearTimeout(timer)
        reject(abortError())
      }
      if (signal?.aborted === true) {
        reject(abortError())
        return
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', abort, { once: true })
    }),
}

const abortError = (): Error => new DOMException('The operation was aborted', 'AbortError')

/** RFC 3339 with seconds, as Kubernetes writes metadata and condition times. */
export const toTimestamp = (ms: number): string =>
  new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

/** With milliseconds, so that two within a second are two. */
export const toFineTimestamp = (ms: number): string => new Date(ms).toISOString()
