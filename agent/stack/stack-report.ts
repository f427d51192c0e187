// The report of a stagelet, made from what the agent knows of it.
import type { ReportedStagelet } from '../../src/protocol/messages.ts'
import { limits } from '../../src/resources/limits.ts'
import {
  engineUnavailable,
  type EndedContainer,
  type RemovedContainer,
  type StrayService,
} from '../../src/kinds/observation/schema.ts'
import { defined } from '../../src/kernel/defined.ts'
import { healthySinceOf } from '../observed/healthy-since.ts'
import { toObservedService } from '../observed/observe.ts'
import { isCutOff, isEnded } from '../observed/container.ts'
import type { StackObserved, StackState } from '../state/stack-state.ts'

const isBlind = ({ fault }: StackState): boolean => fault?.reason === engineUnavailable

/** What Compose no longer knows runs on, such as the container of a service that was renamed. */
const straysOf = (
  { containers, oneOffs }: StackObserved,
  names: readonly string[],
): StrayService[] => {
  const running = containers.filter((c) => !isEnded(c)).map((c) => [c.service, c.digest] as const)
  const single = [...oneOffs.running].flatMap(([name, digests]) =>
    digests.map((digest) => [name, digest] as const),
  )
  const found = new Map<string, Set<string>>()
  for (const [name, digest] of [...running, ...single])
    if (!names.includes(name)) found.set(name, (found.get(name) ?? new Set()).add(digest))
  return [...found].sort().map(([name, digests]) => ({ name, digests: [...digests].sort() }))
}

/** What has ended and can be started again with the secrets that it had. */
const endedOf = (
  { containers, oneOffs }: StackObserved,
  names: readonly string[],
): EndedContainer[] => {
  const left = containers
    .filter((c) => isEnded(c) && !names.includes(c.service))
    .map(({ service, name: container, digest }) => ({ service, container, digest }))
  return [...oneOffs.ended, ...left]
    .filter(({ digest }) => digest !== '')
    .sort((a, b) => (a.container < b.container ? -1 : 1))
    .slice(0, limits.listed)
}

/** The report. `stopped`: ids of containers that somebody stopped, though they look like jobs that are done. */
export const toObservation = (
  state: StackState,
  stopped?: ReadonlySet<string>,
  removed: readonly RemovedContainer[] = [],
): ReportedStagelet => {
  const { desired } = state.target
  const names = state.model?.services.map((s) => s.name) ?? [
    ...new Set(state.containers.map((c) => c.service)),
  ]
  const strays = isBlind(state) ? [] : straysOf(state, names)
  const ended = isBlind(state) ? [] : endedOf(state, names)
  const project = state.claimed?.project ?? state.model?.projectName ?? desired.compose.projectName
  return {
    stageletUid: desired.uid,
    generation: desired.generation,
    projectUid: desired.projectUid,
    epoch: desired.epoch,
    revision: desired.revision,
    phase: state.phase,
    // Without the engine nothing is seen, and what was seen before may have changed.
    services: (isBlind(state) ? [] : names.sort()).map((name) => {
      const own = state.containers.filter((c) => c.service === name)
      const model = state.model?.services.find((s) => s.name === name)
      const { scale, sharesWith = [], linksTo = [], variables = [] } = model ?? {}
      const shared = { sharesWith, linksTo }
      const unhealthy = state.phase === 'Settled' ? state.unhealthy.get(name)?.detail : undefined
      const oneOff = state.oneOffs.running.get(name)
      const detail = state.stuck.get(name) ?? unhealthy
      return {
        ...toObservedService(name, own, scale, stopped),
        ...defined({ healthySince: healthySinceOf(own, state.healthyTimes), detail }),
        ...(sharesWith.length > 0 && { sharesWith: [...sharesWith] }),
        ...(own.some((c) => isCutOff(shared, c, state.containers)) && { cutOff: true }),
        ...(variables.length > 0 && { composeKeys: [...variables] }),
        ...(oneOff !== undefined && { oneOff: [...oneOff].sort() }),
      }
    }),
    passed: { ...state.passed },
    pendingEdits: [...state.pendingEdits],
    missingVariables: [...state.missingVariables],
    unmountedFiles: [...state.unmountedFiles],
    ...(strays.length > 0 && { strays }),
    ...(ended.length > 0 && { ended }),
    ...(removed.length > 0 && { removed: [...removed] }),
    ...defined({ composeProject: project, rollout: state.rollout }),
    ...(state.quarantine.length > 0 && { quarantine: [...state.quarantine] }),
    ...defined({ drift: state.drift, hand: state.hand, fault: state.fault }),
    ...defined({ deployed: state.deployed || undefined }),
    ...(state.waitingFor.length > 0 && { waitingFor: [...state.waitingFor] }),
  }
}
