// When containers became healthy, by the engine: as it said then, or as its log of checks says, which keeps the last five
// only. What was once known is remembered.
import { toFineTimestamp } from '../../src/kernel/clock.ts'
import type { ContainerDetails, EngineEvent } from '../docker/engine.ts'
import type { ObservedContainer } from './container.ts'

/** As many checks as the engine keeps. */
const mostChecks = 5

/** End of the first check of this start that passed; undefined where that is not in the engine's log. */
export const firstHealthyIn = ({ State: state }: ContainerDetails): string | undefined => {
  const log = state.Health?.Log ?? []
  const startedAt = Date.parse(state.StartedAt)
  const own = log.filter(({ Start: start = '' }) => Date.parse(start) >= startedAt)
  const isWhole = log.length < mostChecks || own.length < log.length || own[0]?.ExitCode !== 0
  return isWhole ? own.find(({ ExitCode: code }) => code === 0)?.End : undefined
}

type HealthyTimes = ReadonlyMap<string, string>

/** By id of the container, when the engine said that it became healthy after its last start. */
interface HealthEvents {
  readonly note: (event: EngineEvent | undefined) => void
  readonly firstHealthyOf: (containerId: string) => string | undefined
}

const mostKept = 500

export const createHealthEvents = (): HealthEvents => {
  const byId = new Map<string, string>()
  return {
    note: (event) => {
      const { Action: action, Actor: actor, timeNano } = event ?? {}
      if (actor === undefined) return
      if (action === 'start') byId.delete(actor.ID)
      if (action !== 'health_status: healthy' || timeNano === undefined) return
      if (!byId.has(actor.ID)) byId.set(actor.ID, toFineTimestamp(timeNano / 1e6))
      const oldest = byId.keys().next().value
      if (byId.size > mostKept && oldest !== undefined) byId.delete(oldest)
    },
    firstHealthyOf: (id) => byId.get(id),
  }
}

const startOf = ({ id, startedAt }: ObservedContainer): string => `${id} ${startedAt}`

/** The times of these containers. `before`: the times of the last call. */
export const healthyTimes = (
  containers: readonly ObservedContainer[],
  before: HealthyTimes,
  firstHealthyOf: HealthEvents['firstHealthyOf'],
): HealthyTimes =>
  new Map(
    containers.flatMap((container) => {
      const { id, startedAt, firstHealthyAt } = container
      const reported = firstHealthyOf(id)
      // A start may have been missed.
      const isOfStart = reported !== undefined && Date.parse(reported) >= Date.parse(startedAt)
      const healthyAt =
        before.get(startOf(container)) ?? firstHealthyAt ?? (isOfStart ? reported : undefined)
      return healthyAt === undefined ? [] : [[startOf(container), healthyAt] as const]
    }),
  )

/** When the last of these became healthy; undefined while one is not, or has no health check. */
export const healthySinceOf = (
  containers: readonly ObservedContainer[],
  knownTimes: HealthyTimes,
): string | undefined => {
  const times = containers.map((container) =>
    container.health === 'healthy' ? knownTimes.get(startOf(container)) : undefined,
  )
  return times.includes(undefined) ? undefined : times.sort().at(-1)
}
