// Reports to the controller. Changes that a person waits for are sent at once; details (restart counts, start times) at
// most every 10 s for each stagelet, and 10 to 20 s after a connect.
//
// INVARIANTS
// - A report holds whole states, so that it may be repeated or dropped.
// - Every attempt has a new `seq`: the controller refuses a number that it has seen.
import { isDeepStrictEqual } from 'node:util'
import { backoffMs } from '../../src/kernel/backoff.ts'
import type { Clock } from '../../src/kernel/clock.ts'
import { messageOf } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import {
  agentPaths,
  reportResponse,
  type ReportRequest,
  type ReportedStagelet,
} from '../../src/protocol/messages.ts'
import { fitReport } from '../../src/protocol/fit-report.ts'
import { waitFor, type ReconcileOutcome } from '../../src/runtime/control-loop.ts'
import { startSingleLoop } from '../../src/runtime/single-loop.ts'
import { RefusedByController, type ControllerClient } from './controller-client.ts'

const quietMs = 10_000
/** Stagelets in one report, so that its body stays far below the controller's limit. */
const mostInOne = 50
const mostBytesInOne = 2 * 1024 * 1024

export interface Reporter {
  changed(observation: ReportedStagelet): void
  forget(stageletUid: string): void
  /** To be called when a stream is up: reports everything again, as the controller may have lost it. */
  connected(): void
  /** To be called when the stream is lost: stops reporting until the next one, which reports everything again. */
  lost(): void
  /** `listener` is called in place of the one before when the controller refuses a report for the time of this machine. */
  onClockRefused(listener: () => void): void
  /** Sends no more, and resolves when nothing is on its way. */
  readonly stop: () => Promise<void>
}

interface ReporterDeps {
  readonly client: Pick<ControllerClient, 'post'>
  readonly boot: string
  readonly clock: Clock
  readonly random: () => number
  readonly log: Logger
}

interface Subject {
  newest: ReportedStagelet
  reported: ReportedStagelet | undefined
  reportedAt: number
  /** How long details wait after the last report. */
  quietMs: number
}

export const createReporter = (deps: ReporterDeps): Reporter => {
  const { clock, log } = deps
  const subjects = new Subjects()
  let seq = 0
  let isConnected = false
  let clockRefused = (): void => undefined
  let attempt = 0
  let restsUntil = -Infinity

  const post = async (observations: ReportedStagelet[], signal: AbortSignal): Promise<void> => {
    const body: ReportRequest = { boot: deps.boot, seq, observations }
    seq += 1
    const answer = await deps.client.post({ path: agentPaths.report, body, signal })
    const { refused } = reportResponse.parse(answer)
    if (refused.length > 0) {
      log.warn({ stagelets: refused }, 'the controller refused reports of stagelets')
    }
  }

  /** Sends what is due. */
  const send = async (signal: AbortSignal): Promise<ReconcileOutcome> => {
    // A new report ends the pause, but not one after a fault.
    const restMs = restsUntil - clock.monotonic()
    if (restMs > 0) return waitFor(restMs)
    const { ready, nextMs } = subjects.due(clock.monotonic())
    if (!isConnected || ready.length === 0) return waitFor(nextMs)
    const observations = ready.map((s) => s.newest)
    try {
      await post(observations, signal)
    } catch (error) {
      // Forbidden: none of the stagelets is this agent's, so that another try does not help.
      const isForbidden = error instanceof RefusedByController && error.status === 403
      log.warn({ reason: messageOf(error) }, 'a report did not get through')
      if (error instanceof RefusedByController && error.reason === 'ClockSkew') clockRefused()
      if (!isForbidden) {
        const waitMs = restAfter(error, attempt, deps.random)
        attempt += 1
        restsUntil = clock.monotonic() + waitMs
        return waitFor(waitMs)
      }
    }
    subjects.markTold(ready, observations, clock.monotonic(), deps.random)
    attempt = 0
    return waitFor(0)
  }
  const { runNow, stop } = startSingleLoop(deps, { name: 'reports', run: send })

  return {
    changed: (observation) => {
      subjects.put(fitReport(observation))
      runNow()
    },
    onClockRefused: (listener) => {
      clockRefused = listener
    },
    forget: (uid) => subjects.forget(uid),
    connected: () => {
      isConnected = true
      subjects.retell()
      runNow()
    },
    lost: () => {
      isConnected = false
    },
    stop,
  }
}

/** ms; after a fault. */
const restAfter = (error: unknown, attempt: number, random: () => number): number => {
  const retryAfterMs = error instanceof RefusedByController ? error.retryAfterMs : undefined
  const backoff = backoffMs(attempt, { baseMs: 1_000, capMs: 30_000 }, random)
  // Agents that were refused together must not return together.
  return retryAfterMs === undefined ? 100 + backoff : retryAfterMs + Math.floor(random() * 1_000)
}

/** The newest and the last sent report of each stagelet. */
class Subjects {
  readonly #byUid = new Map<string, Subject>()

  put(newest: ReportedStagelet): void {
    const subject = this.#byUid.get(newest.stageletUid)
    if (subject !== undefined) subject.newest = newest
    else
      this.#byUid.set(newest.stageletUid, { newest, reported: undefined, reportedAt: 0, quietMs })
  }

  forget(uid: string): void {
    this.#byUid.delete(uid)
  }

  retell(): void {
    for (const subject of this.#byUid.values()) subject.reported = undefined
  }

  due(now: number): { ready: Subject[]; nextMs: number } {
    const ready: Subject[] = []
    let nextMs = quietMs
    for (const subject of this.#byUid.values()) {
      const waitMs = dueIn(subject, now)
      if (waitMs === undefined) continue
      if (waitMs <= 0) ready.push(subject)
      else nextMs = Math.min(nextMs, waitMs)
    }
    return { ready: batchOf(ready), nextMs }
  }

  markTold(
    subjects: readonly Subject[],
    reported: readonly ReportedStagelet[],
    now: number,
    random: () => number,
  ): void {
    for (const [i, subject] of subjects.entries()) {
      // Agents that came back together would send their details together, 10 s later and again after that.
      const spread = subject.reported === undefined ? 1 + random() : 1
      subject.quietMs = Math.round(quietMs * spread)
      subject.reported = reported[i]
      subject.reportedAt = now
    }
  }
}

/** As many as one request takes; at least one. */
const batchOf = (ready: readonly Subject[]): Subject[] => {
  const batch: Subject[] = []
  let bytes = 0
  for (const subject of ready.slice(0, mostInOne)) {
    bytes += Buffer.byteLength(JSON.stringify(subject.newest))
    if (batch.length > 0 && bytes > mostBytesInOne) break
    batch.push(subject)
  }
  return batch
}

/** In how many ms the report is due; 0: at once; undefined: nothing is new. */
const dueIn = (
  { newest, reported, reportedAt, quietMs }: Subject,
  now: number,
): number | undefined => {
  if (reported === undefined) return 0
  if (newest === reported || isDeepStrictEqual(newest, reported)) return undefined
  return isDeepStrictEqual(withoutTrifles(newest), withoutTrifles(reported))
    ? reportedAt + quietMs - now
    : 0
}

const withoutTrifles = (o: ReportedStagelet): ReportedStagelet => ({
  ...o,
  services: o.services.map(({ since: _since, detail: _detail, ...rest }) => ({
    ...rest,
    restarts: 0,
  })),
})
