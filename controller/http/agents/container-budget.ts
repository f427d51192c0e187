// How many rows of containers one agent may make. A report within all bounds names tens of thousands, and each row stays:
// one machine must fill no database, and hold up no write of another team.
import type { Clock } from '../../../src/kernel/clock.ts'

/** A machine with 1,000 containers that are all made anew. */
const most = 2_000
/** Of one stagelet, more are not kept: see src/store/activity/activity-log.ts. */
const mostOfStagelet = 200
const perSecond = 5

export interface ContainerBudget {
  /** How many of these rows of a stagelet the agent may make now. */
  take(agentKey: string, wanted: number): number
}

export const createContainerBudget = (clock: Pick<Clock, 'monotonic'>): ContainerBudget => {
  const spent = new Map<string, { rows: number; at: number }>()
  /** Rows that still count. An agent that has none is forgotten. */
  const spentNow = (agentKey: string, now: number): number => {
    const { rows, at } = spent.get(agentKey) ?? { rows: 0, at: now }
    return Math.max(0, rows - ((now - at) / 1000) * perSecond)
  }
  return {
    take: (agentKey, wanted) => {
      const now = clock.monotonic()
      const before = spentNow(agentKey, now)
      const taken = Math.floor(Math.min(wanted, mostOfStagelet, most - before))
      if (before + taken === 0) spent.delete(agentKey)
      else spent.set(agentKey, { rows: before + taken, at: now })
      return taken
    },
  }
}
