// When containers became healthy, by the engine. It keeps the last five checks only, so what was read once is remembered.
import type { ContainerDetails } from './docker/engine.ts'
import type { ObservedContainer } from './observe.ts'

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

const startOf = ({ id, startedAt }: ObservedContainer): string => `${id} ${startedAt}`

/** Of the containers that are there, what is known by now; `known` is from before. */
export const healthyTimes = (
  containers: readonly ObservedContainer[],
  known: HealthyTimes,
): HealthyTimes =>
  new Map(
    containers.flatMap((container) => {
      const at = known.get(startOf(container)) ?? container.firstHealthyAt
      return at === undefined ? [] : [[startOf(container), at] as const]
    }),
  )

/** When the last of these became healthy; undefined while one is not, or has no health check. */
export const healthySinceOf = (
  containers: readonly ObservedContainer[],
  known: HealthyTimes,
): string | undefined => {
  const times = containers.map((container) =>
    container.health === 'healthy' ? known.get(startOf(container)) : undefined,
  )
  return times.includes(undefined) ? undefined : times.sort().at(-1)
}
