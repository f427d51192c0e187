// Checks the name of a service. An unknown service would get the secrets that every service sees, and a
// mistyped name would not be noticed.
import { specOf, statusOf } from '../../src/resources/typed.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../objects/kinds.ts'
import { listObjects } from '../objects/objects.ts'

interface ServicePlace {
  readonly project: string
  readonly stagelet: string | undefined
}

/** CliError when neither an agent's report nor a secret's scope names the service. */
export const requireService = async (
  api: KubeApi,
  { project, stagelet }: ServicePlace,
  service: string,
): Promise<void> => {
  const services = new Set([
    ...(await reportedServices(api, { project, stagelet })),
    ...(await scopes(api, { project, stagelet })),
  ])
  // When no service is known, the name makes no difference.
  if (service === 'global' || services.size === 0 || services.has(service)) return
  const where = stagelet === undefined ? `project ${project}` : `stagelet ${stagelet}`
  throw new CliError(
    `nothing is known of a service ${service} in ${where}; there are: ${[...services].sort().join(', ')}. For what every service sees: --service global`,
  )
}

const reportedServices = async (
  api: KubeApi,
  { project, stagelet }: ServicePlace,
): Promise<string[]> => {
  const stagelets = await listObjects(api, servedKind('Stagelet'), { namespace: api.namespace })
  return stagelets
    .filter((object) => specOf('Stagelet', object).projectRef.name === project)
    .filter(({ metadata }) => stagelet === undefined || metadata.name === stagelet)
    .flatMap((object) => statusOf('Stagelet', object).services ?? [])
    .map(({ name }) => name)
}

const scopes = async (api: KubeApi, { project, stagelet }: ServicePlace): Promise<string[]> => {
  const secrets = await listObjects(api, servedKind('StagelySecret'), { namespace: api.namespace })
  return secrets
    .map((object) => specOf('StagelySecret', object))
    .filter(({ projectRef, stageletRef }) => {
      const isSeen = stagelet === undefined || (stageletRef?.name ?? stagelet) === stagelet
      return projectRef.name === project && isSeen
    })
    .map(({ scope }) => scope)
    .filter((scope) => scope !== 'global')
}
