// Work over many items that lets others have their turn: one long loop would hold up every request.
import { setImmediate as yieldToOthers } from 'node:timers/promises'

/** So many items as take a few milliseconds. */
const manyInOneTurn = 100

/** As `items.map(fn)`, with turns of the event loop in between. */
export const mapInTurns = async <T, R>(
  items: readonly T[],
  fn: (item: T, index: number) => R,
  inOneTurn = manyInOneTurn,
): Promise<R[]> => {
  const results: R[] = []
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % inOneTurn === 0) await yieldToOthers()
    results.push(fn(item, index))
  }
  return results
}
