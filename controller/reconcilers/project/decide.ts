// From a project's secrets and stagelets to the status of each secret and of the project: pure.
import { withCondition, type NewCondition } from '../../../src/resources/conditions.ts'
import type { ProjectStatus } from '../../../src/resources/project.ts'
import type { ServiceStatus } from '../../../src/resources/stagelet.ts'
import type { SecretStatus } from '../../../src/resources/stagelysecret.ts'
import {
  noConsumers,
  noStagelet,
  projectMissing,
  type Verdict,
} from '../../../src/resources/unseen-secret.ts'
import { createFollowedDigest, createReached } from '../../../src/secrets/references.ts'
import { winnersFor, type SetEntry } from '../../../src/secrets/set-entry.ts'
import { acceptedVerdict } from '../../../src/store/secret-status.ts'
import type { ProjectInput, SecretObject, StageletObject } from './gather.ts'
import { nearName } from './near-name.ts'

/** One service of one stagelet that sees a secret. */
export interface Consumer {
  readonly stagelet: StageletObject
  readonly service: ServiceStatus
}

const shownServices = 20

export const decideProject = (input: ProjectInput): ProjectStatus => {
  const { project, revisions, head, now } = input
  const open = revisions.closesAt !== undefined
  const condition: NewCondition = {
    type: 'Ready',
    status: 'True',
    reason: open ? 'ChangeSetOpen' : 'Closed',
    message: open
      ? `revision ${revisions.closed + 1} is open for more writes`
      : `revision ${revisions.closed} is closed`,
    observedGeneration: project.metadata.generation,
  }
  return {
    ...project.status, // the rollout's own part
    observedGeneration: project.metadata.generation,
    revision: revisions.closed,
    secrets: head.entries.length,
    conditions: withCondition(project.status?.conditions ?? [], condition, now),
  }
}

/** What tells the new status of each secret of the project. */
export const createSecretJudge = (
  input: ProjectInput,
): ((secret: SecretObject) => SecretStatus) => {
  const consumers = consumersBySecret(input)
  return (secret) => decideSecret(input, secret, consumers.get(secret.metadata.uid ?? '') ?? [])
}

/** Who sees each secret, by its uid: also who sees it only in another one that refers to it. */
export const consumersBySecret = ({ stagelets, head }: ProjectInput): Map<string, Consumer[]> => {
  const consumers = new Map<string, Consumer[]>()
  for (const stagelet of stagelets) {
    const reach = createReached(head.entries, stagelet.metadata.name)
    for (const service of stagelet.status?.services ?? []) {
      const seen = winnersFor(service.name, stagelet.metadata.name, head.entries)
      for (const entry of new Set([...seen.values()].flatMap(reach))) {
        const list = consumers.get(entry.secretId) ?? []
        list.push({ stagelet, service })
        consumers.set(entry.secretId, list)
      }
    }
  }
  return consumers
}

const decideSecret = (
  input: ProjectInput,
  secret: SecretObject,
  consumers: readonly Consumer[],
): SecretStatus => {
  const generation = secret.metadata.generation
  const services = consumers.map((c) => `${c.stagelet.metadata.name}/${c.service.name}`).sort()
  let conditions = secret.status?.conditions ?? []
  const verdicts = {
    Accepted: acceptedVerdict(secret, { version: secret.status?.version, isDeclared: true }),
    ScopeMatched: scopeMatched(input, secret),
    InSync: inSync(input, secret, consumers),
  }
  for (const [type, verdict] of Object.entries(verdicts)) {
    conditions = withCondition(
      conditions,
      { type, ...verdict, observedGeneration: generation },
      input.now,
    )
  }
  return {
    ...secret.status,
    observedGeneration: generation,
    serviceCount: services.length,
    services: services.slice(0, shownServices),
    conditions,
  }
}

/** Of a secret whose project is not there (any more). */
export const decideOrphan = (secret: SecretObject, now: string): SecretStatus => {
  const { status, metadata } = secret
  let conditions = status?.conditions ?? []
  for (const type of ['Accepted', 'InSync']) {
    const verdict = projectMissing(secret)
    const condition = { type, ...verdict, observedGeneration: metadata.generation }
    conditions = withCondition(conditions, condition, now)
  }
  return { ...status, observedGeneration: metadata.generation, conditions }
}

const targetsOf = ({ stagelets }: ProjectInput, secret: SecretObject): StageletObject[] => {
  const only = secret.spec.stageletRef?.name
  return stagelets.filter((s) => only === undefined || s.metadata.name === only)
}

const scopeMatched = (input: ProjectInput, secret: SecretObject): Verdict => {
  const { scope } = secret.spec
  const targets = targetsOf(input, secret)
  if (targets.length === 0) return noStagelet(secret.spec)
  if (scope === 'global')
    return { status: 'True', reason: 'Global', message: 'every service sees it' }
  const known = targets.filter((s) => (s.status?.services ?? []).length > 0)
  if (known.length === 0) {
    return {
      status: 'Unknown',
      reason: 'NoReport',
      message: 'no agent has reported its services yet',
    }
  }
  const names = [
    ...new Set(known.flatMap((s) => (s.status?.services ?? []).map((x) => x.name))),
  ].sort()
  if (names.includes(scope))
    return { status: 'True', reason: 'ServiceFound', message: `service "${scope}" exists` }
  const near = nearName(scope, names)
  const hint =
    near === undefined
      ? `services: ${names.slice(0, shownServices).join(', ')}; a service behind a profile counts while spec.compose.profiles names that profile`
      : `did you mean "${near}"?`
  const where = known
    .map((s) => s.metadata.name)
    .slice(0, 5)
    .join(', ')
  return {
    status: 'False',
    reason: 'NoSuchService',
    message: `no service named "${scope}" is on in ${where}; ${hint}`,
  }
}

const namesOf = (consumers: readonly Consumer[]): string =>
  consumers
    .slice(0, 5)
    .map((c) => `${c.stagelet.metadata.name}/${c.service.name}`)
    .join(', ')

/** Moves only with the secret's own versions: another secret's rollout does not make this one False. */
const inSync = (
  input: ProjectInput,
  secret: SecretObject,
  consumers: readonly Consumer[],
): Verdict => {
  const version = secret.status?.version
  if (version === undefined) {
    return {
      status: 'False',
      reason: 'ValueMissing',
      message: 'no value was ever given: set spec.value',
    }
  }
  const unmounted = targetsOf(input, secret).filter(
    (s) => secret.spec.type === 'file' && s.status?.unmountedFiles?.includes(secret.spec.key),
  )
  if (unmounted.length > 0) {
    const names = unmounted.slice(0, 5).map((s) => s.metadata.name)
    const message = `no service of ${names.join(', ')} uses file.path, and no file.target is given`
    return { status: 'False', reason: 'FileNotMounted', message }
  }
  const silent = targetsOf(input, secret).filter((s) => (s.status?.services ?? []).length === 0)
  const seen = consumers.filter((c) => c.service.state !== 'unknown')
  const unseen = consumers.filter((c) => c.service.state === 'unknown')
  const late = seen.filter((c) => !runsCurrent(input, secret, c))
  const counts = `in sync ${seen.length - late.length}, unknown ${unseen.length}`
  if (late.length > 0) {
    const unseenText = unseen.length === 0 ? '' : `; ${counts}`
    return {
      status: 'False',
      reason: 'NewVersion',
      message: `version ${version} does not run yet in ${namesOf(late)}${unseenText}`,
    }
  }
  if (unseen.length > 0) {
    return {
      status: 'Unknown',
      reason: 'AgentAway',
      message: `nobody sees whether version ${version} runs in ${namesOf(unseen)}; ${counts}`,
    }
  }
  if (silent.length > 0) {
    const names = silent
      .slice(0, 5)
      .map((s) => s.metadata.name)
      .join(', ')
    return { status: 'Unknown', reason: 'NoReport', message: `no report of ${names} yet` }
  }
  if (consumers.length === 0) return noConsumers
  return {
    status: 'True',
    reason: 'InSync',
    message: `version ${version} runs in ${consumers.length} ${consumers.length === 1 ? 'service' : 'services'}`,
  }
}

/** Whether a consumer runs the secret as it is now: its version, and what fills a template. */
export const runsCurrent = (
  { runningSets, head }: ProjectInput,
  secret: SecretObject,
  { service, stagelet }: Consumer,
): boolean => {
  const set = service.revision === undefined ? undefined : runningSets.get(service.revision)
  const find = (entries: readonly SetEntry[]): SetEntry | undefined =>
    entries.find((e) => e.secretId === secret.metadata.uid)
  const runs = find(set?.entries ?? [])
  if (set === undefined || runs === undefined) return false
  if (runs.version !== secret.status?.version) return false
  const wanted = find(head.entries)
  if (runs.references === undefined || wanted === undefined) return true
  // The same text, and what it refers to as well.
  const { name } = stagelet.metadata
  const digestIn = (entries: readonly SetEntry[], entry: SetEntry): string =>
    createFollowedDigest(entries, name)(entry).valueDigest
  return digestIn(set.entries, runs) === digestIn(head.entries, wanted)
}
