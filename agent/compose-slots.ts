// So many runs of Compose at once on this machine, in the order in which they were asked for: a start
// with fifty stacks is no reason for a hundred processes.
import { availableParallelism } from 'node:os'
import type { Compose } from '../src/compose/compose.ts'

/** Compose mostly waits for the engine, so that a small machine can take a few as well. */
export const defaultSlots = Math.max(4, availableParallelism())

/** `fn` runs when one of `count` slots is free, the first that came first. */
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
      // The slot goes from hand to hand: who comes just now does not overtake.
      if (next === undefined) free++
      else next()
    }
  }
}

/**
 * The same Compose, `count` runs at a time; a deadline counts from the start of a run. What a person
 * watches is not held up: he may follow logs for hours.
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
