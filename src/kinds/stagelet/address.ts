// Where people find a stack. Pure.
import type { StageletSpec, StageletStatus } from './schema.ts'

/** Its own address; else one for each port that its services publish, on the machine with the name of its agent. */
export const addressesOf = ({
  spec,
  status,
}: {
  readonly spec?: Pick<StageletSpec, 'address' | 'agentRef'>
  readonly status?: Pick<StageletStatus, 'services'>
}): string[] => {
  if (spec?.address !== undefined) return [spec.address]
  const ports = (status?.services ?? []).flatMap(({ ports: published = [] }) => published)
  const open = [...new Set(ports)].filter((port) => port.endsWith('/tcp'))
  return open
    .map((port) => port.replace('/tcp', ''))
    .map((port) =>
      port.includes(':') ? `http://${port}` : `http://${spec?.agentRef.name ?? ''}:${port}`,
    )
}
