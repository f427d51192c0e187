// Counts agents and stagelets for metrics, from the mirror, so that a scrape costs no query.
import type { World } from './world.ts'

type Known = 'True' | 'False' | 'Unknown'

/** Counts of stagelets by the status of `SecretsInSync`, and of agents by that of `Ready`. */
export interface Fleet {
  readonly stagelets: Readonly<Record<Known, number>>
  readonly agents: Readonly<Record<Known, number>>
}

const countOf = (statuses: Iterable<Known>): Record<Known, number> => {
  const counts = { True: 0, False: 0, Unknown: 0 }
  for (const status of statuses) counts[status] += 1
  return counts
}

export const fleetOf = (world: Pick<World, 'stagelets' | 'agents'>): Fleet => ({
  stagelets: countOf([...world.stagelets()].map(({ inSync }) => inSync)),
  agents: countOf([...world.agents()].map(([, { ready }]) => ready?.status ?? 'Unknown')),
})
