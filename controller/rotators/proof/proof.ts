// Whether nothing runs with the old credential any more: what is known of every container that sees an output. Pure.
import { createHash } from 'node:crypto'
import { defined } from '../../../src/kernel/defined.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import { engineUnavailable } from '../../../src/kinds/observation/schema.ts'
import type { BlockedBy, Evidence } from '../../../src/kinds/rotation/schema.ts'
import type { ServiceStatus } from '../../../src/kinds/stagelet/schema.ts'
import type {
  ProjectInput,
  SecretObject,
  StageletObject,
} from '../../reconcilers/project/gather.ts'
import { outputViewersOf, type OutputViewer } from './viewers.ts'

interface Failure {
  readonly stagelet: string
  readonly service: string
  /** With the last lines of its log, masked. */
  readonly message: string
}

/** A service that runs the outputs' values of now, on a stagelet that has rolled them out. */
export interface Bearer {
  readonly stagelet: string
  readonly service: string
  readonly containers: number
  readonly restarts: number
  /** What is wrong with it, in words. */
  readonly ill: string | undefined
}

export const keyOfBearer = ({ stagelet, service }: Pick<Bearer, 'stagelet' | 'service'>): string =>
  `${stagelet}/${service}`

export interface Proof {
  /** A stagelet failed with the new credential. */
  readonly failed: Failure | undefined
  /** Who has to do something before it can be proven. */
  readonly blockedBy: readonly BlockedBy[]
  /** Stagelets that are on their way. */
  readonly rolling: readonly string[]
  /** Those among them where a service is not known to run the outputs' values of now. */
  readonly late: readonly string[]
  /** Where everything runs the outputs' values of now. */
  readonly evidence: readonly Evidence[]
  /** Stacks of machines that were meant to go, and count as not running: each in words. */
  readonly ended: readonly string[]
  readonly bearers: readonly Bearer[]
  /** By stagelet, a digest over the starts of all containers that see an output: another one after each start. */
  readonly starts: Readonly<Record<string, string>>
  /** Digest over all of them. */
  readonly runs: string
  /** By stagelet/service of these services, how often their containers have restarted; absent for never. */
  readonly restarts: Readonly<Record<string, number>>
  /** As stagelet/service, those that are not well, or have not been so for long. */
  readonly unsteady: readonly string[]
}

export const nothingToProve: Proof = {
  failed: undefined,
  blockedBy: [],
  rolling: [],
  late: [],
  evidence: [],
  ended: [],
  bearers: [],
  starts: {},
  runs: '',
  restarts: {},
  unsteady: [],
}

/** So long a service has to run until it counts as well. */
export const settledMs = 60_000
/** So often a container that cannot live with its values restarts before that is said. */
export const mostRestarts = 3

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
  ].find((condition) => remedies[condition] !== undefined)
  const remedy = remedies[because ?? '']
  if (remedy === undefined) return undefined
  const [reason, message] = remedy({ agent: spec.agentRef.name, stagelet: metadata.name })
  return { reason, message: inSync?.reason === engineUnavailable ? inSync.message : message }
}

const failureOf = ({ stagelet, services }: OutputViewer, revision: number): Failure | undefined => {
  const bad = (stagelet.status?.quarantine ?? []).find(
    (service) => service.revision >= revision && services.has(service.service),
  )
  if (bad === undefined) return undefined
  return { stagelet: stagelet.metadata.name, service: bad.service, message: bad.message }
}

const done: ReadonlySet<string> = new Set(['completed', 'scaledToZero', 'missing', 'unknown'])

/** Why a service does not do its work; undefined where it does, or has none. */
const illOf = ({ state = 'running', health, containers }: ServiceStatus): string | undefined => {
  if (containers === 0 || done.has(state)) return undefined
  if (state !== 'running') return `is ${state}`
  return health === 'unhealthy' ? 'is unhealthy' : undefined
}

/** Every container of it runs, and is healthy where it has a check. */
const isWell = (service: ServiceStatus): boolean =>
  illOf(service) === undefined && service.health !== 'starting'

const blockOf = ({ stagelet, late, services }: OutputViewer): BlockedBy | undefined => {
  const { status } = stagelet
  const hold = holdOf(stagelet)
  const isUnseen = hold?.reason === 'AgentAway'
  const silent = (status?.services ?? []).length === 0
  const isDown =
    hold?.reason === 'StoppedByHand' && [...services.values()].some((service) => !isWell(service))
  if (hold !== undefined && (isUnseen || late.size > 0 || silent || isDown)) return hold
  if (silent)
    return {
      reason: 'NoReport',
      message: `agent "${stagelet.spec.agentRef.name}" has not reported its services yet: stagely describe stagelet ${stagelet.metadata.name}`,
    }
  return cutOf(stagelet) ?? pausedOf(services) ?? oldContainerOf(stagelet)
}

/** It holds its credential, and says nothing of whether it works: no time ends that. */
const pausedOf = (services: OutputViewer['services']): BlockedBy | undefined => {
  const paused = [...services.values()].find(({ state }) => state === 'paused')
  if (paused === undefined) return undefined
  const message = `a container of service ${paused.name} is paused: find it with docker ps --filter status=paused --filter label=com.docker.compose.service=${paused.name}, and docker unpause NAME`
  return { reason: 'ContainerPaused', message }
}

/** What an agent had to leave out of its report is not seen. */
const cutOf = ({ status }: StageletObject): BlockedBy | undefined => {
  const cut = findCondition(status?.conditions, 'ReportCut')
  return cut?.status === 'True' ? { reason: 'ReportCut', message: cut.message } : undefined
}

const oldContainerOf = ({ status }: StageletObject): BlockedBy | undefined => {
  const [stray] = status?.strayServices ?? []
  if (stray !== undefined) {
    const message = `a container of service ${stray}, which the compose files do not name, or only with a profile that is off, has older secrets or those of the files: find it with docker ps -a --filter label=com.docker.compose.service=${stray} and remove it with docker rm -f NAME ("docker compose up" would make others anew without their secrets)`
    return { reason: 'OldContainer', message }
  }
  const oneOff = (status?.services ?? []).find(({ oneOffs = 0 }) => oneOffs > 0)
  if (oneOff === undefined) return undefined
  const message = `a container of "compose run" has older secrets of ${oneOff.name}: wait for its end, or end it`
  return { reason: 'OldContainer', message }
}

/** All its services that see an output have their values of now, and have passed the gate with them. */
const isRolledOut = ({ stagelet, late, services }: OutputViewer, revision: number): boolean => {
  const { status } = stagelet
  if (late.size > 0) return false
  const wanted = new Map(
    (status?.services ?? []).map((service) => [service.name, service.wantedDigest]),
  )
  const isBad = (status?.quarantine ?? []).some(
    ({ service, digest }) => services.has(service) && wanted.get(service) === digest,
  )
  if (isBad) return false
  return services.size === 0 || (status?.healthyRevision ?? 0) >= revision
}

const containersOf = ({ stagelet, services }: OutputViewer): number =>
  (stagelet.status?.services ?? [])
    .filter(({ name }) => services.has(name))
    .reduce((sum, { containers = 0 }) => sum + containers, 0)

const digestOf = (what: unknown): string =>
  createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32)

/** Which containers run, and since when. */
const startsOf = (viewers: readonly OutputViewer[]): Record<string, string> =>
  Object.fromEntries(
    viewers.map(({ stagelet, services }) => {
      const all = [...services.values()].map(({ name, since = '', restarts = 0, containers = 0 }) =>
        JSON.stringify([name, since, restarts, containers]),
      )
      return [stagelet.metadata.name, digestOf(all.sort())]
    }),
  )

const restartsOf = (viewers: readonly OutputViewer[]): Record<string, number> =>
  Object.fromEntries(
    viewers.flatMap(({ stagelet, services }) =>
      [...services.values()].flatMap(({ name, restarts = 0 }) =>
        restarts === 0
          ? []
          : [[keyOfBearer({ stagelet: stagelet.metadata.name, service: name }), restarts] as const],
      ),
    ),
  )

/** One that restarts again and again, or started just now, says nothing of what makes it fail. */
const isUnsteady = (service: ServiceStatus, nowMs: number): boolean => {
  const { state, containers = 1, restarts = 0, since } = service
  const isYoung = since !== undefined && nowMs - Date.parse(since) < settledMs
  return !isWell(service) || state === 'unknown' || isYoung || restarts >= mostRestarts * containers
}

const bearersOf = ({ stagelet, services }: OutputViewer): Bearer[] =>
  [...services.values()].map((service) => ({
    stagelet: stagelet.metadata.name,
    service: service.name,
    ill: illOf(service),
    containers: service.containers ?? 0,
    restarts: service.restarts ?? 0,
  }))

interface ProofOf {
  /** It carries the outputs as they are now. */
  readonly revision: number
  /** False: it is enough that the values of now run, whatever becomes of it. */
  readonly needsHealth?: boolean
}

export const proofOf = (
  input: ProjectInput,
  outputs: readonly SecretObject[],
  { revision, needsHealth = true }: ProofOf,
): Proof => {
  const viewers = outputViewersOf(input, outputs)
  const starts = startsOf(viewers)
  const nowMs = Date.parse(input.now)
  const isOpen = input.revisions.closed < revision
  const blocks = viewers.map((viewer) => blockOf(viewer))
  const free = viewers.filter((_, i) => blocks[i] === undefined)
  const rolledOut = free.filter((viewer) => isRolledOut(viewer, revision))
  const proven = rolledOut.filter(
    ({ services }) => !needsHealth || [...services.values()].every(isWell),
  )
  const rolling = free.filter((viewer) => !proven.includes(viewer))
  return {
    failed: viewers
      .map((viewer) => failureOf(viewer, revision))
      .find((failure) => failure !== undefined),
    blockedBy: viewers.flatMap(({ stagelet }, i) => {
      const block = blocks[i]
      return block === undefined ? [] : [{ stagelet: stagelet.metadata.name, ...block }]
    }),
    rolling: isOpen
      ? ['the revision is still open']
      : rolling.map((viewer) => viewer.stagelet.metadata.name),
    late: free.filter(({ late }) => late.size > 0).map(({ stagelet }) => stagelet.metadata.name),
    evidence: proven.map((viewer) => ({
      stagelet: viewer.stagelet.metadata.name,
      containers: containersOf(viewer),
      revision: viewer.stagelet.status?.healthyRevision ?? revision,
      ...defined({ ended: viewer.stagelet.status?.endedContainers?.slice(0, 20) }),
    })),
    ended: [],
    bearers: rolledOut.flatMap(bearersOf),
    starts,
    runs: digestOf(Object.entries(starts).sort()),
    restarts: restartsOf(viewers),
    unsteady: viewers.flatMap(({ stagelet, services }) =>
      [...services.values()]
        .filter((viewer) => isUnsteady(viewer, nowMs))
        .map(({ name }) => keyOfBearer({ stagelet: stagelet.metadata.name, service: name })),
    ),
  }
}
