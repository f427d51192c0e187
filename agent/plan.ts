// Which services an action must touch, and with which calls of `up`. Pure.
//
// Compose before 2.29.4 re-creates every dependent of what it re-creates in the same `up`, so the
// affected ones go first without their dependents, and then level by level.
import { isAtLeast } from '../src/compose/compose.ts'
import type { ServiceModel } from './compose-model.ts'
import { isCompleted, isDown, isLeftover } from './observe.ts'
import type { ObservedContainer } from './observe.ts'

export interface Step {
  /** Empty: all services of the stack. */
  readonly services: readonly string[]
  readonly noDeps: boolean
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

const planSteps = (affected: ReadonlySet<string>, input: PlanInput): Step[] => {
  const byName = new Map(input.services.map((s) => [s.name, s]))
  const dependencies = new Map([...affected].map((name) => [name, dependenciesOf(name, byName)]))
  const safe = isAtLeast(input.composeVersion, '2.29.3')
  // A plain `up X` also runs finished jobs again and rolls out edits of what X depends on.
  const mustLeave = (name: string): boolean =>
    input.pending.includes(name) ||
    input.containers.some((c) => c.service === name && isCompleted(c) && !input.stopped.has(c.id))
  const noDepsFor = (name: string): boolean => {
    const below = [...dependencies.get(name)!]
    return below.length === 0 || safe || below.some((d) => !affected.has(d) && mustLeave(d))
  }
  const steps: Step[] = []
  const left = new Set(affected)
  while (left.size > 0) {
    const ready = [...left].filter((name) => ![...dependencies.get(name)!].some((d) => left.has(d)))
    const level = (ready.length > 0 ? ready : [...left]).sort()
    for (const noDeps of [true, false]) {
      const services = level.filter((name) => noDepsFor(name) === noDeps)
      if (services.length > 0) steps.push({ services, noDeps })
    }
    for (const name of level) left.delete(name)
  }
  return steps
}

/** The plan without these services. A step for all services stays one. */
export const withoutServices = (plan: Plan, names: readonly string[]): Plan => {
  if (names.length === 0) return plan
  const rest = (all: readonly string[]): string[] => all.filter((name) => !names.includes(name))
  const steps = plan.steps
    .map((step) => ({ ...step, services: rest(step.services), all: step.services.length === 0 }))
    .filter(({ services, all }) => all || services.length > 0)
    .map(({ services, noDeps }) => ({ services, noDeps }))
  return { steps, affected: rest(plan.affected), peers: rest(plan.peers) }
}

/** No steps means that every label is right and everything deployed is up. */
export const planAction = (input: PlanInput): Plan => {
  const all = input.services.map((s) => s.name).sort()
  const isFresh = input.containers.length === 0 && input.services.some((s) => s.scale !== 0)
  if (isFresh || input.full) {
    return all.length === 0
      ? { steps: [], affected: [], peers: [] }
      : { steps: [{ services: [], noDeps: false }], affected: all, peers: [] }
  }
  const own = new Set(input.services.filter((s) => needsWork(s, input)).map((s) => s.name))
  const affected = withPeers(own, input)
  return {
    steps: planSteps(affected, input),
    affected: [...affected].sort(),
    peers: [...affected].filter((name) => !own.has(name)).sort(),
  }
}
