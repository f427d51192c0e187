// Whether nothing runs with the old credential any more: what is known of every container that sees an output. Pure.
import { findCondition } from '../../src/resources/conditions.ts'
import { engineUnavailable } from '../../src/resources/observation.ts'
import type { BlockedBy, Evidence } from '../../src/resources/rotation.ts'
import type { ProjectInput, SecretObject, StageletObject } from '../reconcilers/project/gather.ts'
import { viewersOf, type Viewer } from './viewers.ts'

interface Failure {
  readonly stagelet: string
  readonly service: string
  /** With the last lines of its log, masked. */
  readonly message: string
}

export interface Proof {
  /** A stagelet failed with the new credential. */
  readonly failed: Failure | undefined
  /** Who has to do something before it can be proven. */
  readonly blockedBy: readonly BlockedBy[]
  /** Stagelets that are on their way. */
  readonly rolling: readonly string[]
  /** Where everything runs the outputs' values of now. */
  readonly evidence: readonly Evidence[]
}

export const nothingToProve: Proof = {
  ...{ failed: undefined, blockedBy: [], rolling: [], evidence: [] },
}

interface Names {
  readonly agent: string
  readonly stagelet: string
}
type Remedy = (names: Names) => readonly [reason: string, message: string]

const waitsForSecrets: Remedy = ({ stagelet }) => [
  'WaitingForSecrets',
  `it waits for values of other secrets: stagely describe stagelet ${stagelet} names them`,
]

/** What holds a stagelet, and what ends that. */
const remedies: Readonly<Record<string, Remedy>> = {
  AgentAway: ({ agent }) => [
    'AgentAway',
    `agent "${agent}" is away, and nobody sees what runs there: bring its machine back`,
  ],
  AgentDrained: ({ agent }) => [
    'Drained',
    `agent "${agent}" is drained: stagely agent undrain ${agent}`,
  ],
  AgentPaused: ({ agent }) => [
    'Paused',
    `agent "${agent}" is paused: set spec.paused of it to false`,
  ],
  Paused: ({ stagelet }) => ['Paused', `it is paused: stagely rollout resume stagelet/${stagelet}`],
  StoppedByHand: ({ stagelet }) => [
    'StoppedByHand',
    `its stack was stopped by hand: stagely deploy ${stagelet} starts it`,
  ],
  RolledBack: ({ stagelet }) => [
    'Quarantined',
    `it went back to an earlier revision: stagely describe stagelet ${stagelet} says why`,
  ],
  KeysMissing: waitsForSecrets,
  WaitingForSecrets: waitsForSecrets,
}

const holdOf = ({ metadata, spec, status }: StageletObject): BlockedBy | undefined => {
  const inSync = findCondition(status?.conditions, 'SecretsInSync')
  const drifted = findCondition(status?.conditions, 'Drifted')
  const isStopped = drifted?.status === 'True' && drifted.reason === 'StoppedByHand'
  const because = [
    ...(inSync?.status === 'Unknown' ? ['AgentAway'] : []),
    ...(spec.paused === true ? ['Paused'] : []),
    ...(isStopped ? ['StoppedByHand'] : []),
    ...(status?.held === undefined ? [] : [status.held.because]),
  ].find((one) => remedies[one] !== undefined)
  const remedy = remedies[because ?? '']
  if (remedy === undefined) return undefined
  const [reason, message] = remedy({ agent: spec.agentRef.name, stagelet: metadata.name })
  return { reason, message: inSync?.reason === engineUnavailable ? inSync.message : message }
}

const failureOf = ({ stagelet, services }: Viewer, revision: number): Failure | undefined => {
  const bad = (stagelet.status?.quarantine ?? []).find(
    (one) => one.revision >= revision && services.has(one.service),
  )
  if (bad === undefined) return undefined
  return { stagelet: stagelet.metadata.name, service: bad.service, message: bad.message }
}

const blockOf = ({ stagelet, late }: Viewer): BlockedBy | undefined => {
  const { status } = stagelet
  const hold = holdOf(stagelet)
  const isUnseen = hold?.reason === 'AgentAway'
  const silent = (status?.services ?? []).length === 0
  if (hold !== undefined && (isUnseen || late.size > 0 || silent)) return hold
  if (silent)
    return {
      reason: 'NoReport',
      message: `agent "${stagelet.spec.agentRef.name}" has not reported its services yet: stagely describe stagelet ${stagelet.metadata.name}`,
    }
  const [stray] = status?.strayServices ?? []
  if (stray !== undefined) {
    const message = `a container of service ${stray}, which the compose files do not name, has older secrets: remove it (docker compose up --remove-orphans)`
    return { reason: 'OldContainer', message }
  }
  const oneOff = (status?.services ?? []).find(({ oneOffs = 0 }) => oneOffs > 0)
  if (oneOff === undefined) return undefined
  const message = `a container of "compose run" has older secrets of ${oneOff.name}: wait for its end, or end it`
  return { reason: 'OldContainer', message }
}

const isProven = ({ stagelet, late, services }: Viewer, revision: number): boolean => {
  const { status } = stagelet
  if (late.size > 0) return false
  const wanted = new Map((status?.services ?? []).map((one) => [one.name, one.wantedDigest]))
  const isBad = (status?.quarantine ?? []).some(
    ({ service, digest }) => services.has(service) && wanted.get(service) === digest,
  )
  if (isBad) return false
  return services.size === 0 || (status?.healthyRevision ?? 0) >= revision
}

const containersOf = ({ stagelet, services }: Viewer): number =>
  (stagelet.status?.services ?? [])
    .filter(({ name }) => services.has(name))
    .reduce((sum, { containers = 0 }) => sum + containers, 0)

/** `revision` carries the outputs as they are now. */
export const proofOf = (
  input: ProjectInput,
  outputs: readonly SecretObject[],
  revision: number,
): Proof => {
  const viewers = viewersOf(input, outputs)
  const isOpen = input.revisions.closed < revision
  const blocks = viewers.map((seen) => blockOf(seen))
  const proven = viewers.filter((seen, i) => blocks[i] === undefined && isProven(seen, revision))
  const rolling = viewers.filter((seen, i) => blocks[i] === undefined && !proven.includes(seen))
  return {
    failed: viewers.map((seen) => failureOf(seen, revision)).find((one) => one !== undefined),
    blockedBy: viewers.flatMap(({ stagelet }, i) => {
      const block = blocks[i]
      return block === undefined ? [] : [{ stagelet: stagelet.metadata.name, ...block }]
    }),
    rolling: isOpen
      ? ['the revision is still open']
      : rolling.map((one) => one.stagelet.metadata.name),
    evidence: proven.map((seen) => ({
      ...{ stagelet: seen.stagelet.metadata.name, containers: containersOf(seen) },
      revision: seen.stagelet.status?.healthyRevision ?? revision,
    })),
  }
}
