// The images of a stack's services, as the engine has them.
import type { ComposeModel } from './compose-model.ts'
import type { Engine } from './docker/engine.ts'
import type { ObservedContainer } from './observe.ts'
import type { ServiceModel } from './service-model.ts'

export interface ImageDeps {
  readonly engine: Pick<Engine, 'imageId'>
}

export const imageOf = (
  { projectName }: Pick<ComposeModel, 'projectName'>,
  { image, name }: ServiceModel,
): string => image ?? `${projectName}-${name}`

/** The services among these whose image is not on this machine. */
export const findImageless = async (
  { engine }: ImageDeps,
  model: Pick<ComposeModel, 'projectName'>,
  services: readonly ServiceModel[],
): Promise<string[]> => {
  const ids = await Promise.all(services.map((s) => engine.imageId(imageOf(model, s))))
  return services.filter((_, i) => ids[i] === undefined).map((s) => s.name)
}

/** The services among these whose image name means another image than their containers have. */
export const findRebuilt = async (
  { engine }: ImageDeps,
  model: ComposeModel,
  { names, containers }: { names: readonly string[]; containers: readonly ObservedContainer[] },
): Promise<string[]> => {
  const found: string[] = []
  for (const service of model.services.filter((s) => names.includes(s.name))) {
    const id = await engine.imageId(imageOf(model, service))
    if (containers.some((c) => c.service === service.name && c.imageId !== id))
      found.push(service.name)
  }
  return found
}
