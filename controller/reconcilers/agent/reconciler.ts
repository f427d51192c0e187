// Ends ephemeral agents that are away for too long. An absence is counted by a clock that nobody sets, and anew by each
// leader: while no controller listened, nobody knows that a machine was away.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import { refFromKey, type ObjectRef } from '../../../src/resources/meta.ts'
import {
  done,
  waitFor,
  type ReconcileOutcome,
  type Reconciler,
} from '../../../src/runtime/control-loop.ts'
import type { Store } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { absenceOf, endAgents, type Leaver } from './end-agents.ts'

interface Absence {
  /** By the Agent's status. */
  readonly since: string
  /** By the monotonic clock, in ms: when this process first saw it. */
  readonly seenAt: number
}

export const createAgentReconciler = ({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: Clock
}): Reconciler => {
  const absences = new Map<string, Absence>()

  const reconcileAll = async (
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, ReconcileOutcome>> => {
    const outcomes = new Map<string, ReconcileOutcome>()
    const leavers: Leaver[] = []
    for (const key of keys) {
      const ref = refFromKey(key) as ObjectRef<'Agent'>
      const agent = await store.get(ref)
      const since = agent && absenceOf(agent)
      const { goneAfter } = agent?.spec?.ephemeral ?? {}
      if (since === undefined || goneAfter === undefined) {
        absences.delete(key)
        outcomes.set(key, done)
        continue
      }
      const former = absences.get(key)
      const absence = former?.since === since ? former : { since, seenAt: clock.monotonic() }
      absences.set(key, absence)
      const left = absence.seenAt + durationMs(goneAfter) - clock.monotonic()
      outcomes.set(key, left > 0 ? waitFor(left) : done)
      const why = `away since ${since}, which is longer than ${goneAfter} (spec.ephemeral.goneAfter)`
      if (left <= 0) leavers.push({ ref, why, since })
    }
    const now = toTimestamp(clock.now())
    if (leavers.length > 0)
      await store.write(reconcilerActor, {}, (tx) => endAgents(tx, leavers, now))
    return outcomes
  }
  return {
    name: 'agent',
    reconcile: async (key) => (await reconcileAll([key])).get(key) ?? done,
    reconcileAll,
  }
}
