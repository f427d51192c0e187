// What is promised of the time from the close of a revision until it is proven in a container: pure.
import type { RolloutStatus } from '../kinds/stagelet/schema.ts'

type PropagationTimes = NonNullable<RolloutStatus['times']>

export const stageNames = ['told', 'started', 'healthy', 'proven'] as const
export type StageName = (typeof stageNames)[number]

interface Objective {
  readonly name: 'started' | 'proven'
  /** Stages that the objective is about, one after the other. */
  readonly stages: readonly StageName[]
  readonly withinMs: number
  /** Share of all that must be within. */
  readonly share: number
}

/** The time until a service is healthy is its own, and not promised. */
export const objectives: readonly Objective[] = [
  { name: 'started', stages: ['told', 'started'], withinMs: 1_000, share: 0.99 },
  { name: 'proven', stages: ['proven'], withinMs: 3_000, share: 0.99 },
]

export const sumOf = (times: PropagationTimes, stages: readonly StageName[] = stageNames): number =>
  stages.reduce((sum, stage) => sum + times[`${stage}Ms`], 0)
