// Waits for states. How long at most is no claim: who waits in vain on a busy machine waits that long.
import { expect, vi } from 'vitest'

export const longestMs = 60_000

/** Expects it of what is read now or in a while: `await eventually(read).toBe(…)`. */
export const eventually = <T>(
  read: () => Promise<T> | T,
  timeout = longestMs,
): ReturnType<typeof expect.poll<T>> => expect.poll(read, { timeout, interval: 150 })

/** Resolves when `read` gives what equals `wanted`; looks often. */
export const reaches = <T>(
  read: () => Promise<T> | T,
  wanted: T,
  timeout = longestMs,
): Promise<void> =>
  vi.waitFor(
    async () => {
      expect(await read()).toEqual(wanted)
    },
    { timeout, interval: 20 },
  )

/** Tries again until `check` neither throws nor gives false; resolves to what it gives. */
export const passes = <T>(
  check: () => Promise<T | false> | T | false,
  timeout = longestMs,
): Promise<T> =>
  vi.waitFor(
    async () => {
      const given = await check()
      if (given === false) throw new Error(`does not come about: ${String(check)}`)
      return given
    },
    { timeout, interval: 50 },
  )
