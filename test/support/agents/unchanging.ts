import type { About, AgentVersions } from '../../../agent/link/about.ts'

/** What an agent tells of a machine on which nothing is ever upgraded. */
export const unchanging = (facts: AgentVersions): About => ({
  current: () => facts,
  refresh: () => Promise.resolve(),
})
