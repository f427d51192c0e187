// A loop over many items that yields to the event loop, so that it does not hold up other requests.
import { nextTurn } from './event-loop.ts'

/** This many items take a few milliseconds. */
const manyInOneTurn = 100

/** As `items.map(fn)`, yielding to the event loop now and then. */
export const mapYielding = async <T, R>(
  items: readonly T[],
  fn: (item: T, index: number) => R,
  inOneTurn = manyInOneTurn,
): Promise<R[]> => {
  const results: R[] = []
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % inOneTurn === 0) await nextTurn()
    results.push(fn(item, index))
  }
  return results
}
