// Tells whether a failed gate may be due to the values of the service: not where somebody ended its container.
import type { Clock } from '../../src/kernel/clock.ts'
import { eventLagMs } from './drift.ts'
import type { ContainerExits } from './container-exits.ts'
import type { GateFailure, GateReason } from './gate-failure.ts'
import { isEnded, type ObservedContainer } from './container.ts'

/** Reasons that may be due to the values. The others say that Compose or a person did something else than was asked. */
const reasonsOfValues: ReadonlySet<GateReason> = new Set([
  'Exited',
  'CrashLoop',
  'Unhealthy',
  'TimedOut',
])

const lookMs = 100

/** How somebody ended the container by the engine's API; undefined where that was not seen. */
export const endedFromOutside = (
  exitOf: ContainerExits['exitOf'],
  c: ObservedContainer,
): 'Stopped' | 'Killed' | undefined => {
  const how = c.state === 'exited' ? exitOf(c.id)?.how : undefined
  return how === 'Died' ? undefined : how
}

export type FailureCause =
  | { readonly isOfValues: true }
  /** Undefined where the failure's own message tells it. */
  | { readonly isOfValues: false; readonly message?: string }

/**
 * Waits for the event of a container's end where it has not come yet. An engine that goes down stops all containers and
 * sends no events, so that an end without an event is not held against the revision. Where the revision is to blame,
 * the container ends again at the next try, with an event.
 */
export const findFailureCause = async (
  failure: GateFailure,
  containers: readonly ObservedContainer[],
  { exitOf, clock }: { readonly exitOf: ContainerExits['exitOf']; readonly clock: Clock },
  signal: AbortSignal,
): Promise<FailureCause> => {
  const { service, reason } = failure
  const ended = containers.filter((c) => c.service === service && isEnded(c))
  const isUntold = (): boolean => ended.some((c) => exitOf(c.id) === undefined)
  for (let waited = 0; reason === 'Exited' && isUntold() && waited < eventLagMs; waited += lookMs)
    await clock.sleep(lookMs, signal)
  for (const c of ended) {
    const how = endedFromOutside(exitOf, c)?.toLowerCase()
    if (how === undefined) continue
    const message = `service ${service}: container ${c.name} was ${how} from outside while it was watched`
    return { isOfValues: false, message }
  }
  const unseen = reason === 'Exited' && ended.find((c) => exitOf(c.id) === undefined)
  if (unseen !== false && unseen !== undefined) {
    const message = `service ${service}: container ${unseen.name} ended with code ${unseen.exitCode} while the engine told nothing, as when it goes down; it is started again`
    return { isOfValues: false, message }
  }
  return { isOfValues: reasonsOfValues.has(reason) }
}
