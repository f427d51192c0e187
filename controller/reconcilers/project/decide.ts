// Decides the status of a project and of each of its secrets: pure.
import { findCondition, withConditions } from '../../../src/resources/conditions.ts'
import type { ProjectStatus } from '../../../src/kinds/project/schema.ts'
import { withDates } from '../../../src/kinds/secret/expiry-status.ts'
import type { ServiceStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { isStopped } from '../../../src/kinds/stagelet/stopped-service.ts'
import { forController, missingValue, noConsumers, noStagelet, projectMissing, valueToCome } from '../../../src/kinds/secret/verdicts.ts'
import type { Verdict } from '../../../src/resources/conditions.ts'
import { createResolvedDigest } from '../../../src/secrets/resolved-digest.ts'
import { environmentSet, type LaidOut } from '../../../src/secrets/environment-set.ts'
import { emptyLayout, environmentOf } from '../../../src/secrets/layout.ts'
import { createScopeNames, isForAll, namedPlaceOf, reaches } from '../../../src/secrets/place.ts'
import type { SetEntry } from '../../../src/secrets/set-entry.ts'
import { acceptedVerdict } from '../../../src/store/secrets/secret-status.ts'
import type { ProjectFacts, SecretObject, StageletObject } from './gather.ts'
import { nearName } from '../../../src/search/near-name.ts'
import { reachedBy } from '../../../src/secrets/reached.ts'
import { entryIn, seesIn } from './sees.ts'
import { no, unknown, yes } from '../verdict.ts'

/** One service of one stagelet that sees a secret. */
export interface SecretConsumer {
  readonly stagelet: StageletObject
  readonly service: ServiceStatus
}

const shownServices = 20

export const decideProject = (input: ProjectFacts): ProjectStatus => {
  const { project, revisions, head, now } = input
  const { generation } = project.metadata
  const { closed, closesAt } = revisions
  const verdict =
    closesAt === undefined
      ? yes('Closed', `revision ${closed} is closed`)
      : yes('ChangeSetOpen', `revision ${closed + 1} is open for more writes`)
  return {
    ...project.status, // the rollout reconciler writes its own fields
    observedGeneration: generation,
    revision: closed,
    secrets: head.entries.length,
    conditions: withConditions(project.status?.conditions, { Ready: verdict }, { generation, now }),
  }
}

/** The services that see each secret, by the uid of the secret; also those that see only another secret that refers to it. */
export const consumersBySecret = ({
  stagelets,
  head,
}: ProjectFacts): Map<string, SecretConsumer[]> => {
  const consumers = new Map<string, SecretConsumer[]>()
  const secretsSeen = createSeen(head)
  for (const stagelet of stagelets)
    for (const service of stagelet.status?.services ?? [])
      for (const secretId of secretsSeen(stagelet.metadata.name, service.name)) {
        const list = consumers.get(secretId) ?? []
        list.push({ stagelet, service })
        consumers.set(secretId, list)
      }
  return consumers
}

/** The secrets that a service sees, by their uids. Stagelets without secrets of their own all see the same. */
const createSeen = (
  head: LaidOut,
): ((stagelet: string, service: string) => ReadonlySet<string>) => {
  const owners = new Set(head.entries.map(({ stagelet }) => stagelet))
  const nameOf = createScopeNames(head.entries)
  const servicesByKey = new Map<string, ReadonlySet<string>>()
  return (stagelet, name) => {
    const service = nameOf(name)
    const environment = environmentOf(head.layout ?? emptyLayout, stagelet) ?? ''
    const key = `${environment}/${owners.has(stagelet) ? stagelet : ''}/${service}`
    let services = servicesByKey.get(key)
    if (services === undefined) {
      const entries = environmentSet(head, stagelet)
      const reached = reachedBy(entries, { stagelet, service })
      servicesByKey.set(key, (services = new Set(reached.map(({ secretId }) => secretId))))
    }
    return services
  }
}

interface Decided {
  readonly status: SecretStatus
  /** The next moment (ms) at which time alone makes it another one. */
  readonly nextAt: number | undefined
}

export const decideSecret = (
  input: ProjectFacts,
  secret: SecretObject,
  consumers: readonly SecretConsumer[],
): Decided => {
  const generation = secret.metadata.generation
  const services = consumers.map(consumerName).sort()
  const verdicts = {
    Accepted: acceptedVerdict(secret, { version: secret.status?.version, isDeclared: true }),
    ScopeMatched: scopeMatched(input, secret),
    InSync: inSync(input, secret, consumers),
  }
  const status = {
    ...secret.status,
    observedGeneration: generation,
    serviceCount: services.length,
    services: services.slice(0, shownServices),
    conditions: withConditions(secret.status?.conditions, verdicts, { generation, now: input.now }),
  }
  const policy = input.project.spec?.secretPolicy
  return withDates(secret.spec, status, { nowMs: Date.parse(input.now), announces: true, policy })
}

/** The status of a secret whose project does not exist. */
export const decideOrphan = (secret: SecretObject, now: string): SecretStatus => {
  const { status } = secret
  const { generation } = secret.metadata
  const missing = projectMissing(secret)
  const verdicts = { Accepted: missing, InSync: missing }
  const conditions = withConditions(status?.conditions, verdicts, { generation, now })
  return { ...status, observedGeneration: generation, conditions }
}

const targetsOf = ({ stagelets, head }: ProjectFacts, { spec }: SecretObject): StageletObject[] => {
  const place = namedPlaceOf(spec)
  return stagelets.filter(({ metadata }) =>
    reaches(place, metadata.name, head.layout ?? emptyLayout),
  )
}

const serviceNames = new WeakMap<ProjectFacts, Map<string, ReadonlySet<string>>>()

/** Names of the services of these stagelets, sorted; once for all secrets that may be for them. */
const namesIn = (
  input: ProjectFacts,
  { stageletRef, environments }: SecretObject['spec'],
  stagelets: readonly StageletObject[],
): ReadonlySet<string> => {
  const ofInput = serviceNames.get(input) ?? new Map<string, ReadonlySet<string>>()
  const targets = JSON.stringify([stageletRef?.name ?? null, environments ?? null])
  serviceNames.set(input, ofInput)
  const before = ofInput.get(targets)
  if (before !== undefined) return before
  const all = stagelets.flatMap((s) => (s.status?.services ?? []).map((x) => x.name))
  const names = new Set(all.sort())
  ofInput.set(targets, names)
  return names
}

const scopeMatched = (input: ProjectFacts, secret: SecretObject): Verdict => {
  if (secret.spec.audience === 'Controller') return forController
  const { scope } = secret.spec
  const targets = targetsOf(input, secret)
  if (targets.length === 0) return noStagelet(secret.spec)
  if (isForAll(secret.spec)) return yes('Global', 'every service sees it')
  const reported = targets.filter((s) => (s.status?.services ?? []).length > 0)
  if (reported.length === 0) return unknown('NoReport', 'no agent has reported its services yet')
  const names = namesIn(input, secret.spec, reported)
  if (names.has(scope)) return yes('ServiceFound', `service "${scope}" exists`)
  const near = nearName(scope, names)
  const hint =
    near === undefined
      ? `services: ${[...names].slice(0, shownServices).join(', ')}; a service behind a profile counts while spec.compose.profiles names that profile`
      : `did you mean "${near}"?`
  return no('NoSuchService', `no service named "${scope}" is on in ${namesOf(reported)}; ${hint}`)
}

const mostNamed = 5

const namesOf = (stagelets: readonly StageletObject[]): string =>
  stagelets
    .slice(0, mostNamed)
    .map((s) => s.metadata.name)
    .join(', ')

const consumerName = ({ stagelet, service }: SecretConsumer): string =>
  `${stagelet.metadata.name}/${service.name}`

const consumersNamed = (consumers: readonly SecretConsumer[]): string =>
  consumers.slice(0, mostNamed).map(consumerName).join(', ')

/** What all of their stagelets say; where they differ, that an agent is away. */
const whyUnseen = (consumers: readonly SecretConsumer[]): string => {
  const reasons = new Set(
    consumers.map(({ stagelet: { status } }) => {
      const inSync = findCondition(status?.conditions, 'SecretsInSync')
      return inSync === undefined || inSync.status === 'True' ? 'AgentAway' : inSync.reason
    }),
  )
  return reasons.size === 1 ? [...reasons].join('') : 'AgentAway'
}

const whyMissing = ({ spec, status }: SecretObject): Verdict =>
  status?.awaits === undefined ? missingValue(spec) : valueToCome(status.awaits, false)

/** InSync of one secret: the rollout of another secret does not make it False. */
const inSync = (
  input: ProjectFacts,
  secret: SecretObject,
  consumers: readonly SecretConsumer[],
): Verdict => {
  const version = secret.status?.version
  if (version === undefined) return whyMissing(secret)
  if (secret.spec.audience === 'Controller') return forController
  const unmounted = targetsOf(input, secret).filter(
    (s) => secret.spec.type === 'file' && s.status?.unmountedFiles?.includes(secret.spec.key),
  )
  if (unmounted.length > 0) {
    const message = `no service of ${namesOf(unmounted)} uses file.path, and no file.target is given`
    return no('FileNotMounted', message)
  }
  const silent = targetsOf(input, secret).filter((s) => (s.status?.services ?? []).length === 0)
  const visible = consumers.filter((c) => c.service.state !== 'unknown')
  const unseen = consumers.filter((c) => c.service.state === 'unknown')
  const late = visible.filter((c) => !runsCurrent(input, secret, c))
  const counts = `in sync ${visible.length - late.length}, unknown ${unseen.length}`
  if (late.length > 0) {
    const unseenText = unseen.length === 0 ? '' : `; ${counts}`
    const where = consumersNamed(late)
    return no('NewVersion', `version ${version} does not run yet in ${where}${unseenText}`)
  }
  if (unseen.length > 0) {
    const where = consumersNamed(unseen)
    return unknown(
      whyUnseen(unseen),
      `nobody sees whether version ${version} runs in ${where}; ${counts}`,
    )
  }
  if (silent.length > 0) return unknown('NoReport', `no report of ${namesOf(silent)} yet`)
  if (consumers.length === 0) return noConsumers
  const stopped = consumers.filter(({ service }) => isStopped(service))
  const running = consumers.length - stopped.length
  const count = `${running} ${running === 1 ? 'service' : 'services'}`
  const others = stopped.length === 0 ? '' : `; it is in stopped ${consumersNamed(stopped)}`
  return yes('InSync', `version ${version} runs in ${count}${others}`)
}

/**
 * True when the service runs the newest version of the secret and, for a template, the newest values in it. That the
 * version was stored then is not enough: while another secret of the key won, the service saw that one.
 */
export const runsCurrent = (
  { runningSets, head }: ProjectFacts,
  secret: SecretObject,
  { service, stagelet }: SecretConsumer,
): boolean => {
  const set = service.revision === undefined ? undefined : runningSets.get(service.revision)
  if (set === undefined) return false
  const { name } = stagelet.metadata
  const named = { key: secret.spec.key, secretId: secret.metadata.uid ?? '' }
  const [before, now] = [environmentSet(set, name), environmentSet(head, name)]
  const runs = entryIn(before, named)
  if (runs === undefined || runs.version !== secret.status?.version) return false
  if (!seesIn(before, { stagelet: name, service: service.name }, runs)) return false
  const wanted = entryIn(now, named)
  if (runs.references === undefined || wanted === undefined) return true
  // The text of the template is the same; the values in it must be so too.
  const digestIn = (entries: readonly SetEntry[], entry: SetEntry): string =>
    createResolvedDigest(entries, name)(entry).valueDigest
  return digestIn(before, runs) === digestIn(now, wanted)
}
