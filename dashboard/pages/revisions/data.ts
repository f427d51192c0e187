// The revisions of a project, their rollouts, and which stagelets run each of them.
import { useMemo } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import type {
  KeptRollout,
  Project,
  Revision,
  Rollout,
  SetDiff,
  Stagelet,
} from '../../../src/generated/rest-types.ts'
import { stagelets } from '../../live/collections.ts'
import { someOf, type Known } from '../../live/known.ts'
import { isOf } from '../../live/states.ts'
import { setQueryValue, useQuery } from '../../ui/use-query.ts'

export const projectId = ({ team, name }: Pick<Project, 'team' | 'name'>): string =>
  `${team}/${name}`

export const useRevisions = (project: string, newest: number | undefined) =>
  useQuery<readonly Revision[]>({
    key: ['revisions', project],
    // The stream tells of a new revision with the project: the list is read again then.
    refetchOn: newest ?? 0,
    read: async (signal) => {
      const path = { project_id: project }
      const page = await must(
        api.GET('/projects/{project_id}/revisions', {
          params: { path, query: { limit: 1000 } },
          signal,
        }),
      )
      return page.revisions
    },
  })

/** `newest` is the newest revision: by a later one a value may be masked that was plain. */
export const useDiff = (
  project: string,
  { from, to, newest }: { from: number; to: number | 'head'; newest: number | undefined },
) =>
  useQuery<SetDiff>({
    key: ['diff', project, from, to],
    refetchOn: newest ?? 0,
    exact: true,
    read: (signal) =>
      must(
        api.GET('/projects/{project_id}/revisions/diff', {
          params: {
            path: { project_id: project },
            query: { from: String(from), to: String(to), values: 'true' },
          },
          signal,
        }),
      ),
  })

/** Stagelets whose containers all run that revision, as measured. */
export const runningOf = (
  project: Pick<Project, 'team' | 'name'>,
  stagelets: readonly Stagelet[],
  revision: number,
): readonly Stagelet[] =>
  stagelets
    .filter((stagelet) => isOf(project, stagelet) && stagelet.running_revision === revision)
    .toSorted((a, b) => a.name.localeCompare(b.name))

/** Changes when the project or one of its stagelets did. */
const signOf = (project: Project): string =>
  JSON.stringify([
    project.revision,
    project.rollout,
    someOf(stagelets.list.value)
      .filter((stagelet) => isOf(project, stagelet))
      .map(({ id, wanted_revision: wanted, running_revision: running, paused, conditions }) => [
        ...[id, wanted, running, paused],
        conditions.map(({ type, status, reason, since }) => [type, status, reason, since]),
      ]),
  ])

export interface ReadRollout {
  readonly read: Known<Rollout>
  /** Shows an answer that came by another way. */
  readonly show: (rollout: Rollout) => void
}

/** Of the newest revision. The controller computes it from all stagelets: it is asked for again when one of them changes. */
export const useRollout = (project: Project | undefined): ReadRollout => {
  const id = project?.id ?? ''
  const key = ['rollout', id]
  const sign = useMemo(() => project && signOf(project), [project, stagelets.list.value])
  const read = useQuery({
    key,
    enabled: project !== undefined,
    refetchOn: sign,
    debounceMs: 250,
    read: (signal) => {
      const params = { path: { project_id: id } }
      return must(api.GET('/projects/{project_id}/rollout', { params, signal }))
    },
  })
  return { read, show: (answer) => setQueryValue(key, answer) }
}

interface WhichRollouts {
  readonly team?: string
  readonly project?: string
  readonly revision?: number
  readonly limit?: number
}

const isAsked = (query: WhichRollouts, team: string, project: string): boolean =>
  (query.team ?? team) === team && (query.project ?? project) === project

/** Those that are kept, the newest first; read anew when a rollout has begun or ended. */
export const useKeptRollouts = (query: WhichRollouts): Known<readonly KeptRollout[]> =>
  useQuery({
    key: ['rollouts', query],
    refetchOn: someOf(stagelets.list.value)
      .filter(({ team, project }) => isAsked(query, team, project))
      .map(({ id, last_rollout: rollout }) => [id, rollout?.started_at, rollout?.result]),
    read: async (signal) =>
      query.revision === 0
        ? []
        : (await must(api.GET('/rollouts', { params: { query }, signal }))).rollouts,
  })
