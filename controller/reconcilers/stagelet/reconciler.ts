// Gather, decide, write. One transaction holds the read and the write, so that a secret written
// meanwhile can never be judged by an older set.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { agentFinalizer, refFromKey, refOf } from '../../../src/resources/meta.ts'
import { done, waitFor, type Outcome, type Reconciler } from '../../../src/runtime/control-loop.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { decideStagelet } from './decide.ts'
import { eventsOf } from './events.ts'
import { gatherStagelet } from './gather.ts'

export const createStageletReconciler = (deps: { store: Store; clock: Clock }): Reconciler => ({
  name: 'stagelet',
  reconcile: async (key): Promise<Outcome> => {
    const ref = refFromKey(key)
    return deps.store.write({ name: 'reconciler', source: 'system' }, {}, (tx) =>
      reconcileIn(tx, ref, toTimestamp(deps.clock.now())),
    )
  },
})

const reconcileIn = async (
  tx: Transaction,
  ref: { namespace: string; name: string },
  now: string,
): Promise<Outcome> => {
  const input = await gatherStagelet(tx, ref, now)
  if (input === undefined) return done
  const { status, release } = decideStagelet(input)
  const { stagelet } = input
  await tx.setStatus({ ...stagelet, status })
  for (const event of eventsOf(stagelet, status)) await tx.recordEvent(event)
  if (release && stagelet.metadata.finalizers?.includes(agentFinalizer) === true) {
    await tx.removeFinalizer(refOf(stagelet), agentFinalizer)
  }
  // The close of the change set writes the Project and so comes as an event; this only catches a lost one.
  return input.revisions?.closesAt === undefined ? done : waitFor(5000)
}
