// The health gate: a service has passed when all its containers carry the wanted digest and have
// been steady over several samples, healthy where they have a check, or done where they are jobs.
import type { Clock } from '../src/kernel/clock.ts'
import type { Engine } from './docker/engine.ts'
import {
  failureOf,
  hasEnded,
  missingFailure,
  type Failed,
  type GateFailure,
} from './gate-failure.ts'
import { isCompleted, isEnded, observeProject } from './observe.ts'
import type { ObservedContainer } from './observe.ts'

export interface GateResult {
  readonly passed: Readonly<Record<string, string>>
  readonly failure?: GateFailure
  readonly containers: readonly ObservedContainer[]
}

export interface GateDeps {
  readonly engine: Engine
  readonly clock: Clock
  readonly mask: (text: string) => string
  /** True for a container that somebody stopped: not a job that is done, whatever its exit code. */
  readonly isStopped?: (container: ObservedContainer) => boolean
}

export interface GateRequest {
  readonly project: string
  /** Services to judge, with the digest each must carry ('' for none). */
  readonly wanted: ReadonlyMap<string, string>
  /** Those of them that must have ended well: others wait for what they do. */
  readonly mustEnd?: ReadonlySet<string>
  readonly sampleMs?: number
  readonly steadyMs?: number
  readonly minDeadlineMs?: number
  /** Called with what is still waited for, such as `web: health check starting`, whenever it changes. */
  readonly onWaiting?: (what: readonly string[]) => void
}

const slackMs = 10_000
/** A job that others wait for may take as long as Compose would be let wait for it. */
const jobDeadlineMs = 15 * 60_000
/** A sample takes longer on a busy machine; much longer says that the agent itself was held up. */
const longestStepMs = 10_000
const samplesToPass = 3
const restartsOfALoop = 3

type Verdict =
  | { readonly state: 'ok' | 'wait' }
  | { readonly state: 'failed'; readonly reason: Failed['reason'] }

interface Tracked {
  /** Containers as they were when they were last seen ended, by id. */
  readonly ends: ReadonlyMap<string, ObservedContainer>
  readonly first: ReadonlyMap<string, number>
  readonly print: string
  readonly steady: number
  /** For how long one of them was seen paused. */
  readonly pausedMs: number
}

const restartsSince = (c: ObservedContainer, first: ReadonlyMap<string, number>): number =>
  c.restartCount - (first.get(c.id) ?? 0)

const judge = (
  c: ObservedContainer,
  first: ReadonlyMap<string, number>,
  isStopped: GateDeps['isStopped'],
  mustEnd: boolean,
): Verdict => {
  if (isStopped?.(c) === true) return { state: 'failed', reason: 'Exited' }
  if (isCompleted(c)) return { state: 'ok' }
  const restarts = restartsSince(c, first)
  if (restarts >= restartsOfALoop) return { state: 'failed', reason: 'CrashLoop' }
  if (c.state === 'restarting')
    return c.restartCount >= restartsOfALoop
      ? { state: 'failed', reason: 'CrashLoop' }
      : { state: 'wait' }
  if (isEnded(c)) return { state: 'failed', reason: 'Exited' }
  if (c.health === 'unhealthy') return { state: 'failed', reason: 'Unhealthy' }
  if (c.state !== 'running' || c.health === 'starting' || mustEnd) return { state: 'wait' }
  return { state: 'ok' }
}

const printOf = (containers: readonly ObservedContainer[]): string =>
  containers
    .map((c) => `${c.id} ${c.startedAt} ${c.restartCount} ${c.state} ${c.health ?? ''}`)
    .join('\n')

const describeWait = (own: readonly ObservedContainer[], mustEnd: boolean): string => {
  if (own.some((c) => c.health === 'starting')) return 'health check starting'
  if (mustEnd && own.some((c) => c.state === 'running')) return 'not done yet'
  const state = own.find((c) => c.state !== 'running' && !isCompleted(c))?.state
  return state ?? 'watching that it stays up'
}

const deadlineOf = (containers: readonly ObservedContainer[], minMs: number): number =>
  Math.max(minMs, ...containers.map((c) => (c.healthBudgetMs ?? 0) + slackMs))

type Look = { readonly verdict: 'passed' | 'wait' } | ({ readonly verdict: 'failed' } & Failed)

/** One look at a service: passed, failed, or wait on. `deps.clock` and the engine share the machine's clock. */
const lookAt = (
  own: readonly ObservedContainer[],
  tracked: Tracked,
  given: {
    readonly nowMs: number
    readonly elapsedMs: number
    readonly steadyMs: number
    readonly sampleMs: number
    readonly minDeadlineMs: number
    readonly isStopped: GateDeps['isStopped']
    readonly mustEnd: boolean
  },
): Look => {
  const { nowMs, elapsedMs, steadyMs, sampleMs, isStopped, mustEnd } = given
  const verdicts = own.map((c) => judge(c, tracked.first, isStopped, mustEnd))
  const fail = (reason: Failed['reason'], container: ObservedContainer): Look => ({
    verdict: 'failed',
    reason,
    container,
    lastEnd: tracked.ends.get(container.id),
  })
  const failed = verdicts.findIndex((v) => v.state === 'failed')
  const failure = verdicts[failed]
  if (failure?.state === 'failed') return fail(failure.reason, own[failed]!)
  // Watched for that long is as good: the clock may have been set back since it started.
  const isWatched = (tracked.steady - 1) * sampleMs >= steadyMs
  const isOldEnough = own.every(
    (c) => isWatched || isCompleted(c) || nowMs - Date.parse(c.startedAt) >= steadyMs,
  )
  const waiting = verdicts.findIndex((v) => v.state === 'wait')
  if (waiting < 0 && isOldEnough && tracked.steady >= samplesToPass) return { verdict: 'passed' }
  // What somebody pauses has its time when it goes on, and is not paused for ever.
  const deadlineMs = deadlineOf(own, mustEnd ? jobDeadlineMs : given.minDeadlineMs)
  const { pausedMs } = tracked
  if (pausedMs > deadlineMs) return fail('Paused', own.find(isPaused) ?? own[0]!)
  return elapsedMs - pausedMs > deadlineMs
    ? fail('TimedOut', own[waiting] ?? own[0]!)
    : { verdict: 'wait' }
}

const isPaused = ({ state }: ObservedContainer): boolean => state === 'paused'

const track = (
  own: readonly ObservedContainer[],
  before: Tracked | undefined,
  stepMs: number,
): Tracked => {
  const print = printOf(own)
  const first = new Map(before?.first)
  for (const c of own) if (!first.has(c.id)) first.set(c.id, c.restartCount)
  const ended = own.filter(hasEnded).map((c) => [c.id, c] as const)
  const ends = new Map([...(before?.ends ?? []), ...ended])
  const pausedMs = (before?.pausedMs ?? 0) + (own.some(isPaused) ? stepMs : 0)
  return { ends, first, print, steady: before?.print === print ? before.steady + 1 : 1, pausedMs }
}

/**
 * Watches the services until each has passed, or one has failed; those that passed before stay
 * passed in the result. Rejects with an AbortError when `signal` aborts.
 */
export const runGate = async (
  deps: GateDeps,
  request: GateRequest,
  signal: AbortSignal,
): Promise<GateResult> => {
  const { project, wanted, sampleMs = 250, steadyMs = 1500, minDeadlineMs = 60_000 } = request
  const timing = { sampleMs, steadyMs, minDeadlineMs }
  const { isStopped } = deps
  let lastMs = deps.clock.monotonic()
  let elapsedMs = 0
  let told = ''
  const tracked = new Map<string, Tracked>()
  const passed: Record<string, string> = {}
  for (let sample = 1; ; sample++) {
    const containers = await observeProject(deps.engine, project)
    const nowMs = deps.clock.now()
    const atMs = deps.clock.monotonic()
    const stepMs = Math.min(atMs - lastMs, longestStepMs)
    elapsedMs += stepMs
    lastMs = atMs
    const waiting: string[] = []
    for (const [service, digest] of wanted) {
      const own = containers.filter((c) => c.service === service)
      const fail = (failure: GateFailure): GateResult => ({ passed, containers, failure })
      if (own.length === 0) return fail(missingFailure(service))
      const other = own.find((c) => c.digest !== digest)
      if (other !== undefined)
        return fail(await failureOf(deps, { reason: 'LabelMismatch', container: other }))
      const next = track(own, tracked.get(service), stepMs)
      tracked.set(service, next)
      const mustEnd = request.mustEnd?.has(service) ?? false
      const look = lookAt(own, next, { ...timing, nowMs, elapsedMs, isStopped, mustEnd })
      // The first samples only watch, so that healthy neighbours of a failed service can pass.
      if (look.verdict === 'failed' && sample > samplesToPass)
        return fail(await failureOf(deps, look))
      if (look.verdict === 'passed') passed[service] = digest
      else waiting.push(`${service}: ${describeWait(own, mustEnd)}`)
    }
    if (waiting.length === 0) return { passed, containers }
    if (waiting.join() !== told) request.onWaiting?.(waiting)
    told = waiting.join()
    await deps.clock.sleep(sampleMs, signal)
  }
}
