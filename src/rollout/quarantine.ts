// What failed its health gate: a service, and the digest of the values that it had. Such a pair is not run again
// while it is in quarantine. Controller and agent judge it by these same functions: pure.
import type { Quarantined } from '../kinds/observation/schema.ts'
import { viewsOf } from '../secrets/set-views.ts'
import type { SetEntry } from '../secrets/visible.ts'

const mostKept = 20

type Entries = readonly SetEntry[]

/** Digest of the values that a set gives to a service; '' for none, which may be why the service fails. */
export const digestFor = (stagelet: string, service: string, entries: Entries): string =>
  viewsOf(entries).viewOf(stagelet, service).digest ?? ''

/** The first pair in quarantine that this set would run again. */
export const findFailed = (
  stagelet: string,
  entries: Entries | undefined,
  quarantine: readonly Quarantined[],
): Quarantined | undefined =>
  entries && quarantine.find((q) => digestFor(stagelet, q.service, entries) === q.digest)

/** One entry for each pair, the last one that is not silent on what happened; the newest 20. */
export const mergeQuarantine = (all: readonly Quarantined[]): Quarantined[] => {
  const byPair = new Map<string, Quarantined>()
  for (const q of all) {
    const pair = `${q.service} ${q.digest}`
    // An agent that was started anew has forgotten the message.
    const before = byPair.get(pair)
    const message = q.message === '' ? (before?.message ?? '') : q.message
    byPair.delete(pair)
    byPair.set(pair, { ...before, ...q, message })
  }
  return [...byPair.values()].slice(-mostKept)
}

export interface QuarantineFacts {
  readonly stagelet: string
  /** Value of the stagelet's retry annotation. */
  readonly retry: string
  /** By service, the digest that passed the health gate. */
  readonly passed: Readonly<Record<string, string>>
  /** Newest revision whose health gate passed whole. */
  readonly healthyRevision: number
  /** Newest set that is known; an agent knows only the one that it was told to run. */
  readonly newest: Entries | undefined
}

/**
 * The pairs that still count. A pair ends by another value of the retry annotation, by passing after all, and when
 * a newer revision is healthy while the newest set no longer holds the pair.
 */
export const liveQuarantine = (
  quarantine: readonly Quarantined[],
  { stagelet, retry, passed, healthyRevision, newest }: QuarantineFacts,
): Quarantined[] =>
  quarantine.filter(
    (q) =>
      q.retry === retry &&
      passed[q.service] !== q.digest &&
      (q.revision > healthyRevision ||
        newest === undefined ||
        findFailed(stagelet, newest, [q]) !== undefined),
  )

/**
 * The services whose new values a failed gate is attributed to: the failed service itself, or else those of its
 * `dependencies` that got something new. None where the healthy set gives all of them the same values.
 */
export const attributeFailure = (
  stagelet: string,
  failed: { readonly service: string; readonly dependencies: readonly string[] },
  sets: { readonly failed: Entries; readonly healthy: Entries | undefined },
): string[] => {
  const { healthy } = sets
  if (healthy === undefined) return []
  const isNew = (service: string): boolean =>
    digestFor(stagelet, service, healthy) !== digestFor(stagelet, service, sets.failed)
  return isNew(failed.service) ? [failed.service] : failed.dependencies.filter(isNew)
}
