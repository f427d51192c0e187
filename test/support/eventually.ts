import { expect } from 'vitest'

/** Expects it of what is read now or in a while: `await eventually(read).toBe(…)`. */
export const eventually = <T>(
  read: () => Promise<T> | T,
  timeout = 20_000,
): ReturnType<typeof expect.poll<T>> => expect.poll(read, { timeout, interval: 150 })
