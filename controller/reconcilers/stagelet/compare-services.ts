// Compares the digest that each service runs with the one that it should run. Revisions only explain.
import { defined } from '../../../src/kernel/defined.ts'
import { limits } from '../../../src/resources/limits.ts'
import type { ObservationSpec, ObservedService } from '../../../src/kinds/observation/schema.ts'
import type { ServiceStatus } from '../../../src/kinds/stagelet/schema.ts'
import { viewsOf } from '../../../src/secrets/set-views.ts'
import type { SeenSet, StageletInput } from './facts.ts'

export interface ComparedService {
  readonly status: ServiceStatus
  readonly inSync: boolean
  /** It shares a namespace or volumes with a container that does not exist any more. */
  readonly cutOff: boolean
}

/** One entry for each service that the agent reports, sorted by name. */
export const compareServices = (input: StageletInput): ComparedService[] => {
  const { observation, head, stagelet } = input
  if (observation === undefined || head === undefined) return []
  const before = new Map(
    (stagelet.status?.services ?? []).map((service) => [service.name, service]),
  )
  let keysLeft: number = limits.keysInStatus
  return [...observation.services]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((service) => {
      const compared = compareService({ input, observation, head, before }, service, keysLeft)
      keysLeft -= compared.status.keys?.length ?? 0
      return compared
    })
}

interface Compared {
  readonly input: StageletInput
  readonly observation: ObservationSpec
  readonly head: SeenSet
  /** The services of the status, by name. */
  readonly before: ReadonlyMap<string, ServiceStatus>
}

const compareService = (
  compared: Compared,
  service: ObservedService,
  mostKeys: number,
): ComparedService => {
  const { input, observation, head } = compared
  const stagelet = input.stagelet.metadata.name
  const { visible, digest: wanted } = viewsOf(head.entries).viewOf(stagelet, service.name)
  const running = service.digests.length === 1 ? service.digests[0] : undefined
  const passed = observation.passed[service.name]
  const { cutOff = false } = service
  const inSync = isInSync(service, wanted, passed) && !cutOff
  const revision = revisionOf(compared, service, running, passed)
  return {
    inSync,
    cutOff,
    status: {
      name: service.name,
      ...defined({ wantedDigest: wanted, runningDigest: running || undefined, revision }),
      state: service.state,
      ...defined({ health: service.health }),
      restarts: service.restarts,
      containers: service.containers,
      ...defined({ oneOffs: oldOneOffs(input, service) }),
      ...defined({ exitCode: service.exitCode, since: service.since }),
      ...defined({ healthySince: service.healthySince, ports: service.ports }),
      keys: visible.slice(0, mostKeys).map((e) => e.key),
      ...defined({ sharesWith: service.sharesWith, composeKeys: service.composeKeys }),
    },
  }
}

/**
 * Whether a container has other secrets than its service should. One without the label got none from Stagely: where the
 * service has secrets of its own, it runs with what the files say.
 */
const isOther = (
  { stagelet, head }: Pick<StageletInput, 'stagelet' | 'head'>,
  service: string,
): ((digest: string) => boolean) => {
  if (head === undefined) return (digest) => digest !== ''
  const { visible, digest: wanted } = viewsOf(head.entries).viewOf(stagelet.metadata.name, service)
  const hasOwn = visible.some(({ scope }) => scope === service)
  return (digest) => (digest === '' ? hasOwn : digest !== wanted)
}

const oldOneOffs = (
  input: StageletInput,
  { name, oneOff = [] }: ObservedService,
): number | undefined => {
  const old = oneOff.filter(isOther(input, name))
  return old.length === 0 ? undefined : old.length
}

/** Services outside of the compose files whose containers run with other secrets than they would get. */
export const strayServices = (input: StageletInput): string[] =>
  (input.observation?.strays ?? [])
    .filter(({ name, digests }) => digests.some(isOther(input, name)))
    .map(({ name }) => name)

const mostEnded = 20

/** Ended containers that would run with other secrets than their service should, if somebody started them again. */
export const endedContainers = (input: StageletInput): string[] =>
  (input.observation?.ended ?? [])
    .filter(({ service, digest }) => digest !== '' && isOther(input, service)(digest))
    .map(({ container }) => container)
    .slice(0, mostEnded)

/** True when every container has exactly the wanted label and the gate passed with it. */
const isInSync = (
  service: ObservedService,
  wanted: string | undefined,
  passed: string | undefined,
): boolean => {
  if (service.state === 'scaledToZero') return true
  if (wanted === undefined) return service.digests.every((digest) => digest === '')
  return service.digests.length === 1 && service.digests[0] === wanted && passed === wanted
}

/** Newest closed revision that gives the service the digest that it runs. */
const revisionOf = (
  { input, before: byName }: Compared,
  service: ObservedService,
  running: string | undefined,
  passed: string | undefined,
): number | undefined => {
  const stagelet = input.stagelet.metadata.name
  const matches = (set: SeenSet): boolean => {
    const { digest } = viewsOf(set.entries).viewOf(stagelet, service.name)
    return digest === undefined ? running === '' : digest === running && passed === digest
  }
  const set = input.closedSets.find(matches)
  if (set !== undefined) return set.revision
  const reported = byName.get(service.name)
  const before = reported?.lastSeen ?? reported
  return before?.runningDigest !== undefined && before.runningDigest === running
    ? before.revision
    : undefined
}

/** A stack runs revision N when each of its services runs at least N. */
export const lowestRevision = (compared: readonly ComparedService[]): number | undefined => {
  const revisions = compared
    .filter((j) => j.status.state !== 'scaledToZero')
    .map((j) => j.status.revision)
  if (revisions.length === 0 || revisions.some((r) => r === undefined)) return undefined
  return Math.min(...(revisions as number[]))
}
