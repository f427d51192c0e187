// Long pieces of work, one at a time, with a turn of the event loop before each: many that come at
// once hold up the others no longer than one does.
import { setImmediate as yieldToOthers } from 'node:timers/promises'

export type Turns = <T>(work: () => T) => Promise<T>

export const createTurns = (): Turns => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(() => yieldToOthers()).then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}
