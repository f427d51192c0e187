// In which calls of Compose, and in which order, services are made anew. Pure.
//
// A container is made as part of the whole stack, so that it is what Compose itself would make: its hash
// and labels name what it depends on. What it depends on is neither changed nor started by that.
// Conditions of dependencies are waited for here, as Compose does not say which value is to blame.
import type { ServiceModel, Wait } from './service-model.ts'

export interface Step {
  /** Empty: all services of the stack. */
  readonly services: readonly string[]
  /** Made without what they depend on: Compose would change that as well. */
  readonly alone: boolean
  /** What must be healthy, or done, before it; the same may be named twice. */
  readonly waitFor: readonly Wait[]
  /** Also where Compose sees nothing to change. */
  readonly forced?: boolean
  /** May take long, or fail: what the steps before it have touched is judged first. */
  readonly doubtful?: boolean
  /** Makes networks anew that the user has edited: these services are stopped for that, and started again. */
  readonly networks?: boolean
  /** Services that run what they should, to be restarted after it: their files ask for that. */
  readonly restarts?: readonly string[]
}

export interface StepsInput {
  readonly services: readonly ServiceModel[]
  readonly affected: ReadonlySet<string>
  /** Services that Compose would change, or cannot make: no call may name them in passing. */
  readonly diverging: readonly string[]
  /** Services that failed before, or whose image is not here; and with them who depends on them. */
  readonly doubtful: readonly string[]
  /** What must be waited for, although no step touches it. */
  readonly isUnproven: (service: string) => boolean
  /** What it links to was made anew without it. */
  readonly isCutOff: (service: string) => boolean
}

/** Every service that `name` depends on, however far. */
export const dependenciesOf = (
  name: string,
  byName: ReadonlyMap<string, Pick<ServiceModel, 'dependsOn'>>,
): Set<string> => {
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
export const neededServices = (services: readonly ServiceModel[], name: string): string[] => {
  const byName = new Map(
    services.map((s) => [s.name, { dependsOn: [...s.dependsOn, ...s.sharesWith] }]),
  )
  return [...dependenciesOf(name, byName)].filter((other) => other !== name).sort()
}

/** These services, and those that need one of them. */
export const withDependents = (
  services: readonly ServiceModel[],
  names: readonly string[],
): string[] => {
  const isHit = (name: string): boolean =>
    names.includes(name) || neededServices(services, name).some((n) => names.includes(n))
  return names.length === 0 ? [] : services.map((s) => s.name).filter(isHit)
}

const waitsOf = (name: string, { services, affected, isUnproven }: StepsInput): Wait[] => {
  const isOpen = (on: string): boolean =>
    (affected.has(on) || isUnproven(on)) && services.some((s) => s.name === on && s.scale !== 0)
  const own = services.find((s) => s.name === name)
  return (own?.waitsFor ?? []).filter((wait) => isOpen(wait.service))
}

/** Services of one level that can be named in one call. */
const grouped = (level: readonly string[], stepOf: (name: string) => Step): Step[] => {
  const groups = new Map<string, Step>()
  for (const name of level) {
    const step = stepOf(name)
    const key = JSON.stringify([{ ...step, services: [] }, step.doubtful === true ? name : ''])
    const known = groups.get(key)
    groups.set(key, { ...step, services: [...(known?.services ?? []), name] })
  }
  return [...groups.values()]
}

/** Dependencies first; of those that can be next, the ones that wait for nothing; what is doubtful last. */
export const planSteps = (input: StepsInput): Step[] => {
  const { services, affected } = input
  const byName = new Map(services.map((s) => [s.name, s]))
  const dependencies = new Map([...affected].map((name) => [name, dependenciesOf(name, byName)]))
  const doubtful = withDependents(services, input.doubtful)
  const stepOf = (name: string): Step => {
    const below = [...dependencies.get(name)!]
    const isLeft = (d: string): boolean => !affected.has(d) && input.diverging.includes(d)
    const { linksTo } = byName.get(name)!
    const isForced =
      linksTo.some((d) => affected.has(d)) || (linksTo.length > 0 && input.isCutOff(name))
    return {
      services: [name],
      alone: below.length === 0 || below.some(isLeft),
      waitFor: waitsOf(name, input),
      ...(isForced ? { forced: true } : {}),
      ...(doubtful.includes(name) ? { doubtful: true } : {}),
    }
  }
  const steps: Step[] = []
  const left = new Set(affected)
  while (left.size > 0) {
    const ready = [...left].filter((name) => ![...dependencies.get(name)!].some((d) => left.has(d)))
    const all = (ready.length > 0 ? ready : [...left]).sort()
    const sure = all.filter((name) => !doubtful.includes(name))
    const next = sure.length > 0 ? sure : all
    const free = next.filter((name) => waitsOf(name, input).length === 0)
    const level = free.length > 0 ? free : next
    steps.push(...grouped(level, stepOf))
    for (const name of level) left.delete(name)
  }
  return steps
}
