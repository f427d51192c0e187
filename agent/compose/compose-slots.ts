// Limits how many runs of Compose go on at once on this machine, first come first served: a start with fifty stacks
// must not make a hundred processes.
import { availableParallelism } from 'node:os'
import type { Compose } from '../../src/compose/compose.ts'

/** Compose mostly waits for the engine, so that also a small machine can run a few at once. */
export const defaultSlots = Math.max(4, availableParallelism())

/** The returned function runs `fn` when one of `count` slots is free, first come first served. */
const createSlots = (count: number): (<T>(fn: () => Promise<T>) => Promise<T>) => {
  let free = count
  const waiting: (() => void)[] = []
  return async (fn) => {
    if (free > 0) free--
    else await new Promise<void>((turn) => waiting.push(turn))
    try {
      return await fn()
    } finally {
      const next = waiting.shift()
      // The slot is passed to the next in the queue, so that a new caller cannot take it.
      if (next === undefined) free++
      else next()
    }
  }
}

/**
 * Compose with at most `count` runs at a time. A deadline counts from the start of a run. Runs that a person watches do
 * not count: he may follow logs for hours.
 */
export const withSlots = (compose: Compose, count: number): Compose => {
  const inTurn = createSlots(count)
  return {
    ...compose,
    get version() {
      return compose.version
    },
    run: (call) => inTurn(() => compose.run(call)),
  }
}
