// Opens sets for agents. Agents that ask for the same set at about the same time share one read of the set
// and one commit of audit rows: a change to thousands of stagelets is read a few times.
import { gathered } from '../../kernel/gathered.ts'
import type { Delivery } from '../core/actor.ts'
import type { OpenedEntry } from '../core/sets.ts'

/** Most deliveries that share one read. */
const mostAtOnce = 256
/** The event loop goes on after this many answers: each one is sealed and sent at once. */
const answersBeforeYield = 20

type OpenSets = (
  projectUid: string,
  revision: number,
  deliveries: readonly Delivery[],
) => Promise<OpenedEntry[][]>

export type OpenSet = (
  projectUid: string,
  revision: number,
  delivery: Delivery,
) => Promise<OpenedEntry[]>

export const createDeliveries = (openSets: OpenSets): OpenSet => {
  /** Sets that are being read. */
  const sets = new Map<string, (delivery: Delivery) => Promise<OpenedEntry[]>>()
  return (projectUid, revision, delivery) => {
    const id = `${projectUid} ${revision}`
    const running = sets.get(id)
    if (running !== undefined) return running(delivery)
    const open = gathered(
      mostAtOnce,
      (deliveries: readonly Delivery[]) => openSets(projectUid, revision, deliveries),
      { inTurns: answersBeforeYield, onIdle: () => sets.delete(id) },
    )
    sets.set(id, open)
    return open(delivery)
  }
}
