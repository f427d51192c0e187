// What a stack would take from another one at its first start, since the name of its Compose project does not keep it
// apart: names of containers, and ports. Compose would tell it in the middle of its work. Pure.
import type { StackFault } from '../compose/allowed-folders.ts'
import { onAllAddresses, type ServiceModel } from '../compose/service-model.ts'
import type { ContainerSummary } from '../docker/engine.ts'

const nameOf = ({ Names }: ContainerSummary): string => (Names[0] ?? '').replace(/^\//, '')

/** `others`: containers that are not of the stack. */
export const findTaken = (
  services: readonly Pick<ServiceModel, 'name' | 'containerName' | 'openPorts' | 'scale'>[],
  others: readonly ContainerSummary[],
): StackFault | undefined => {
  const started = services.filter(({ scale }) => scale !== 0)
  for (const { name, containerName } of started) {
    if (containerName === undefined || !others.some((other) => nameOf(other) === containerName))
      continue
    const message = `service ${name} has container_name: ${containerName}, and a container of another stack has this name: take the line out of the Compose file, or write a variable there that differs for each stack`
    return { reason: 'NameTaken', message }
  }
  for (const { name, openPorts } of started)
    for (const other of others) {
      const taken = (other.Ports ?? [])
        .filter(({ IP = '' }) => onAllAddresses(IP))
        .map(({ PublicPort = 0, Type }) => `${PublicPort}/${Type}`)
        .find((port) => openPorts.includes(port))
      if (taken === undefined) continue
      const port = taken.replace('/tcp', '')
      const message = `service ${name} publishes port ${port}, which container ${nameOf(other)} has: write a variable there that differs for each stack ("\${WEB_PORT:-${port}}:…"), and give it a value (spec.compose.values; in the template of previews, variables: {WEB_PORT: "{port 20000-20999}"})`
      return { reason: 'PortTaken', message }
    }
  return undefined
}
