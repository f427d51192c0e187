// Describes services that are not healthy although nothing is rolled out.
import { describeFailed, type FailedContainer } from './gate-failure.ts'
import type { ObservedContainer } from './container.ts'

/** The description of a service. `state`: the state of its container that the description is about. */
export interface UnhealthyService {
  readonly state: string
  readonly detail: string
}

const mostTold = 2048

const reasonOf = ({ state, health }: ObservedContainer): FailedContainer['reason'] | undefined => {
  if (health === 'unhealthy') return 'Unhealthy'
  if (state === 'restarting') return 'CrashLoop'
  if (state === 'paused') return 'Paused'
  return state === 'created' ? 'NotStarted' : undefined
}

/**
 * By service. The description of a container stays while its state stays: a health check may print another text each
 * time.
 */
export const findUnhealthy = (
  containers: readonly ObservedContainer[],
  mask: (text: string) => string,
  before: ReadonlyMap<string, UnhealthyService>,
): Map<string, UnhealthyService> => {
  const found = new Map<string, UnhealthyService>()
  for (const container of containers) {
    const { service, id, state, health, restartCount } = container
    const reason = reasonOf(container)
    if (reason === undefined || found.has(service)) continue
    const fingerprint = [id, state, health, restartCount].join(' ')
    const previous = before.get(service)
    const detail =
      previous?.state === fingerprint
        ? previous.detail
        : describeFailed({ reason, container }, mask).slice(0, mostTold)
    found.set(service, { state: fingerprint, detail })
  }
  return found
}
