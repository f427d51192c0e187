// Plans the calls of Compose that make services anew, and their order. Pure.
//
// A container is made as part of the whole stack, so that it is what Compose itself would make: its hash and labels name
// its dependencies. That neither changes nor starts the dependencies. The agent itself waits for their conditions, as
// Compose does not tell which value is to blame for a failure.
import { append } from '../../src/kernel/append.ts'
import { dependenciesOf, withDependents } from '../compose/dependencies.ts'
import type { ServiceModel, StartCondition } from '../compose/service-model.ts'

export interface ActionStep {
  /** Empty: all services of the stack. */
  readonly services: readonly string[]
  /** Made without their dependencies, as Compose would change these as well. */
  readonly noDeps: boolean
  /** Dependencies that must be healthy or done before the step; one may be named twice. */
  readonly waitFor: readonly StartCondition[]
  /** Re-creates the containers also where Compose sees no change. */
  readonly forced?: boolean
  /** May take long or fail: the services of earlier steps are checked first. */
  readonly doubtful?: boolean
  /** Makes edited networks anew: these services are stopped for that, and started again. */
  readonly networks?: boolean
  /** Services that are restarted after the step, as the files ask for (`restart: true`). */
  readonly restarts?: readonly string[]
}

interface StepsInput {
  readonly services: readonly ServiceModel[]
  readonly affected: ReadonlySet<string>
  /** Services that Compose would change or cannot make: no call for another service may include them. */
  readonly diverging: readonly string[]
  /** Services that failed before or whose image is missing. Those that depend on them are doubtful, too. */
  readonly doubtful: readonly string[]
  /** True for a service that must be waited for although no step changes it. */
  readonly isUnproven: (service: string) => boolean
  /** True for a service whose linked container was re-created without it. */
  readonly isCutOff: (service: string) => boolean
}

const waitsOf = (
  name: string,
  { services, affected, isUnproven }: StepsInput,
): StartCondition[] => {
  const isOpen = (on: string): boolean =>
    (affected.has(on) || isUnproven(on)) && services.some((s) => s.name === on && s.scale !== 0)
  const own = services.find((s) => s.name === name)
  return (own?.waitsFor ?? []).filter((wait) => isOpen(wait.service))
}

/** Services of one level that can be named in one call. */
const grouped = (level: readonly string[], stepOf: (name: string) => ActionStep): ActionStep[] => {
  const groups = new Map<string, ActionStep>()
  for (const name of level) {
    const step = stepOf(name)
    const key = JSON.stringify([{ ...step, services: [] }, step.doubtful === true ? name : ''])
    const group = groups.get(key)
    groups.set(key, { ...step, services: [...(group?.services ?? []), name] })
  }
  return [...groups.values()]
}

/** Dependencies come first; then services that wait for nothing; doubtful ones last. */
export const planSteps = (input: StepsInput): ActionStep[] => {
  const { services, affected } = input
  const byName = new Map(services.map((s) => [s.name, s]))
  const dependencies = new Map([...affected].map((name) => [name, dependenciesOf(name, byName)]))
  const doubtful = withDependents(services, input.doubtful)
  const stepOf = (name: string): ActionStep => {
    const below = [...dependencies.get(name)!]
    const isLeft = (d: string): boolean => !affected.has(d) && input.diverging.includes(d)
    const { linksTo } = byName.get(name)!
    const isForced =
      linksTo.some((d) => affected.has(d)) || (linksTo.length > 0 && input.isCutOff(name))
    return {
      services: [name],
      noDeps: below.length === 0 || below.some(isLeft),
      waitFor: waitsOf(name, input),
      ...(isForced && { forced: true }),
      ...(doubtful.includes(name) && { doubtful: true }),
    }
  }
  const steps: ActionStep[] = []
  const left = new Set(affected)
  while (left.size > 0) {
    const ready = [...left].filter((name) => ![...dependencies.get(name)!].some((d) => left.has(d)))
    const all = (ready.length > 0 ? ready : [...left]).sort()
    const sure = all.filter((name) => !doubtful.includes(name))
    const next = sure.length > 0 ? sure : all
    const free = next.filter((name) => waitsOf(name, input).length === 0)
    const level = free.length > 0 ? free : next
    append(steps, grouped(level, stepOf))
    for (const name of level) left.delete(name)
  }
  return steps
}
