// Runs pieces of work one after the other, or a few at a time, also after one that failed.
import type { Clock } from '../clock.ts'
import { nextTurn } from './event-loop.ts'

type SerialQueue = <T>(work: () => T | Promise<T>) => Promise<T>

export const createSerialQueue = (): SerialQueue => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}

/** A request on a new connection of TLS, and its answer, take so many turns. Turns that nobody needs take microseconds. */
const turnsBetween = 8

/**
 * For many long pieces, which delay other requests no longer than one piece does. Before each piece the event loop has
 * turns, and rests as long as the last piece took: turns alone are over before a database in another thread answers.
 */
export const createYieldingQueue = (clock: Clock): SerialQueue => {
  const inTurn = createSerialQueue()
  let restsUntil = 0
  return (work) =>
    inTurn(async () => {
      const restMs = restsUntil - clock.monotonic()
      if (restMs > 0) await clock.sleep(restMs)
      for (let turn = 0; turn < turnsBetween; turn++) await nextTurn()
      const begun = clock.monotonic()
      try {
        return await work()
      } finally {
        const ended = clock.monotonic()
        restsUntil = ended + (ended - begun)
      }
    })
}

/** Runs at most `count` pieces of work at a time, first come first served. */
export const createSlots = (count: number): SerialQueue => {
  let free = count
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      // The slot is passed to the next in the queue, so that a new caller cannot take it.
      if (next === undefined) free += 1
      else next()
    }
  }
}
