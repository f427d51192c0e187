// A container of a stack as it was observed, and what follows from that. Pure.
import type { ServiceModel } from '../compose/service-model.ts'

export type ContainerState =
  'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'

export interface ObservedContainer {
  readonly id: string
  readonly name: string
  readonly service: string
  /** '' where the label is absent. */
  readonly digest: string
  readonly state: ContainerState
  readonly health: 'healthy' | 'unhealthy' | 'starting' | undefined
  readonly healthOutput: string
  /** End of its first check that passed; undefined where the engine does not say. */
  readonly firstHealthyAt?: string | undefined
  readonly exitCode: number
  readonly error: string
  /** The container, or a process in it, was killed for lack of memory: its memory limit in bytes, 0 without one. */
  readonly outOfMemory?: number | undefined
  readonly restartCount: number
  readonly restartPolicy: string
  readonly startedAt: string
  /** Time of its last end; undefined where it has not ended yet. */
  readonly finishedAt?: string | undefined
  readonly createdAtMs: number
  /** The same, as finely as the engine says it. */
  readonly madeAt?: string | undefined
  /** Longest time until the health check tells unhealthy; undefined without a health check. */
  readonly healthBudgetMs: number | undefined
  /** Folder of the stack when Compose made it; undefined where the label is absent. */
  readonly directory?: string | undefined
  readonly imageId?: string | undefined
  /** Name of the image that it was made from. */
  readonly image?: string | undefined
  /** Ports of the machine that it publishes, such as `8080/tcp`, or `127.0.0.1:8080/tcp`. */
  readonly ports?: readonly string[]
  /** Services that its service depends on. */
  readonly dependsOn?: readonly string[]
  /** Id of the container that this one was made to replace. */
  readonly replaces: string | undefined
  /** It uses a namespace or the volumes of a container that does not exist any more. */
  readonly cutOff?: boolean
}

/** As `docker ps` shows it. */
export const shortId = (id: string): string => id.slice(0, 12)

export const byName = (a: ObservedContainer, b: ObservedContainer): number =>
  a.name < b.name ? -1 : 1

/** While Compose re-creates a container, the new one has the old one’s id before its name. */
export const lastingName = ({
  name,
  replaces,
}: Pick<ObservedContainer, 'name' | 'replaces'>): string =>
  replaces === undefined ? name : name.replace(/^[0-9a-f]{12}_/, '')

/** A container that an interrupted `up` left under its temporary name `<id12>_name`. */
export const isLeftover = (container: ObservedContainer): boolean =>
  container.replaces !== undefined && /^[0-9a-f]{12}_/.test(container.name)

/** A job that has done its work: it exited 0 and nothing restarts it. */
export const isCompleted = (c: ObservedContainer): boolean =>
  c.state === 'exited' && c.exitCode === 0 && ['', 'no', 'on-failure'].includes(c.restartPolicy)

/**
 * True for a container that uses a namespace, volumes or link of a container that does not exist any more. A job that is
 * done needs nothing. A link on the engine's bridge has no id: it is dead where its target was made later.
 */
export const isCutOff = (
  { sharesWith, linksTo }: Pick<ServiceModel, 'sharesWith' | 'linksTo'>,
  c: ObservedContainer,
  all: readonly ObservedContainer[],
): boolean => {
  const isLater = (o: ObservedContainer): boolean =>
    linksTo.includes(o.service) && o.createdAtMs > c.createdAtMs
  const isCut = (sharesWith.length > 0 && c.cutOff === true) || all.some(isLater)
  return isCut && !isCompleted(c)
}

export const isEnded = ({ state }: ObservedContainer): boolean =>
  state === 'exited' || state === 'dead'

/** True for a container that does not run, is not about to, and is no job that is done. */
export const isDown = (c: ObservedContainer): boolean =>
  ['exited', 'dead', 'created'].includes(c.state) && !isCompleted(c)

export const isHealthy = (c: ObservedContainer): boolean =>
  isCompleted(c) || (c.state === 'running' && c.health !== 'unhealthy')
