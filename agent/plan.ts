// Which services an action must touch, and with which calls of `up`. Pure.
//
// Compose before 2.29.4 re-creates every dependent of what it re-creates in the same `up`, so the
// affected ones go first without their dependents, and then level by level. What the user's file says
// must be healthy or done before a service is started, a step waits for: Compose does not without
// dependencies, and with them it does not say which value is to blame.
import { isAtLeast } from '../src/compose/compose.ts'
import type { ServiceModel, Wait } from './compose-model.ts'
import { isCompleted, isDown, isLeftover } from './observe.ts'
import type { ObservedContainer } from './observe.ts'

export interface Step {
  /** Empty: all services of the stack. */
  readonly services: readonly string[]
  readonly noDeps: boolean
  /** What must be healthy, or done, before it; the same may be named twice. */
  readonly waitFor: readonly Wait[]
  /** Services that run what they should, to be restarted after it: their files ask for that. */
  readonly restarts?: readonly string[]
}

export interface Plan {
  readonly steps: readonly Step[]
  /** Services that the steps are meant to bring to their wanted state, sorted. */
  readonly affected: readonly string[]
  /** Those of them whose own containers were right: they hold a re-created one's id. */
  readonly peers: readonly string[]
}

export interface PlanInput {
  readonly services: readonly ServiceModel[]
  /** Wanted digest by service; absent for a service that sees no secret. */
  readonly wanted: ReadonlyMap<string, string>
  readonly containers: readonly ObservedContainer[]
  readonly composeVersion: string
  /** Services of the last deployment; undefined while the stack was never deployed from here. */
  readonly deployed: readonly string[] | undefined
  /** Services that the user's pending edits would change: not to be touched in passing. */
  readonly pending: readonly string[]
  /** Roll out everything, the user's edits too. */
  readonly full: boolean
  /** Containers that did not end by themselves: down, also where they ended like a job that is done. */
  readonly stopped: ReadonlySet<string>
  /** Services that run what they should, but were not seen healthy with it yet. */
  readonly unproven: readonly string[]
  readonly nowMs: number
}

/** A leftover younger than this may belong to an `up` that the user is just running. */
const leftoverAgeMs = 15_000

const needsWork = (service: ServiceModel, input: PlanInput): boolean => {
  const own = input.containers.filter((c) => c.service === service.name)
  const known = input.deployed?.includes(service.name) ?? false
  if (own.length === 0) return known && service.scale !== 0
  const wanted = input.wanted.get(service.name) ?? ''
  if (own.some((c) => c.digest !== wanted)) return true
  if (own.some((c) => isLeftover(c) && input.nowMs - c.createdAtMs > leftoverAgeMs)) return true
  if (known && service.scale !== undefined && own.length < service.scale) return true
  return known && own.some((c) => isDown(c) || input.stopped.has(c.id))
}

/** Adds, transitively, the services that hold the id of an affected one's container. */
const withPeers = (affected: ReadonlySet<string>, input: PlanInput): Set<string> => {
  const all = new Set(affected)
  for (let before = -1; before !== all.size;) {
    before = all.size
    for (const service of input.services) {
      const exists = input.containers.some((c) => c.service === service.name)
      if (exists && service.sharesWith.some((name) => all.has(name))) all.add(service.name)
    }
  }
  return all
}

/** Every service that `name` depends on, however far. */
const dependenciesOf = (name: string, byName: ReadonlyMap<string, ServiceModel>): Set<string> => {
  const found = new Set<string>()
  const visit = (at: string): void => {
    for (const next of byName.get(at)?.dependsOn ?? []) {
      if (found.has(next)) continue
      found.add(next)
      visit(next)
    }
  }
  visit(name)
  return found
}

/** Every service that this one needs, however far, or shares a namespace or volumes with. */
export const leansOnIn = (services: readonly ServiceModel[], name: string): string[] => {
  const byName = new Map(
    services.map((s) => [s.name, { ...s, dependsOn: [...s.dependsOn, ...s.sharesWith] }]),
  )
  return [...dependenciesOf(name, byName)].filter((other) => other !== name).sort()
}

/** Services whose end others wait for. */
const jobsIn = (services: readonly ServiceModel[]): Set<string> =>
  new Set(services.flatMap((s) => s.waitsFor.flatMap((w) => (w.until === 'done' ? w.service : []))))

/** What these services wait for, but for what was seen healthy, or done, long ago. */
const waitsOf = (
  names: readonly string[],
  affected: ReadonlySet<string>,
  { services, unproven, containers }: PlanInput,
): Wait[] => {
  const isOpen = ({ service }: Wait): boolean =>
    affected.has(service) ||
    (unproven.includes(service) && containers.some((c) => c.service === service))
  const isThere = ({ service }: Wait): boolean =>
    services.some((s) => s.name === service && s.scale !== 0)
  return services
    .filter((s) => names.includes(s.name))
    .flatMap((s) => s.waitsFor)
    .filter((wait) => isOpen(wait) && isThere(wait))
}

const planSteps = (affected: ReadonlySet<string>, input: PlanInput): Step[] => {
  const byName = new Map(input.services.map((s) => [s.name, s]))
  const dependencies = new Map([...affected].map((name) => [name, dependenciesOf(name, byName)]))
  const safe = isAtLeast(input.composeVersion, '2.29.3')
  // A plain `up X` also runs finished jobs again and rolls out edits of what X depends on.
  const mustLeave = (name: string): boolean =>
    input.pending.includes(name) ||
    input.containers.some((c) => c.service === name && isCompleted(c) && !input.stopped.has(c.id))
  const jobs = jobsIn(input.services)
  const noDepsFor = (name: string): boolean => {
    const below = [...dependencies.get(name)!]
    // A job of an earlier step is done by then.
    const isLeft = (d: string): boolean => (affected.has(d) ? jobs.has(d) : mustLeave(d))
    return below.length === 0 || safe || below.some(isLeft)
  }
  const steps: Step[] = []
  const left = new Set(affected)
  while (left.size > 0) {
    const ready = [...left].filter((name) => ![...dependencies.get(name)!].some((d) => left.has(d)))
    const level = (ready.length > 0 ? ready : [...left]).sort()
    for (const noDeps of [true, false]) {
      const services = level.filter((name) => noDepsFor(name) === noDeps)
      if (services.length > 0)
        steps.push({ services, noDeps, waitFor: waitsOf(services, affected, input) })
    }
    for (const name of level) left.delete(name)
  }
  return steps
}

/**
 * Adds who is to be restarted (`restart: true`): where what it depends on is re-created for what it is
 * given, as an `up` of all would do. After the last step that re-creates one of those.
 */
const withRestarts = (
  steps: readonly Step[],
  affected: ReadonlySet<string>,
  { services, containers, wanted }: PlanInput,
): Step[] => {
  const isRecreated = (name: string): boolean =>
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

/** Services that the plan restarts. */
export const restartsIn = ({ steps }: Plan): string[] =>
  steps.flatMap(({ restarts = [] }) => restarts)

/** The plan without these services. A step for all services stays one. */
export const withoutServices = (plan: Plan, names: readonly string[]): Plan => {
  if (names.length === 0) return plan
  const rest = (all: readonly string[]): string[] => all.filter((name) => !names.includes(name))
  const steps = plan.steps
    .map((step) => ({
      ...step,
      services: rest(step.services),
      waitFor: step.waitFor.filter((w) => !names.includes(w.service)),
      ...(step.restarts === undefined ? {} : { restarts: rest(step.restarts) }),
    }))
    .filter(({ services }, i) => services.length > 0 || plan.steps[i]?.services.length === 0)
  return { steps, affected: rest(plan.affected), peers: rest(plan.peers) }
}

/** No steps means that every label is right and everything deployed is up. */
export const planAction = (input: PlanInput): Plan => {
  const all = input.services.map((s) => s.name).sort()
  const isFresh = input.containers.length === 0 && input.services.some((s) => s.scale !== 0)
  if (isFresh || input.full) {
    return all.length === 0
      ? { steps: [], affected: [], peers: [] }
      : { steps: [{ services: [], noDeps: false, waitFor: [] }], affected: all, peers: [] }
  }
  const own = new Set(input.services.filter((s) => needsWork(s, input)).map((s) => s.name))
  const affected = withPeers(own, input)
  return {
    steps: withRestarts(planSteps(affected, input), affected, input),
    affected: [...affected].sort(),
    peers: [...affected].filter((name) => !own.has(name)).sort(),
  }
}
