// The time of propagation in words. Pure.
import type { Propagation } from '../../../src/generated/rest-types.ts'

export type MeasuredObjective = Propagation['objectives'][number]
export type Stage = Propagation['stages'][number]

export const objectiveWords: Readonly<Record<MeasuredObjective['objective'], string>> = {
  started: 'From the change to the start of Compose',
  proven: 'From the last healthy container to the proof',
}

/** Fewer than these allow not one that is too late: one bad moment would decide. */
export const fewestOf = (target: number): number => Math.ceil(1 / Math.max(1 - target, 1e-6) - 1e-9)

export type ObjectiveVerdict = 'met' | 'missed' | 'few' | 'nothing'

export const verdictOf = (
  { is_met: isMet, target }: Pick<MeasuredObjective, 'is_met' | 'target'>,
  count: number,
): ObjectiveVerdict => {
  if (isMet === null) return 'nothing'
  if (isMet) return 'met'
  return count < fewestOf(target) ? 'few' : 'missed'
}

export const stageWords: Readonly<Record<Stage['stage'], readonly [string, string]>> = {
  told: ['Delivered', 'from the change until the secrets were sent to the agent'],
  started: ['Started', 'until Compose starts on the machine'],
  healthy: ['Healthy', 'until the last new container is healthy'],
  proven: ['Proven', 'until the agent has verified every container'],
  total: ['Total', 'from the change until it is proven'],
}

const outWords: Readonly<Record<string, string>> = {
  Failed: 'failed',
  RolledBack: 'rolled back',
  Paused: 'waited: paused',
  AgentDrained: 'waited: the agent was drained',
  AgentAway: 'waited: the agent was offline',
  EngineUnavailable: 'waited: Docker did not answer',
  AwaitingTurn: 'waited for its turn',
  First: 'first rollouts',
  Unmeasured: 'superseded by a newer change',
}

/** `AgentLate` is said as it is, in small words. */
export const leftOutWord = (because: string): string =>
  outWords[because] ?? because.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase()

/** `340 ms`, `2.41 s`, `75 s`, `12 min`. */
export const timeOf = (ms: number | undefined): string => {
  if (ms === undefined) return '–'
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`
}

/** Rounded down: what is nearly reached is not reached. */
export const percentOf = (share: number | null): string =>
  share === null ? '–' : `${Math.floor(share * 10_000) / 100} %`
