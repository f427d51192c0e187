// Opens sets for agents. Agents that ask for the same set at about the same time share one read of the set
// and one commit of audit rows: a change to thousands of stagelets is read a few times.
import { gathered } from '../kernel/gathered.ts'
import type { Delivery, OpenedEntry, Store } from './store.ts'

/** Bounds one read. */
const mostAtOnce = 256
/** Each answer is sealed and sent at once, and the rest of the process waits meanwhile. */
const answersInOneTurn = 20

export type OpenSets = (
  projectUid: string,
  revision: number,
  deliveries: readonly Delivery[],
) => Promise<OpenedEntry[][]>

export const createDeliveries = (openSets: OpenSets): Store['openSet'] => {
  /** Sets that are asked for just now. */
  const sets = new Map<string, (delivery: Delivery) => Promise<OpenedEntry[]>>()
  return (projectUid, revision, delivery) => {
    const id = `${projectUid} ${revision}`
    const known = sets.get(id)
    if (known !== undefined) return known(delivery)
    const open = gathered(
      mostAtOnce,
      (deliveries: readonly Delivery[]) => openSets(projectUid, revision, deliveries),
      { inTurns: answersInOneTurn, onIdle: () => sets.delete(id) },
    )
    sets.set(id, open)
    return open(delivery)
  }
}
