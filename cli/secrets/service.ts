// Checks the name of a service. An unknown service would get the secrets that every service sees, and a
// mistyped name would not be noticed.
import { specOf, statusOf } from '../../src/kinds/typed.ts'
import { isForAll, isForStagelet, secretPlaceOf } from '../../src/secrets/place.ts'
import type { KubeApi } from '../connect/api.ts'
import { CliError } from '../errors.ts'
import { servedKind } from '../output/kinds.ts'
import { listObjects } from '../objects/objects.ts'

interface ServicePlace {
  readonly project: string
  readonly stagelet: string | undefined
}

/** CliError when neither an agent's report nor a secret's scope names the service. A scope may come before its stack. */
export const requireService = async (
  api: KubeApi,
  { project, stagelet }: ServicePlace,
  service: string,
): Promise<void> => {
  const reported = new Set(await reportedServices(api, { project, stagelet }))
  const named = new Set(await scopes(api, { project, stagelet }))
  // A scope beside them may be mistyped: it is offered to nobody.
  const known = [...(reported.size > 0 ? reported : named)].sort()
  // When no service is known, the name makes no difference.
  if (
    isForAll({ scope: service }) ||
    known.length === 0 ||
    reported.has(service) ||
    named.has(service)
  )
    return
  const where = stagelet === undefined ? `project ${project}` : `stagelet ${stagelet}`
  throw new CliError(
    `nothing is known of a service ${service} in ${where}; there are: ${known.join(', ')}. For what every service sees: --service global`,
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
    .filter((spec) => spec.projectRef.name === project && !isForAll(spec))
    .filter((spec) => stagelet === undefined || isForStagelet(secretPlaceOf(spec), stagelet))
    .map(({ scope }) => scope)
}
