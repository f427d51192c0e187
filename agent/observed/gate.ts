// The health gate. A service passes when all its containers carry the wanted digest and are steady over several
// samples: healthy where they have a health check, done where they are jobs.
import type { Clock } from '../../src/kernel/clock.ts'
import type { Engine } from '../docker/engine.ts'
import {
  gateFailureOf,
  isDown,
  missingFailure,
  type FailedContainer,
  type GateFailure,
} from './gate-failure.ts'
import { observeProject } from './observe.ts'
import { byName, isCompleted, isEnded, type ObservedContainer } from './container.ts'

export interface GateResult {
  readonly passed: Readonly<Record<string, string>>
  readonly failure?: GateFailure | undefined
  readonly containers: readonly ObservedContainer[]
}

export interface GateDeps {
  readonly engine: Engine
  readonly clock: Clock
  readonly mask: (text: string) => string
  /** True for a container that somebody stopped: not a job that is done, whatever its exit code. */
  readonly isStopped?: (container: ObservedContainer) => boolean
}

interface GateRequest {
  readonly project: string
  /** Services to check, with the digest that each must carry ('' for none). */
  readonly wanted: ReadonlyMap<string, string>
  /** Services among them that must have ended with success, as others wait for that. */
  readonly mustEnd?: ReadonlySet<string>
  readonly sampleMs?: number
  readonly stableMs?: number
  readonly minDeadlineMs?: number
  /** Called with what the gate waits for, such as `web: health check starting`, whenever that changes. */
  readonly onWaiting?: (what: readonly string[]) => void
}

const slackMs = 10_000
/** Deadline of a job that others wait for; the same as for Compose. */
const jobDeadlineMs = 15 * 60_000
/** A longer time between two samples does not count: the agent itself was held up then. */
const longestStepMs = 10_000
const samplesToPass = 3
const restartsOfALoop = 3

type Verdict =
  | { readonly state: 'ok' | 'wait' }
  | { readonly state: 'failed'; readonly reason: FailedContainer['reason'] }

interface Tracked {
  /** By id, the containers when they were last seen ended. */
  readonly ends: ReadonlyMap<string, ObservedContainer>
  readonly first: ReadonlyMap<string, number>
  readonly print: string
  readonly stableSamples: number
  /** How long one of the containers was seen paused. */
  readonly pausedMs: number
}

const restartsSince = (c: ObservedContainer, first: ReadonlyMap<string, number>): number =>
  c.restartCount - (first.get(c.id) ?? 0)

const checkContainer = (
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

type Look =
  { readonly verdict: 'passed' | 'wait' } | ({ readonly verdict: 'failed' } & FailedContainer)

/** Checks a service once: passed, failed, or wait on. `nowMs` is by the same clock as the engine's times. */
const lookAt = (
  own: readonly ObservedContainer[],
  tracked: Tracked,
  timing: {
    readonly nowMs: number
    readonly elapsedMs: number
    readonly stableMs: number
    readonly sampleMs: number
    readonly minDeadlineMs: number
    readonly isStopped: GateDeps['isStopped']
    readonly mustEnd: boolean
  },
): Look => {
  const { nowMs, elapsedMs, stableMs, sampleMs, isStopped, mustEnd } = timing
  const verdicts = own.map((c) => checkContainer(c, tracked.first, isStopped, mustEnd))
  const fail = (reason: FailedContainer['reason'], container: ObservedContainer): Look => ({
    verdict: 'failed',
    reason,
    container,
    lastEnd: tracked.ends.get(container.id),
  })
  const failed = verdicts.findIndex((v) => v.state === 'failed')
  const failure = verdicts[failed]
  if (failure?.state === 'failed') return fail(failure.reason, own[failed]!)
  // The age by the gate's own watching counts too: the clock may have been set back since the start.
  const isWatched = (tracked.stableSamples - 1) * sampleMs >= stableMs
  const isOldEnough = own.every(
    (c) => isWatched || isCompleted(c) || nowMs - Date.parse(c.startedAt) >= stableMs,
  )
  const waiting = verdicts.findIndex((v) => v.state === 'wait')
  if (waiting < 0 && isOldEnough && tracked.stableSamples >= samplesToPass)
    return { verdict: 'passed' }
  // The deadline does not run while a container is paused; but a pause that is longer than it fails.
  const deadlineMs = deadlineOf(own, mustEnd ? jobDeadlineMs : timing.minDeadlineMs)
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
  const ended = own.filter(isDown).map((c) => [c.id, c] as const)
  const ends = new Map([...(before?.ends ?? []), ...ended])
  const pausedMs = (before?.pausedMs ?? 0) + (own.some(isPaused) ? stepMs : 0)
  return {
    ends,
    first,
    print,
    stableSamples: before?.print === print ? before.stableSamples + 1 : 1,
    pausedMs,
  }
}

/**
 * Watches the services until each has passed, or one has failed. Services that passed before another failed are in
 * `passed`, too. Rejects with an AbortError when `signal` aborts.
 */
export const runGate = async (
  deps: GateDeps,
  request: GateRequest,
  signal: AbortSignal,
): Promise<GateResult> => {
  const { project, wanted, sampleMs = 250, stableMs = 1500, minDeadlineMs = 60_000 } = request
  const timing = { sampleMs, stableMs, minDeadlineMs }
  const { isStopped } = deps
  let lastMs = deps.clock.monotonic()
  let elapsedMs = 0
  let lastProgress = ''
  const tracked = new Map<string, Tracked>()
  const passed: Record<string, string> = {}
  const isWanted = (service: string): boolean => wanted.has(service)
  for (let sample = 1; ; sample++) {
    const containers = await observeProject(deps.engine, project, isWanted)
    const end = async (failure?: GateFailure): Promise<GateResult> => {
      const others = await observeProject(deps.engine, project, (service) => !isWanted(service))
      return { passed, containers: [...containers, ...others].sort(byName), failure }
    }
    const nowMs = deps.clock.now()
    const atMs = deps.clock.monotonic()
    const stepMs = Math.min(atMs - lastMs, longestStepMs)
    elapsedMs += stepMs
    lastMs = atMs
    const waiting: string[] = []
    for (const [service, digest] of wanted) {
      const own = containers.filter((c) => c.service === service)
      if (own.length === 0) return end(missingFailure(service))
      const other = own.find((c) => c.digest !== digest)
      if (other !== undefined)
        return end(await gateFailureOf(deps, { reason: 'LabelMismatch', container: other }))
      const next = track(own, tracked.get(service), stepMs)
      tracked.set(service, next)
      const mustEnd = request.mustEnd?.has(service) ?? false
      const sampled = lookAt(own, next, { ...timing, nowMs, elapsedMs, isStopped, mustEnd })
      // A failure counts only after the first samples, so that other services can pass before it.
      if (sampled.verdict === 'failed' && sample > samplesToPass)
        return end(await gateFailureOf(deps, sampled))
      if (sampled.verdict === 'passed') passed[service] = digest
      else waiting.push(`${service}: ${describeWait(own, mustEnd)}`)
    }
    if (waiting.length === 0) return end()
    if (waiting.join() !== lastProgress) request.onWaiting?.(waiting)
    lastProgress = waiting.join()
    await deps.clock.sleep(sampleMs, signal)
  }
}
