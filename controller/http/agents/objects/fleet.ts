// Counts agents and stagelets for metrics, from the cache, so that a scrape costs no query.
import { refusalReasons, type RefusalReason } from './refused-agents.ts'
import type { ObjectCache } from './object-cache.ts'
import { countedConditions, type CountedCondition } from './views.ts'

type ConditionValue = 'True' | 'False' | 'Unknown'
type Counts = Readonly<Record<ConditionValue, number>>

export interface Fleet {
  /** Counts of stagelets by the status of each of these conditions. */
  readonly stagelets: Readonly<Record<CountedCondition, Counts>>
  /** Counts of agents by the status of `Ready`. */
  readonly agents: Counts
  /** Counts of agents that are refused, by the reason. */
  readonly refused: Readonly<Record<RefusalReason, number>>
  /** Services that failed and are not started again with the same secrets. */
  readonly quarantined: number
}

const countOf = (statuses: Iterable<ConditionValue>): Counts => {
  const counts = { True: 0, False: 0, Unknown: 0 }
  for (const status of statuses) counts[status] += 1
  return counts
}

export const fleetOf = (objects: Pick<ObjectCache, 'stagelets' | 'agents'>): Fleet => {
  const stagelets = [...objects.stagelets()]
  const counts = countedConditions.map((type) => [
    type,
    countOf(stagelets.map(({ conditions }) => conditions[type])),
  ])
  const refused = { ClockSkew: 0, Protocol: 0 }
  for (const [, agent] of objects.agents()) {
    const reason = refusalReasons.find((listedReason) => listedReason === agent.refused?.reason)
    if (reason !== undefined) refused[reason] += 1
  }
  return {
    refused,
    stagelets: Object.fromEntries(counts) as Fleet['stagelets'],
    agents: countOf([...objects.agents()].map(([, { ready }]) => ready?.status ?? 'Unknown')),
    quarantined: stagelets.reduce((sum, { quarantine }) => sum + quarantine.length, 0),
  }
}
