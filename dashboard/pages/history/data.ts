// The revisions of a project, and which stagelets run each of them.
import { api, must } from '../../api/client.ts'
import type { Project, Revision, SetDiff, Stagelet } from '../../../src/generated/rest-types.ts'
import { isOf } from '../../live/states.ts'
import { useQuery } from '../../ui/use-query.ts'

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

/** `3..5` of an address, the older one first. */
export const rangeOf = (text: string | undefined): readonly [number, number] | undefined => {
  const found = /^(\d{1,15})\.\.(\d{1,15})$/.exec(text ?? '')
  if (found === null) return undefined
  const [a, b] = [Number(found[1]), Number(found[2])]
  return a < b ? [a, b] : [b, a]
}
