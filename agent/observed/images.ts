// The images of a stack's services, as the engine has them.
import type { ComposeModel } from '../compose/compose-model.ts'
import type { Engine } from '../docker/engine.ts'
import type { ObservedContainer } from './container.ts'
import type { ServiceModel } from '../compose/service-model.ts'

interface ImageDeps {
  readonly engine: Pick<Engine, 'imageId'>
}

type Named = Pick<ComposeModel, 'projectName'>

export const imageOf = ({ projectName }: Named, { image, name }: ServiceModel): string =>
  image ?? `${projectName}-${name}`

/** By name, the ids of the images of these services; each name is looked up once. Undefined: not on this machine. */
const idsOf = async (
  { engine }: ImageDeps,
  model: Named,
  services: readonly ServiceModel[],
): Promise<ReadonlyMap<string, string | undefined>> => {
  const names = [...new Set(services.map((service) => imageOf(model, service)))]
  const ids = await Promise.all(names.map((name) => engine.imageId(name)))
  return new Map(names.map((name, i) => [name, ids[i]]))
}

/** The services among these whose image is not on this machine. */
export const findImageless = async (
  deps: ImageDeps,
  model: Named,
  services: readonly ServiceModel[],
): Promise<string[]> => {
  const ids = await idsOf(deps, model, services)
  return services.filter((s) => ids.get(imageOf(model, s)) === undefined).map((s) => s.name)
}

/** The services among these whose image name means another image than their containers have. */
export const findRebuilt = async (
  deps: ImageDeps,
  model: ComposeModel,
  { names, containers }: { names: readonly string[]; containers: readonly ObservedContainer[] },
): Promise<string[]> => {
  const services = model.services.filter((s) => names.includes(s.name))
  const ids = await idsOf(deps, model, services)
  const isOther = (service: ServiceModel): boolean =>
    containers.some(
      (c) => c.service === service.name && c.imageId !== ids.get(imageOf(model, service)),
    )
  return services.filter(isOther).map((s) => s.name)
}
