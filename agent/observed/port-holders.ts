// Names containers of a stack that hold a port which a service needs, and that belong to no service any more. The engine
// says only which port is taken.
import type { ContainerSummary } from '../docker/engine.ts'
import { labels } from './observe.ts'
import type { ServiceModel } from '../compose/service-model.ts'

/** One line for each such container. */
export const sayPortHolders = (
  services: readonly Pick<ServiceModel, 'name' | 'ports'>[],
  asked: readonly string[],
  containers: readonly ContainerSummary[],
): string[] => {
  const isAsked = ({ name }: Pick<ServiceModel, 'name'>): boolean =>
    asked.length === 0 || asked.includes(name)
  const wanted = new Set(services.filter(isAsked).flatMap(({ ports }) => ports))
  return containers.flatMap(({ Names, Labels: containerLabels, Ports = [] }) => {
    const service = containerLabels[labels.service] ?? ''
    const isService =
      services.some(({ name }) => name === service) && containerLabels[labels.oneOff] !== 'True'
    const held = Ports.map(({ PublicPort = 0, Type }) => `${PublicPort}/${Type}`)
    const ports = [...new Set(held.filter((port) => wanted.has(port)))]
    if (isService || ports.length === 0) return []
    const name = (Names[0] ?? '').replace(/^\//, '')
    const what =
      containerLabels[labels.oneOff] === 'True'
        ? `of "compose run ${service}"`
        : `of ${service}, which the Compose files do not name any more,`
    return [`container ${name} ${what} holds port ${ports.join(', ')}: docker rm -f ${name}`]
  })
}
