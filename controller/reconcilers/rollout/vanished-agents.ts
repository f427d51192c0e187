// Finds agents that vanished together. Their common cause may be the new revision, and another rollout would not
// mend it, so that the rollout stops for them: pure.
import { findCondition } from '../../../src/resources/conditions.ts'
import type { AgentObject } from './gather.ts'

const windowMs = 60_000
const leastAgents = 4

/**
 * Names of agents that left within one minute and are still away. None where they are not more than half of all
 * (those away and those here), or where all are fewer than 4. Agents that left before `resumedAt` (ms) do not count.
 */
export const findVanishedTogether = (
  agents: readonly AgentObject[],
  resumedAt: number,
): string[] => {
  const readiness = (agent: AgentObject): ReturnType<typeof findCondition> =>
    findCondition(agent.status?.conditions, 'Ready')
  const here = agents.filter((agent) => readiness(agent)?.status === 'True').length
  const away = agents
    .filter((agent) => readiness(agent)?.reason === 'Disconnected')
    .map((agent) => ({
      name: agent.metadata.name,
      at: Date.parse(readiness(agent)?.lastTransitionTime ?? ''),
    }))
    .filter(({ at }) => at > resumedAt)
    .sort((a, b) => a.at - b.at)
  for (const first of away) {
    const together = away.filter(({ at }) => at >= first.at && at - first.at <= windowMs)
    const count = together.length
    if (here + count >= leastAgents && count > here) return together.map(({ name }) => name).sort()
  }
  return []
}
