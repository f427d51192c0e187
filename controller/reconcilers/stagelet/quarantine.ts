// Which revision a stagelet is to run, given what has failed there: pure.
import { annotations } from '../../../src/resources/meta.ts'
import type { Quarantined } from '../../../src/resources/observation.ts'
import { serviceDigest } from '../../../src/secrets/digest.ts'
import { visibleTo } from '../../../src/secrets/visible.ts'
import type { SecretSet } from '../../../src/store/store.ts'
import type { StageletInput } from './gather.ts'
import { awaitedBy } from './first-rollout.ts'
import { newestFor } from './turn.ts'

const mostKept = 20

type Given = Pick<StageletInput, 'stagelet' | 'observation' | 'revisions'>

/** The revision whose gate passed whole; the former one while none has since. */
export const healthyRevisionOf = ({
  stagelet,
  observation,
  revisions,
}: Given): number | undefined =>
  observation?.phase === 'Settled' && observation.epoch === revisions?.epoch
    ? observation.revision
    : stagelet.status?.healthyRevision

/** True when this set gives the service what it failed with. */
const holds = (stagelet: string, set: SecretSet, q: Quarantined): boolean =>
  (serviceDigest(visibleTo(q.service, stagelet, set.entries)) ?? '') === q.digest

export const failedIn = (
  stagelet: string,
  set: SecretSet | undefined,
  quarantine: readonly Quarantined[],
): Quarantined | undefined =>
  set === undefined ? undefined : quarantine.find((q) => holds(stagelet, set, q))

/**
 * What is known to fail. An entry ends by another value of the retry annotation, by passing after
 * all, and when something newer is healthy while the newest set no longer holds it.
 */
export const quarantineOf = (input: StageletInput): Quarantined[] => {
  const { stagelet, observation, head } = input
  const retry = stagelet.metadata.annotations?.[annotations.retry] ?? ''
  const healthy = healthyRevisionOf(input) ?? 0
  const byPair = new Map<string, Quarantined>()
  for (const q of [...(stagelet.status?.quarantine ?? []), ...(observation?.quarantine ?? [])]) {
    const pair = `${q.service} ${q.digest}`
    // An agent that was started anew has forgotten what was said.
    const message = q.message === '' ? (byPair.get(pair)?.message ?? '') : q.message
    byPair.set(pair, { ...q, message })
  }
  return [...byPair.values()]
    .filter((q) => q.retry === retry && observation?.passed[q.service] !== q.digest)
    .filter(
      (q) => q.revision > healthy || head === undefined || holds(stagelet.metadata.name, head, q),
    )
    .slice(-mostKept)
}

/**
 * The newest closed revision that the stagelet may have without anything that failed, whole; the
 * newest of all where none is known. Nothing new before a first rollout may begin, so that a stack does not
 * start without its secrets only to be re-created a moment later.
 */
export const wantedRevisionOf = (
  input: StageletInput,
  quarantine: readonly Quarantined[],
): number | undefined => {
  const { stagelet, revisions, closedSets } = input
  if (revisions === undefined) return stagelet.status?.wantedRevision
  if (awaitedBy(input) !== undefined) return stagelet.status?.wantedRevision
  if (revisions.closed === 0 && revisions.closesAt !== undefined) return undefined
  const newest = newestFor(input)
  if (newest === undefined || quarantine.length === 0) return newest
  const clean = closedSets
    .filter((set) => set.revision <= newest)
    .filter((set) => failedIn(stagelet.metadata.name, set, quarantine) === undefined)
    .map((set) => set.revision)
  return clean.length === 0 ? newest : Math.max(...clean)
}
