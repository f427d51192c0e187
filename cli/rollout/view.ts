// A project's rollout in the REST API.
import type { Rollout } from '../../src/rest/types.ts'
import { projectPath, type RestClient } from '../connect/rest.ts'

export const rolloutPath = (rest: RestClient, project: string): string =>
  `${projectPath(rest.namespace, project)}/rollout`

export const readRollout = async (
  rest: RestClient,
  project: string,
  signal?: AbortSignal,
): Promise<Rollout> => {
  const call = signal === undefined ? {} : { signal }
  return (await rest.call<Rollout>(rolloutPath(rest, project), call)).body
}
