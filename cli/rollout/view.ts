// A project's rollout in the REST API.
import { projectPath, type Rest } from '../rest.ts'

export interface StageletStanding {
  readonly name: string
  readonly agent: string
  readonly standing: 'healthy' | 'failed' | 'late' | 'busy' | 'waiting' | 'held' | 'unknown'
  readonly wanted_revision?: number
  readonly running_revision?: number
  readonly healthy_revision?: number
  readonly message: string
  /** Why it does not continue by itself; absent while it does. */
  readonly reason?: string
}

export interface RolloutView {
  readonly project: string
  readonly revision: number
  readonly change_set_open: boolean
  readonly in_turns: boolean
  readonly state: 'Progressing' | 'Paused' | 'Stopped' | 'Braked' | 'Complete' | 'Failed'
  readonly healthy: number
  readonly progressing: number
  readonly waiting: number
  readonly held: number
  /** Number of stagelets that are not observed now; absent when none. */
  readonly unknown?: number
  readonly failed: number
  readonly message: string
  readonly stagelets: readonly StageletStanding[]
}

export const rolloutPath = (rest: Rest, project: string): string =>
  `${projectPath(rest.namespace, project)}/rollout`

export const readRollout = async (
  rest: Rest,
  project: string,
  signal?: AbortSignal,
): Promise<RolloutView> => {
  const call = signal === undefined ? {} : { signal }
  return (await rest.call<RolloutView>(rolloutPath(rest, project), call)).body
}
