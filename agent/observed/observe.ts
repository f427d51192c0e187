// Observes the containers of one Compose project, and makes the reported facts of each service.
import { defined } from '../../src/kernel/defined.ts'
import { digestLabel } from '../../src/resources/meta.ts'
import type { EndedContainer, ObservedService } from '../../src/kinds/observation/schema.ts'
import type { ContainerDetails, ContainerSummary, Engine } from '../docker/engine.ts'
import { limits } from '../../src/resources/limits.ts'
import { onAllAddresses, unique } from '../compose/service-model.ts'
import { firstHealthyIn } from './healthy-since.ts'
import {
  byName,
  isCompleted,
  shortId,
  type ContainerState,
  type ObservedContainer,
} from './container.ts'

export const labels = {
  service: 'com.docker.compose.service',
  oneOff: 'com.docker.compose.oneoff',
  replaces: 'com.docker.compose.replace',
  directory: 'com.docker.compose.project.working_dir',
  dependsOn: 'com.docker.compose.depends_on',
} as const

const retriesOf = ({ Config }: ContainerDetails): number => Config.Healthcheck?.Retries || 3

/**
 * The engine also calls containers unhealthy that it does not check: ended or paused ones, and those that go on after a
 * pause and were not checked again yet. Their health is not told.
 */
const healthOf = (details: ContainerDetails): ObservedContainer['health'] => {
  const { Health: health, Status: state } = details.State
  if (state !== 'running') return undefined
  const { Status: status, FailingStreak: streak = Infinity } = health ?? {}
  if (status === 'unhealthy' && streak < retriesOf(details)) return 'starting'
  return status === 'healthy' || status === 'unhealthy' || status === 'starting'
    ? status
    : undefined
}

const healthBudgetOf = (details: ContainerDetails): number | undefined => {
  const check = details.Config.Healthcheck
  if (check === undefined || check === null || details.State.Health === undefined) return undefined
  const ms = (nanoseconds: number | undefined, otherwise: number): number =>
    nanoseconds === undefined || nanoseconds === 0 ? otherwise : nanoseconds / 1e6
  const round = ms(check.Interval, 30_000) + ms(check.Timeout, 30_000)
  return ms(check.StartPeriod, 0) + retriesOf(details) * round
}

/** The label is `db:service_healthy:false,job:service_started:false`. */
const dependenciesOf = (label: string): string[] =>
  label.split(',').flatMap((part) => part.split(':')[0] || [])

/** Ids or names of the containers whose namespaces or volumes this one uses. */
const heldBy = ({ HostConfig }: ContainerDetails): string[] => {
  const { NetworkMode, IpcMode, PidMode, VolumesFrom } = HostConfig
  const prefix = 'container:'
  const modes = [NetworkMode, IpcMode, PidMode].filter((mode) => mode?.startsWith(prefix))
  return [
    ...modes.map((mode) => mode!.slice(prefix.length)),
    ...(VolumesFrom ?? []).map((from) => from.split(':')[0]!),
  ]
}

/** The containers among `held` that do not exist any more. */
const findGone = async (
  engine: Engine,
  held: readonly string[],
  containers: readonly ContainerSummary[],
): Promise<ReadonlySet<string>> => {
  const isKnown = (id: string): boolean => containers.some((c) => c.Id === id)
  const others = [...new Set(held)].filter((id) => !isKnown(id))
  const found = await Promise.all(others.map((id) => engine.inspect(id)))
  return new Set(others.filter((_id, i) => found[i] === undefined))
}

const shortName = ([name = '']: readonly string[]): string => name.replace(/^\//, '')

const toContainer = (
  summary: ContainerSummary,
  details: ContainerDetails,
  gone: ReadonlySet<string>,
): ObservedContainer => ({
  id: summary.Id,
  name: shortName(summary.Names),
  service: summary.Labels[labels.service] ?? '',
  digest: summary.Labels[digestLabel] ?? '',
  state: details.State.Status as ContainerState,
  health: healthOf(details),
  firstHealthyAt: firstHealthyIn(details),
  healthOutput: details.State.Health?.Log?.at(-1)?.Output ?? '',
  exitCode: details.State.ExitCode,
  error: details.State.Error,
  outOfMemory: details.State.OOMKilled ? (details.HostConfig.Memory ?? 0) : undefined,
  restartCount: details.RestartCount,
  restartPolicy: details.HostConfig.RestartPolicy.Name,
  startedAt: details.State.StartedAt,
  finishedAt: details.State.FinishedAt,
  createdAtMs: summary.Created * 1000,
  madeAt: details.Created,
  healthBudgetMs: healthBudgetOf(details),
  directory: summary.Labels[labels.directory],
  imageId: summary.ImageID,
  image: details.Config.Image,
  ports: (summary.Ports ?? []).flatMap(({ IP = '', PublicPort, Type }) => {
    if (PublicPort === undefined) return []
    return `${onAllAddresses(IP) ? '' : `${IP}:`}${PublicPort}/${Type}`
  }),
  dependsOn: dependenciesOf(summary.Labels[labels.dependsOn] ?? ''),
  replaces: summary.Labels[labels.replaces],
  cutOff: heldBy(details).some((id) => gone.has(id)),
})

/** The containers of the project's services, one-off `compose run` ones left out. */
const listServices = async (engine: Engine, project: string): Promise<ContainerSummary[]> =>
  (await engine.listContainers(project)).filter(
    ({ Labels: containerLabels }) =>
      containerLabels[labels.oneOff] !== 'True' && containerLabels[labels.service] !== undefined,
  )

/** Folders that containers of the project were made from, one-off ones too; undefined for one that does not tell. */
export const listFolders = async (
  engine: Pick<Engine, 'listContainers'>,
  project: string,
): Promise<(string | undefined)[]> =>
  (await engine.listContainers(project)).map(
    ({ Labels: containerLabels }) => containerLabels[labels.directory],
  )

export type ListedContainer = Pick<ObservedContainer, 'id' | 'service' | 'state'>

/** What one question to the engine tells of the same containers. */
export const listProject = async (engine: Engine, project: string): Promise<ListedContainer[]> =>
  (await listServices(engine, project)).map(
    ({ Id: id, Labels: containerLabels, State: state }) => ({
      id,
      service: containerLabels[labels.service] ?? '',
      state: state as ContainerState,
    }),
  )

/**
 * The containers of the project's services, or of those that `isWanted` names; one-off `compose run` ones left out;
 * sorted by name. The engine is asked for each container.
 */
export const observeProject = async (
  engine: Engine,
  project: string,
  isWanted: (service: string) => boolean = () => true,
): Promise<ObservedContainer[]> => {
  const all = await listServices(engine, project)
  const summaries = all.filter(({ Labels: containerLabels }) =>
    isWanted(containerLabels[labels.service] ?? ''),
  )
  const details = await Promise.all(summaries.map((s) => engine.inspect(s.Id)))
  const held = details.flatMap((found) => (found === undefined ? [] : heldBy(found)))
  const gone = await findGone(engine, held, all)
  return summaries
    .flatMap((summary, i) => {
      const found = details[i]
      return found === undefined ? [] : [toContainer(summary, found, gone)]
    })
    .sort(byName)
}

/** Containers of `compose run`. They belong to no rollout, and may be old. */
export interface OneOffs {
  /** By service, the digests of those that run. */
  readonly running: ReadonlyMap<string, readonly string[]>
  /** Those that have ended. A person can start them again, with the secrets that they were made with. */
  readonly ended: readonly EndedContainer[]
}

export const observeOneOffs = async (
  engine: Pick<Engine, 'listContainers'>,
  project: string,
): Promise<OneOffs> => {
  const running = new Map<string, string[]>()
  const ended: EndedContainer[] = []
  for (const { Labels: containerLabels, State: state, Names } of await engine.listContainers(
    project,
  )) {
    const service = containerLabels[labels.service]
    const digest = containerLabels[digestLabel] ?? ''
    if (containerLabels[labels.oneOff] !== 'True' || service === undefined || state === 'removing')
      continue
    if (['exited', 'dead', 'created'].includes(state))
      ended.push({ service, container: shortName(Names), digest })
    else running.set(service, [...(running.get(service) ?? []), digest])
  }
  return { running, ended }
}

const worstFirst = ['restarting', 'exited', 'created', 'paused', 'running', 'completed'] as const

const stateOf = (
  c: ObservedContainer,
  stopped: ReadonlySet<string>,
): (typeof worstFirst)[number] => {
  if (isCompleted(c) && !stopped.has(c.id)) return 'completed'
  if (c.state === 'dead' || c.state === 'removing') return 'exited'
  return c.state
}

const oldestWith = (
  containers: readonly ObservedContainer[],
  digest: string,
): { id: string; made: string } | undefined => {
  const own = containers.filter((c) => c.digest === digest && c.madeAt !== undefined)
  const [oldest] = own.sort((a, b) => Date.parse(a.madeAt!) - Date.parse(b.madeAt!))
  return oldest && { id: shortId(oldest.id), made: oldest.madeAt! }
}

/** The facts of one service: its state is that of its worst container. `stopped`: see `endedByOthers`. */
export const toObservedService = (
  name: string,
  containers: readonly ObservedContainer[],
  scale: number | undefined,
  stopped: ReadonlySet<string> = new Set(),
): ObservedService => {
  if (containers.length === 0) {
    const state = scale === 0 ? 'scaledToZero' : 'missing'
    return { name, digests: [], containers: 0, state, restarts: 0 }
  }
  const states = new Set(containers.map((c) => stateOf(c, stopped)))
  const state = worstFirst.find((s) => states.has(s)) ?? 'running'
  const worst = containers.find((c) => stateOf(c, stopped) === state)!
  const health = (['unhealthy', 'starting', 'healthy'] as const).find((h) =>
    containers.some((c) => c.health === h),
  )
  const since = containers
    .map((c) => c.startedAt)
    .sort()
    .at(-1)
  const ports = unique(containers.flatMap((c) => c.ports ?? [])).slice(0, limits.sharing)
  const digests = [...new Set(containers.map((c) => c.digest))].sort()
  const oldest = digests.flatMap((digest) => oldestWith(containers, digest) ?? [])
  const started = since !== undefined && !since.startsWith('0001-')
  return {
    name,
    digests,
    ...(oldest.length === digests.length && { oldest }),
    containers: containers.length,
    state,
    restarts: containers.reduce((sum, c) => sum + c.restartCount, 0),
    ...defined({ health }),
    ...(state === 'running' || state === 'paused' || state === 'created'
      ? {}
      : { exitCode: worst.exitCode }),
    ...(started && { since }),
    ...(ports.length > 0 && { ports }),
  }
}
