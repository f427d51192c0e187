import type { About, Facts } from '../../../agent/link/about.ts'

/** What an agent tells of a machine on which nothing is ever upgraded. */
export const unchanging = (facts: Facts): About => ({
  current: () => facts,
  look: () => Promise.resolve(),
})
