// Which services see an output of a rotation, or run with what they saw of one before: pure.
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { emptyLayout } from '../../../src/secrets/layout.ts'
import { namedPlaceOf, reaches } from '../../../src/secrets/place.ts'
import { reachedBy } from '../../../src/secrets/reached.ts'
import { viewsOf } from '../../../src/secrets/set-views.ts'
import type { ServiceStatus } from '../../../src/kinds/stagelet/schema.ts'
import { consumersBySecret, runsCurrent } from '../../reconcilers/project/decide.ts'
import type {
  ProjectInput,
  SecretObject,
  StageletObject,
} from '../../reconcilers/project/gather.ts'

/** A stagelet that gets an output, or runs one. */
export interface OutputViewer {
  readonly stagelet: StageletObject
  /** By name, the services that see one. */
  readonly services: ReadonlyMap<string, ServiceStatus>
  /** Those among them that are not known to run the values of now. */
  readonly late: ReadonlySet<string>
}

/** The outputs, and the secrets that take their value from one (`valueFrom.secretRef`). */
export const withFollowers = (
  secrets: readonly SecretObject[],
  outputs: readonly SecretObject[],
): SecretObject[] => {
  const names = new Set(outputs.map(({ metadata }) => metadata.name))
  const followers = secrets.filter(({ spec }) => names.has(spec.valueFrom?.secretRef?.name ?? ''))
  return [...outputs, ...followers]
}

/** By service that sees one of `secrets` in the newest set: whether it runs their values of now. */
const lookAhead = (
  input: ProjectInput,
  secrets: readonly SecretObject[],
): Map<StageletObject, Map<string, boolean>> => {
  const consumers = consumersBySecret(input)
  const found = new Map<StageletObject, Map<string, boolean>>()
  for (const secret of secrets)
    for (const consumer of consumers.get(secret.metadata.uid ?? '') ?? []) {
      const { stagelet, service } = consumer
      const services = found.get(stagelet) ?? new Map<string, boolean>()
      found.set(stagelet, services)
      const isCurrent = runsCurrent(input, secret, consumer)
      services.set(service.name, isCurrent && services.get(service.name) !== false)
    }
  return found
}

/**
 * What a service runs may be an earlier set: there it saw an output that the newest set does not give to it. Where the
 * set is not known, neither is what its containers have.
 */
const runsEarlier = (
  { runningSets, head }: ProjectInput,
  current: ReadonlyMap<string, number | undefined>,
  { stagelet, service }: { readonly stagelet: StageletObject; readonly service: ServiceStatus },
): boolean => {
  const { revision, containers = 0, runningDigest } = service.lastSeen ?? service
  const set = revision === undefined ? undefined : runningSets.get(revision)
  const place = { stagelet: stagelet.metadata.name, service: service.name }
  // A container that is not healthy yet has no revision; its label may say that it has the newest set.
  const newest = viewsOf(environmentSet(head, place.stagelet)).viewOf(
    place.stagelet,
    place.service,
  ).digest
  const isNewest = runningDigest !== undefined && runningDigest === newest
  if (set === undefined) return containers > 0 && !isNewest
  return reachedBy(environmentSet(set, place.stagelet), place).some(
    ({ secretId, version }) => current.has(secretId) && current.get(secretId) !== version,
  )
}

export const outputViewersOf = (
  input: ProjectInput,
  outputs: readonly SecretObject[],
): OutputViewer[] => {
  const secrets = withFollowers(input.secrets, outputs)
  const current = new Map(
    secrets.map((secret) => [secret.metadata.uid ?? '', secret.status?.version]),
  )
  const ahead = lookAhead(input, secrets)
  return input.stagelets.flatMap((stagelet): OutputViewer[] => {
    const services = new Map<string, ServiceStatus>()
    const late = new Set<string>()
    for (const service of stagelet.status?.services ?? []) {
      const isCurrent = ahead.get(stagelet)?.get(service.name)
      const isEarlier = runsEarlier(input, current, { stagelet, service })
      if (isCurrent !== undefined || isEarlier) services.set(service.name, service)
      if (isCurrent === false || isEarlier) late.add(service.name)
    }
    const { layout = emptyLayout } = input.head
    const isNamed = secrets.some(({ spec }) =>
      reaches(namedPlaceOf(spec), stagelet.metadata.name, layout),
    )
    return isNamed || services.size > 0 ? [{ stagelet, services, late }] : []
  })
}
