// What differs from what was settled, and how it came about; and how long healing waits. Pure.
import type { Drift } from '../src/resources/observation.ts'
import type { ContainerExit } from './container-exits.ts'
import { isCompleted, isDown, isEnded, lastingName, type ObservedContainer } from './observe.ts'

export type DriftChange = Drift['changes'][number]

export interface DriftInput {
  /** Services that have to be acted on. */
  readonly affected: readonly string[]
  /** Containers when everything was right. */
  readonly before: readonly ObservedContainer[]
  readonly now: readonly ObservedContainer[]
  readonly wanted: ReadonlyMap<string, string>
  readonly exitOf: (containerId: string) => ContainerExit | undefined
  /** Ids of containers that did not end by themselves, however they look: see `endedByOthers`. */
  readonly stopped: ReadonlySet<string>
  /** Ids of containers that the agent's own Compose may have stopped: see StackState. */
  readonly interrupted: ReadonlySet<string>
  /** Who has just touched a service through the agent. */
  readonly byOf: (service: string) => string | undefined
}

/** More would make a report long and tell nobody more. */
const mostTold = 20

/** The engine tells of an end a moment after it shows it. */
export const eventLagMs = 2_000

/**
 * Ids of containers that were stopped or killed, with whatever exit code. An engine that goes down
 * stops what it runs and cannot tell of it, and many programs exit 0 then: of a service in `lasting`
 * an end that nobody saw is such a one, and not that of a job that is done.
 */
export const endedByOthers = (
  containers: readonly ObservedContainer[],
  given: { exitOf: DriftInput['exitOf']; lasting: ReadonlySet<string> },
): Set<string> => {
  const isByOthers = (c: ObservedContainer): boolean => {
    const how = given.exitOf(c.id)?.how
    return how === undefined ? given.lasting.has(c.service) : how !== 'Died'
  }
  return new Set(containers.filter((c) => isEnded(c) && isByOthers(c)).map((c) => c.id))
}

/** One of them ended just now, and its event may be on its way: nothing can be said yet. */
export const isExitUnclear = (
  containers: readonly ObservedContainer[],
  exitOf: DriftInput['exitOf'],
  nowMs: number,
): boolean =>
  containers.some((c) => {
    const age = nowMs - Date.parse(c.finishedAt ?? '')
    return isCompleted(c) && exitOf(c.id) === undefined && age >= 0 && age < eventLagMs
  })

/** Services that are no jobs, as far as is known: one leaves the list when it is seen to end by itself. */
export const lastingAfter = (
  before: readonly string[],
  containers: readonly ObservedContainer[],
  exitOf: DriftInput['exitOf'],
): string[] => {
  const runs = (c: ObservedContainer): boolean => !isEnded(c) && c.state !== 'created'
  const isDone = (c: ObservedContainer): boolean => isEnded(c) && exitOf(c.id)?.how === 'Died'
  const kept = containers.filter((c) => runs(c) || (before.includes(c.service) && !isDone(c)))
  return [...new Set(kept.map((c) => c.service))].sort()
}

const changesOf = (service: string, input: DriftInput): DriftChange[] => {
  const { before, now, wanted, exitOf, stopped } = input
  const own = now.filter((c) => c.service === service)
  const ids = new Set(own.map((c) => c.id))
  const changes: DriftChange[] = []
  for (const c of own) {
    const { exitCode, outOfMemory } = c
    const memory = outOfMemory === undefined ? {} : { outOfMemory }
    const container = lastingName(c)
    if (c.digest !== (wanted.get(service) ?? ''))
      changes.push({ service, container, what: 'Replaced' })
    else if (isDown(c) || stopped.has(c.id))
      changes.push({ service, container, what: exitOf(c.id)?.how ?? 'Died', exitCode, ...memory })
  }
  const gone = before.filter((c) => c.service === service && !ids.has(c.id))
  // Where a new one stands in its place, that one is told of.
  for (const { name } of gone.filter((c) => !own.some((o) => lastingName(o) === c.name)))
    changes.push({ service, container: name, what: 'Removed' })
  const by = input.byOf(service)
  return changes.map((change) =>
    by === undefined || change.what === 'Died' ? change : { ...change, by },
  )
}

/** Every difference, by service. */
export const findChanges = (input: DriftInput): DriftChange[] =>
  input.affected.flatMap((service) => changesOf(service, input)).slice(0, mostTold)

/**
 * True when nothing of the stack runs, and all that ran was stopped by somebody: also what came after
 * `before`, for which a rollout has stopped that.
 */
export const isWholeStackStopped = (input: DriftInput): boolean => {
  const { before, now, exitOf, interrupted } = input
  const ran = before.filter((c) => !isEnded(c))
  const isNew = ({ id }: ObservedContainer): boolean => !before.some((c) => c.id === id)
  const isStopped = ({ id }: ObservedContainer): boolean =>
    exitOf(id)?.how === 'Stopped' && !interrupted.has(id)
  const all = [...ran, ...now.filter(isNew)]
  return ran.length > 0 && now.every(isEnded) && all.every(isStopped)
}

/** Somebody who stops or re-creates one container may be about to do it to the next. */
const stopGraceMs = 10_000
const replaceGraceMs = 2_000
/** A container that was made and not started: an `up` may be waiting for what it depends on. */
const createdGraceMs = 60_000

/** For how long healing stays out of the way of what a person is just doing. 0 for what nobody did. */
export const waitForPerson = (input: DriftInput, nowMs: number): number => {
  const remaining = (sinceMs: number, graceMs: number): number => {
    const age = nowMs - sinceMs
    // In the future: the clock was set back.
    return age < 0 ? 0 : Math.max(0, graceMs - age)
  }
  const ran = new Set(input.before.filter((c) => !isEnded(c)).map((c) => c.id))
  const running = new Set(input.now.filter((c) => !isEnded(c)).map((c) => c.id))
  const stops = [...ran].flatMap((id) => {
    const ending = running.has(id) ? undefined : input.exitOf(id)
    return ending?.how === 'Stopped' ? remaining(ending.atMs, stopGraceMs) : []
  })
  const replaced = input.now.filter(
    (c) => input.affected.includes(c.service) && c.digest !== (input.wanted.get(c.service) ?? ''),
  )
  // Whoever re-creates the one that others share with may be about to re-create those.
  const made = input.now.filter((c) => !input.before.some(({ id }) => id === c.id))
  const news = made.map((c) =>
    remaining(Math.max(Date.parse(c.startedAt), c.createdAtMs), replaceGraceMs),
  )
  // An old one that was replaced was stopped too: what stands in its place counts.
  if (replaced.length > 0)
    return Math.max(
      ...replaced.map((c) =>
        c.state === 'created'
          ? remaining(c.createdAtMs, createdGraceMs)
          : remaining(Math.max(Date.parse(c.startedAt), c.createdAtMs), replaceGraceMs),
      ),
    )
  return Math.max(0, ...stops, ...news)
}
