// What differs from what was settled, and how it came about; and how long healing waits. Pure.
import type { Drift } from '../src/resources/observation.ts'
import type { Ending } from './endings.ts'
import { isDown, type ObservedContainer } from './observe.ts'

export type DriftChange = Drift['changes'][number]

export interface DriftInput {
  /** Services that have to be acted on. */
  readonly affected: readonly string[]
  /** Containers when everything was right. */
  readonly before: readonly ObservedContainer[]
  readonly now: readonly ObservedContainer[]
  readonly wanted: ReadonlyMap<string, string>
  readonly endingOf: (containerId: string) => Ending | undefined
}

/** More would make a report long and tell nobody more. */
const mostTold = 20

/** While Compose re-creates a container, the new one has the old one’s id before its name. */
const lastingName = ({ name, replaces }: ObservedContainer): string =>
  replaces === undefined ? name : name.replace(/^[0-9a-f]{12}_/, '')

const isEnded = (c: ObservedContainer): boolean => c.state === 'exited' || c.state === 'dead'

/** It has ended because somebody stopped it, with whatever exit code. */
export const isStoppedByHand = (c: ObservedContainer, endingOf: DriftInput['endingOf']): boolean =>
  isEnded(c) && endingOf(c.id)?.how === 'Stopped'

const changesOf = (service: string, input: DriftInput): DriftChange[] => {
  const { before, now, wanted, endingOf } = input
  const own = now.filter((c) => c.service === service)
  const ids = new Set(own.map((c) => c.id))
  const changes: DriftChange[] = []
  for (const c of own) {
    const { exitCode } = c
    const container = lastingName(c)
    if (c.digest !== (wanted.get(service) ?? ''))
      changes.push({ service, container, what: 'Replaced' })
    else if (isDown(c) || isStoppedByHand(c, endingOf))
      changes.push({ service, container, what: endingOf(c.id)?.how ?? 'Died', exitCode })
  }
  const gone = before.filter((c) => c.service === service && !ids.has(c.id))
  // Where a new one stands in its place, that one is told of.
  for (const { name } of gone.filter((c) => !own.some((o) => lastingName(o) === c.name)))
    changes.push({ service, container: name, what: 'Removed' })
  return changes
}

/** Every difference, by service. */
export const findChanges = (input: DriftInput): DriftChange[] =>
  input.affected.flatMap((service) => changesOf(service, input)).slice(0, mostTold)

/** True when nothing of the stack runs, and all that ran was stopped by somebody. */
export const isWholeStackStopped = ({ before, now, endingOf }: DriftInput): boolean => {
  const ran = before.filter((c) => !isEnded(c))
  return ran.length > 0 && now.every(isEnded) && ran.every((c) => endingOf(c.id)?.how === 'Stopped')
}

/** Somebody who stops or re-creates one container may be about to do it to the next. */
const stopGraceMs = 10_000
const replaceGraceMs = 2_000

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
    const ending = running.has(id) ? undefined : input.endingOf(id)
    return ending?.how === 'Stopped' ? remaining(ending.atMs, stopGraceMs) : []
  })
  const replaced = input.now.filter(
    (c) => input.affected.includes(c.service) && c.digest !== (input.wanted.get(c.service) ?? ''),
  )
  // An old one that was replaced was stopped too: what stands in its place counts.
  if (replaced.length > 0)
    return Math.max(
      ...replaced.map((c) =>
        remaining(Math.max(Date.parse(c.startedAt), c.createdAtMs), replaceGraceMs),
      ),
    )
  return Math.max(0, ...stops)
}
