// A project's rollout in the REST API.
import type { Rollout } from '../../src/rest/types.ts'
import { projectPath, type Rest } from '../connect/rest.ts'

export const rolloutPath = (rest: Rest, project: string): string =>
  `${projectPath(rest.namespace, project)}/rollout`

export const readRollout = async (
  rest: Rest,
  project: string,
  signal?: AbortSignal,
): Promise<Rollout> => {
  const call = signal === undefined ? {} : { signal }
  return (await rest.call<Rollout>(rolloutPath(rest, project), call)).body
}
