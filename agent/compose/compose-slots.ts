// Limits how many runs of Compose go on at once on this machine, first come first served: a start with fifty stacks
// must not make a hundred processes.
import { availableParallelism } from 'node:os'
import type { Compose } from '../../src/compose/compose.ts'
import { createSlots } from '../../src/kernel/async/serial-queue.ts'

/** Compose mostly waits for the engine, so that also a small machine can run a few at once. */
export const defaultSlots = Math.max(4, availableParallelism())

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
