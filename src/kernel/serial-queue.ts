// Runs long pieces of work one at a time and yields to the event loop before each. So many pieces delay
// other requests no longer than one piece does.
import { setImmediate as yieldToOthers } from 'node:timers/promises'

export type SerialQueue = <T>(work: () => T) => Promise<T>

export const createSerialQueue = (): SerialQueue => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(() => yieldToOthers()).then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}
