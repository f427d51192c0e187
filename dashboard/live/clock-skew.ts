// Times that an agent's machine tells, in the controller's time: the skew of its clock is taken off. Pure.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import type { Agent, Stagelet } from '../../src/generated/rest-types.ts'

const corrected = (at: string | undefined, skew: number): string | undefined => {
  const ms = Date.parse(at ?? '') - skew
  return Number.isNaN(ms) ? undefined : toFineTimestamp(ms)
}

export const agentSkew = (
  agents: readonly Agent[],
  { agent, team }: Pick<Stagelet, 'agent' | 'team'>,
): number =>
  agents.find((candidate) => candidate.name === agent && candidate.team === team)?.clock_skew_ms ??
  0

/** The same list where no clock is off. */
export const withoutSkew = (
  stagelets: readonly Stagelet[],
  agents: readonly Agent[],
): readonly Stagelet[] => {
  if (agents.every(({ clock_skew_ms: skew = 0 }) => skew === 0)) return stagelets
  return stagelets.map((stagelet) => {
    const skew = agentSkew(agents, stagelet)
    if (skew === 0) return stagelet
    const services = stagelet.services.map(({ since: at, ...service }) => {
      const since = corrected(at, skew)
      return since === undefined ? service : { ...service, since }
    })
    return { ...stagelet, services }
  })
}
