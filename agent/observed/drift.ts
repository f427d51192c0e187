// Finds how containers differ from those that were settled last, why, and how long healing waits. Pure.
import type { Drift } from '../../src/kinds/observation/schema.ts'
import type { ContainerExit } from './container-exits.ts'
import { isCompleted, isDown, isEnded, lastingName, type ObservedContainer } from './container.ts'

export type DriftChange = Drift['changes'][number]

export interface DriftInput {
  /** Services that have to be acted on. */
  readonly affected: readonly string[]
  /** The containers when the stack was settled last. */
  readonly before: readonly ObservedContainer[]
  readonly now: readonly ObservedContainer[]
  readonly wanted: ReadonlyMap<string, string>
  readonly exitOf: (containerId: string) => ContainerExit | undefined
  /** Ids of containers that somebody ended, also where they look like jobs that are done: see `endedByOthers`. */
  readonly stopped: ReadonlySet<string>
  /** Ids of containers that the agent's own Compose may have stopped: see StackState. */
  readonly interrupted: ReadonlySet<string>
  /** The person whose `stagely compose` has just changed the service. */
  readonly byOf: (service: string) => string | undefined
}

/** Changes in one report. */
const mostTold = 20

/** The event of a container's end may come so much later than the end is seen. */
export const eventLagMs = 2_000

/**
 * Ids of containers that were stopped or killed, with any exit code. An engine that goes down stops its containers
 * without events, and many programs exit with 0 then. So in a service of `lasting` an end without an event is a stop,
 * and not the end of a job.
 */
export const endedByOthers = (
  containers: readonly ObservedContainer[],
  evidence: { exitOf: DriftInput['exitOf']; lasting: ReadonlySet<string> },
): Set<string> => {
  const isByOthers = (c: ObservedContainer): boolean => {
    const how = evidence.exitOf(c.id)?.how
    return how === undefined ? evidence.lasting.has(c.service) : how !== 'Died'
  }
  return new Set(containers.filter((c) => isEnded(c) && isByOthers(c)).map((c) => c.id))
}

/** True where a container ended just now, and the event that tells why may still come. */
export const isExitUnclear = (
  containers: readonly ObservedContainer[],
  exitOf: DriftInput['exitOf'],
  nowMs: number,
): boolean =>
  containers.some((c) => {
    const age = nowMs - Date.parse(c.finishedAt ?? '')
    return isCompleted(c) && exitOf(c.id) === undefined && age >= 0 && age < eventLagMs
  })

/** Services that are no jobs, as far as is known. A service leaves the list when it is seen to end by itself. */
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
    const isOver = isDown(c) || stopped.has(c.id)
    // One with a label of ours is ours, though it may have secrets of an earlier revision: what happened to it is its end.
    if (c.digest !== (wanted.get(service) ?? '') && !(isOver && c.digest !== ''))
      changes.push({ service, container, what: 'Replaced' })
    else if (isOver)
      changes.push({ service, container, what: exitOf(c.id)?.how ?? 'Died', exitCode, ...memory })
  }
  const gone = before.filter((c) => c.service === service && !ids.has(c.id))
  // Where a new container has the place of a removed one, only the new one is told.
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
 * True when nothing of the stack runs, and somebody stopped all containers that ran, also those that a rollout has made
 * since `before`.
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

/** A person who stops or re-creates one container may do it to the next one, too. */
const stopGraceMs = 10_000
const replaceGraceMs = 2_000
/** For a container that was made and not started: an `up` may be waiting for its dependencies. */
const createdGraceMs = 60_000

/** How long (ms) healing waits for a person who is just changing the stack. 0 where no person did. */
export const waitForPerson = (input: DriftInput, nowMs: number): number => {
  const remaining = (sinceMs: number, graceMs: number): number => {
    const age = nowMs - sinceMs
    // A time in the future: the clock was set back.
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
  // A person who re-creates a container may be about to re-create those that share with it.
  const made = input.now.filter((c) => !input.before.some(({ id }) => id === c.id))
  const news = made.map((c) =>
    remaining(Math.max(Date.parse(c.startedAt), c.createdAtMs), replaceGraceMs),
  )
  // A replaced container was stopped as well: the new one in its place counts.
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
