// The rollouts of projects: computed by the controller from all stagelets, so they are asked for again whenever the
// stream tells of a change of the project or of one of its stagelets.
import { api, must } from '../../api/client.ts'
import type { Project, Rollout, Stagelet } from '../../../src/generated/rest-types.ts'
import { stagelets } from '../../live/collections.ts'
import { someOf, type Known } from '../../live/known.ts'
import { isOf } from '../../live/states.ts'
import { setQueryValue, useQuery } from '../../ui/use-query.ts'

const readRollout = (project: Project, signal: AbortSignal): Promise<Rollout> =>
  must(
    api.GET('/projects/{project_id}/rollout', {
      params: { path: { project_id: project.id } },
      signal,
    }),
  )

/** Changes when the project or one of its stagelets did. */
const signOf = (project: Project, all: readonly Stagelet[]): string =>
  JSON.stringify([
    project.revision,
    project.rollout,
    all
      .filter((stagelet) => isOf(project, stagelet))
      .map(({ id, wanted_revision: wanted, running_revision: running, paused, conditions }) => [
        ...[id, wanted, running, paused],
        conditions.map(({ type, status, reason, since }) => [type, status, reason, since]),
      ]),
  ])

export interface Read {
  readonly rollout: Known<Rollout>
  /** Shows an answer that came by another way. */
  readonly show: (rollout: Rollout) => void
}

export const useRollout = (project: Project): Read => {
  const key = ['rollout', project.id]
  const rollout = useQuery({
    key,
    refetchOn: signOf(project, someOf(stagelets.list.value)),
    debounceMs: 250,
    read: (signal) => readRollout(project, signal),
  })
  return { rollout, show: (answer) => setQueryValue(key, answer) }
}
