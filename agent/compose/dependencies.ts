// Which services need which others. Pure.
import type { ServiceModel } from './service-model.ts'

/** All services that `name` depends on, directly or not. */
export const dependenciesOf = (
  name: string,
  byName: ReadonlyMap<string, Pick<ServiceModel, 'dependsOn'>>,
): Set<string> => {
  const found = new Set<string>()
  const visit = (serviceName: string): void => {
    for (const next of byName.get(serviceName)?.dependsOn ?? []) {
      if (found.has(next)) continue
      found.add(next)
      visit(next)
    }
  }
  visit(name)
  return found
}

/** All services that this one depends on or shares a namespace or volumes with, directly or not. */
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
