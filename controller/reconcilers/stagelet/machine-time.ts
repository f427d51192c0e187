// Times of an agent's machine as times of the controller: pure.
import type { StageletInput } from './facts.ts'

/** ms since the epoch, the skew of the machine's clock taken off; undefined for what is no time. */
export const controllerTimeOf = (
  { agent }: Pick<StageletInput, 'agent'>,
  at: string | undefined,
): number | undefined => {
  const ms = Date.parse(at ?? '') - (agent?.status?.clockSkewMs ?? 0)
  return Number.isNaN(ms) ? undefined : ms
}
