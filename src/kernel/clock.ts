// All code reads the time through a Clock, so that tests control time.

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Milliseconds since an arbitrary moment. Not affected by changes of the system clock: for measuring
   * durations.
   */
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
        reject(aborted)
      }
      if (signal?.aborted === true) {
        reject(aborted)
        return
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', abort, { once: true })
    }),
}

/** One error for all waits: thousands of them end at once, and a stack of their own says nothing. */
const aborted = new DOMException('The operation was aborted', 'AbortError')

const leastMs = Date.parse('0000-01-01T00:00:00Z')
const mostMs = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * RFC 3339 with milliseconds, so that two moments of one second differ. RFC 3339 has the years 0 to 9999: a moment
 * outside, such as a "never", or a time of a machine less an odd skew, counts as the nearest in it. So texts sort as
 * their times do, and no number makes this throw.
 */
export const toFineTimestamp = (ms: number): string =>
  new Date(Math.min(Math.max(ms, leastMs), mostMs)).toISOString()

/** RFC 3339 with seconds, as Kubernetes writes times in metadata and conditions. */
export const toTimestamp = (ms: number): string => toFineTimestamp(ms).replace(/\.\d+Z$/, 'Z')

/** True for a moment as in RFC 3339, in its years 0 to 9999. */
export const isInstant = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) &&
  !Number.isNaN(Date.parse(text))
