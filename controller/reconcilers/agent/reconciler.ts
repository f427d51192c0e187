// Ends ephemeral agents that are away for too long. An absence is counted by a clock that nobody sets, and anew by each
// leader: while no controller listened, nobody knows that a machine was away.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { durationMs } from '../../../src/resources/duration.ts'
import { refFromKey, type ObjectRef } from '../../../src/resources/meta.ts'
import {
  done,
  noState,
  waitFor,
  type ReconcileOutcome,
  type Reconciler,
} from '../../../src/runtime/control-loop.ts'
import type { Store } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { findVanishedTogether } from '../rollout/vanished-agents.ts'
import { countAbsence, type Absence } from './absence.ts'
import { absenceOf, endAgents, type Leaver } from './end-agents.ts'

/** Of a namespace, the names of agents that vanished together; read once. */
const createVanished = (store: Store): ((namespace: string) => Promise<ReadonlySet<string>>) => {
  const found = new Map<string, Promise<ReadonlySet<string>>>()
  const read = async (namespace: string): Promise<ReadonlySet<string>> =>
    new Set(findVanishedTogether((await store.list('Agent', { namespace })).items, -Infinity))
  return (namespace) => {
    const names = found.get(namespace) ?? read(namespace)
    found.set(namespace, names)
    return names
  }
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
    const vanishedIn = createVanished(store)
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
      const { absence, lookAgainIn } = countAbsence(absences.get(key), {
        since,
        isHeld: (await vanishedIn(ref.namespace)).has(ref.name),
        goneAfterMs: durationMs(goneAfter),
        now: clock.monotonic(),
      })
      absences.set(key, absence)
      outcomes.set(key, lookAgainIn === undefined ? done : waitFor(lookAgainIn))
      const why = `away since ${since}, which is longer than ${goneAfter} (spec.ephemeral.goneAfter)`
      if (lookAgainIn === undefined) leavers.push({ ref, why, since })
    }
    const now = toTimestamp(clock.now())
    if (leavers.length > 0)
      await store.write(reconcilerActor, {}, (tx) => endAgents(tx, leavers, now))
    return outcomes
  }
  return {
    name: 'agent',
    notKnown: noState,
    reconcile: async (key) => (await reconcileAll([key])).get(key) ?? done,
    reconcileAll,
  }
}
