// Which revision a stagelet runs. The one place that decides this: the stagelet's reconciler asks with all facts,
// the agent stream with those of its mirror, an agent with what it was told and what failed there. Pure.
import type { Quarantined } from '../kinds/observation/schema.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { findFailed } from './quarantine.ts'

export interface RevisionFacts {
  /** Name of the stagelet. */
  readonly stagelet: string
  /**
   * Newest closed revision of the project. Undefined while the first change set is open. For an agent it is the
   * revision that it was told to run.
   */
  readonly newest: number | undefined
  /** Revision that the stagelet was told to run last. */
  readonly ordered?: number | undefined
  /** The project has spec.rollout. */
  readonly isStaged?: boolean
  /** Newest revision that the project's rollout has admitted the stagelet to. */
  readonly admitted?: number | undefined
  /** The agent has spec.drained. */
  readonly drained?: boolean
  /** Revision that the agent reported. It may have heard of a revision before the reconciler had its turn. */
  readonly reported?: number | undefined
  /** The project is missing, or the first rollout may not begin yet. */
  readonly mustWait?: boolean
  /** What failed its health gate and still counts (liveQuarantine). */
  readonly quarantine?: readonly Quarantined[]
  /** Newest revision whose health gate passed whole, where it is known. */
  readonly healthy?: number | undefined
  /** Sets of revisions, as far as they are known; undefined where nobody has read them. */
  readonly sets?: readonly { readonly revision: number; readonly entries: readonly SetEntry[] }[]
}

export interface RevisionDecision {
  /** Undefined: the stack is not to be started yet. */
  readonly revision: number | undefined
  /** What keeps the newest revision from the stagelet, besides failures. */
  readonly heldBy: 'AgentDrained' | 'AwaitingTurn' | undefined
  /** The failure for which an older revision is run. */
  readonly failed: Quarantined | undefined
  /**
   * Newest known revision to go back to that was healthy, should `revision` fail: what is new since is to blame. A newer
   * one without what failed is run then.
   */
  readonly fallback: number | undefined
}

/** The newest of these revisions. */
export const newestOf = (...revisions: (number | undefined)[]): number | undefined =>
  revisions.reduce((a, b) => (a === undefined || (b ?? -1) > a ? b : a), undefined)

/** Never older than what the stagelet was told, or has already. */
const newestAllowed = (facts: RevisionFacts): number | undefined => {
  const { newest = 0, ordered, isStaged = false, admitted, drained = false, reported } = facts
  // Without any revision there is nothing to take turns for.
  if (!drained && (!isStaged || newest === 0)) return newest
  const most = newestOf(ordered, drained ? undefined : admitted, reported)
  return most === undefined ? undefined : Math.min(newest, most)
}

/**
 * The newest revision that the stagelet may have, and that holds nothing that failed, whole. Where each one that is
 * known holds what failed, it is the newest that it may have: that one is tried again with growing delays.
 */
export const decideRevision = (facts: RevisionFacts): RevisionDecision => {
  const {
    stagelet,
    newest,
    ordered,
    drained = false,
    quarantine = [],
    sets,
    healthy = Infinity,
  } = facts
  const allowed = newestAllowed(facts)
  const isHeld = allowed === undefined || allowed < (newest ?? 0)
  const heldBy = !isHeld ? undefined : drained ? 'AgentDrained' : 'AwaitingTurn'
  const only = (revision: number | undefined): RevisionDecision => ({
    revision,
    heldBy,
    failed: undefined,
    fallback: undefined,
  })
  if (facts.mustWait === true) return only(ordered)
  if (newest === undefined || allowed === undefined) return only(undefined)
  // Whoever has not read the sets cannot tell which one holds what failed.
  if (sets === undefined) return only(quarantine.length === 0 ? allowed : ordered)
  const candidates = sets
    .filter((set) => set.revision <= allowed)
    .map(({ revision, entries }) => ({
      revision,
      failed: findFailed(stagelet, entries, quarantine),
    }))
  const clean = candidates
    .flatMap((set) => (set.failed === undefined ? [set.revision] : []))
    .sort((a, b) => b - a)
  const revision = quarantine.length === 0 ? allowed : (clean[0] ?? allowed)
  const failed = candidates.find((set) => set.revision === allowed && revision < allowed)?.failed
  const fallback = clean.find((other) => other < revision && other <= healthy)
  return { revision, heldBy, failed, fallback }
}
