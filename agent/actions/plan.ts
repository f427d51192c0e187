// Plans which services an action changes, and which others have to go along. Pure.
import { defined } from '../../src/kernel/defined.ts'
import {
  isCompleted,
  isCutOff,
  isDown,
  isLeftover,
  type ObservedContainer,
} from '../observed/container.ts'
import type { NetworkEdits } from '../observed/pending-edits.ts'
import type { ServiceModel } from '../compose/service-model.ts'
import { planSteps, type ActionStep } from './steps.ts'

export interface ActionPlan {
  readonly steps: readonly ActionStep[]
  /** Services that the steps change, sorted. */
  readonly affected: readonly string[]
  /** Services among them that are re-created only because they share with a re-created container. */
  readonly peers: readonly string[]
}

export interface PlanInput {
  readonly services: readonly ServiceModel[]
  /** Wanted digest by service; absent for a service that sees no secret. */
  readonly wanted: ReadonlyMap<string, string>
  readonly containers: readonly ObservedContainer[]
  /** Services of the last deployment; undefined while the stack was never deployed from here. */
  readonly deployed: readonly string[] | undefined
  /** Services that Compose would change or cannot make: no step for another service may include them. */
  readonly diverging: readonly string[]
  /** Services whose edits are rolled out; undefined: none, and no new services of the files either. */
  readonly edited: readonly string[] | undefined
  /** Services that failed before, or whose image is not here: they come last. */
  readonly doubtful: readonly string[]
  /** Plan single steps also where no container exists, as after an `up` of all that failed. */
  readonly inSteps: boolean
  /** Ids of containers that somebody stopped: they are down, also where they look like jobs that are done. */
  readonly stopped: ReadonlySet<string>
  /** Services that run the wanted digest and have not passed the gate with it. */
  readonly unproven: readonly string[]
  readonly nowMs: number
}

/** A younger leftover may belong to an `up` that a person is running. */
const leftoverAgeMs = 15_000

const needsWork = (service: ServiceModel, input: PlanInput): boolean => {
  const own = input.containers.filter((c) => c.service === service.name)
  const isDeployed = input.edited !== undefined || (input.deployed?.includes(service.name) ?? false)
  if (input.edited?.includes(service.name) === true) return true
  if (own.length === 0) return isDeployed && service.scale !== 0
  const wanted = input.wanted.get(service.name) ?? ''
  if (own.some((c) => c.digest !== wanted)) return true
  if (own.some((c) => isLeftover(c) && input.nowMs - c.createdAtMs > leftoverAgeMs)) return true
  if (isDeployed && service.scale !== undefined && own.length < service.scale) return true
  const isCut = (c: ObservedContainer): boolean => isCutOff(service, c, input.containers)
  // An action that ended too early, or a person, may have re-created a container that this one shares with.
  return isDeployed && own.some((c) => isDown(c) || input.stopped.has(c.id) || isCut(c))
}

/** Adds, transitively, the services that share with an affected one, without jobs that are done. */
const withPeers = (affected: ReadonlySet<string>, input: PlanInput): Set<string> => {
  const all = new Set(affected)
  for (let before = -1; before !== all.size;) {
    before = all.size
    for (const service of input.services) {
      const isDone = (c: ObservedContainer): boolean => isCompleted(c) && !input.stopped.has(c.id)
      const exists = input.containers.some((c) => c.service === service.name && !isDone(c))
      if (exists && service.sharesWith.some((name) => all.has(name))) all.add(service.name)
    }
  }
  return all
}

/**
 * Adds restarts of services (`restart: true`) whose dependencies are re-created for their secrets, as an `up` of all
 * would do. A restart follows the last step that re-creates one of these dependencies.
 */
const withRestarts = (
  steps: readonly ActionStep[],
  affected: ReadonlySet<string>,
  { services, containers, wanted, edited = [] }: PlanInput,
): ActionStep[] => {
  const isRecreated = (name: string): boolean =>
    edited.includes(name) ||
    containers.some((c) => c.service === name && c.digest !== (wanted.get(name) ?? ''))
  const left = new Set(
    services
      .filter(({ name, restartsAfter }) => !affected.has(name) && restartsAfter.some(isRecreated))
      .filter(({ name }) => containers.some((c) => c.service === name && c.state === 'running'))
      .map(({ name }) => name),
  )
  const after = [...steps].reverse().map((step) => {
    const isFor = ({ name, restartsAfter }: ServiceModel): boolean =>
      left.has(name) && restartsAfter.some((d) => isRecreated(d) && step.services.includes(d))
    const restarts = services.filter(isFor).map(({ name }) => name)
    for (const name of restarts) left.delete(name)
    return restarts.length === 0 ? step : { ...step, restarts }
  })
  return after.reverse()
}

/**
 * Adds a first step that makes the edited networks anew. A service that shares the network of one that is stopped for
 * that is restarted with it.
 */
export const withNetworks = (
  plan: ActionPlan,
  { services: stopped }: NetworkEdits,
  { services, containers }: Pick<PlanInput, 'services' | 'containers'>,
): ActionPlan => {
  const isUp = (name: string): boolean =>
    containers.some((c) => c.service === name && c.state === 'running')
  const up = stopped.filter(isUp)
  if (up.length === 0) return plan
  const restarts = services
    .filter(({ name, sharesWith }) => sharesWith.some((other) => up.includes(other)) && isUp(name))
    .flatMap(({ name }) => (up.includes(name) ? [] : name))
  const step: ActionStep = { services: up, noDeps: true, waitFor: [], networks: true, restarts }
  const affected = [...new Set([...plan.affected, ...up])].sort()
  return { ...plan, steps: [step, ...plan.steps], affected }
}

/** Services that the plan restarts. */
export const restartsIn = ({ steps }: ActionPlan): string[] =>
  steps.flatMap(({ restarts = [] }) => restarts)

/** The plan without these services. A step for all services stays as it is. */
export const withoutServices = (plan: ActionPlan, names: readonly string[]): ActionPlan => {
  if (names.length === 0) return plan
  const rest = (all: readonly string[]): string[] => all.filter((name) => !names.includes(name))
  const steps = plan.steps
    .map((step) => ({
      ...step,
      services: rest(step.services),
      waitFor: step.waitFor.filter((w) => !names.includes(w.service)),
      ...defined({ restarts: step.restarts && rest(step.restarts) }),
    }))
    .filter(({ services }, i) => services.length > 0 || plan.steps[i]?.services.length === 0)
  return { steps, affected: rest(plan.affected), peers: rest(plan.peers) }
}

const stepsFor = (affected: ReadonlySet<string>, input: PlanInput): ActionStep[] => {
  const { services, diverging, doubtful, unproven, containers } = input
  const isUnproven = (name: string): boolean =>
    unproven.includes(name) && containers.some((c) => c.service === name)
  const isCut = (name: string): boolean =>
    services.some(
      (s) =>
        s.name === name && containers.some((c) => c.service === name && isCutOff(s, c, containers)),
    )
  return planSteps({ services, affected, diverging, doubtful, isUnproven, isCutOff: isCut })
}

/** A plan without steps: every label is right and every deployed service is up. */
export const planAction = (input: PlanInput): ActionPlan => {
  const all = input.services.map((s) => s.name).sort()
  const isFresh = input.containers.length === 0 && input.services.some((s) => s.scale !== 0)
  if (isFresh && !input.inSteps)
    return { steps: [{ services: [], noDeps: false, waitFor: [] }], affected: all, peers: [] }
  const own = new Set(input.services.filter((s) => needsWork(s, input)).map((s) => s.name))
  const affected = withPeers(own, input)
  return {
    steps: withRestarts(stepsFor(affected, input), affected, input),
    affected: [...affected].sort(),
    peers: [...affected].filter((name) => !own.has(name)).sort(),
  }
}
