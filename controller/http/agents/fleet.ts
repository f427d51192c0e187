// How the fleet is, for metrics: from the mirror of the world, so that a scrape costs no query.
import type { World } from './world.ts'

type Known = 'True' | 'False' | 'Unknown'

/** How many say so, by the status of `SecretsInSync` of stagelets and of `Ready` of agents. */
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
