// The facts from which src/rollout decides the revision of one stagelet, and the messages about it: pure.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { Quarantined } from '../../../src/resources/kinds/observation.ts'
import { findFailed, liveQuarantine, mergeQuarantine } from '../../../src/rollout/quarantine.ts'
import {
  decideRevision,
  type RevisionDecision,
  type RevisionFacts,
} from '../../../src/rollout/revision.ts'
import { awaitedBy, isOfOtherEnvironment } from './first-rollout.ts'
import type { SeenSet, StageletInput } from './facts.ts'
import { blameOf } from './suspect-values.ts'
import { no, type Verdict } from '../verdict.ts'

/** The revision whose gate passed whole; the former one while none has since. */
export const healthyRevisionOf = ({
  stagelet,
  observation,
  revisions,
}: Pick<StageletInput, 'stagelet' | 'observation' | 'revisions'>): number | undefined =>
  observation?.phase === 'Settled' && observation.epoch === revisions?.epoch
    ? observation.revision
    : stagelet.status?.healthyRevision

/** The set of that revision; undefined where it is not known or not kept. */
export const healthySetOf = (
  input: Pick<StageletInput, 'stagelet' | 'observation' | 'revisions' | 'closedSets'>,
): SeenSet | undefined => {
  const revision = healthyRevisionOf(input)
  return input.closedSets.find((set) => set.revision === revision)
}

/** Failures that still count. The controller remembers those that the agent has forgotten. */
export const quarantineOf = (input: StageletInput): Quarantined[] => {
  const { stagelet, observation, head } = input
  const all = [...(stagelet.status?.quarantine ?? []), ...(observation?.quarantine ?? [])]
  const live = liveQuarantine(all, {
    stagelet: stagelet.metadata.name,
    retry: stagelet.metadata.annotations?.[annotations.retry] ?? '',
    passed: observation?.passed ?? {},
    healthyRevision: healthyRevisionOf(input) ?? 0,
    newest: head?.entries,
  })
  return mergeQuarantine(live)
}

/** Adds the keys to blame while the newest set is the one that failed. They stay then: later sets differ in more keys. */
export const withKeys = (
  input: StageletInput,
  quarantine: readonly Quarantined[],
): Quarantined[] => {
  const { stagelet, head, authors } = input
  const { name } = stagelet.metadata
  const healthy = healthySetOf(input)
  return quarantine.map((failed) => {
    if (failed.keys !== undefined || head === undefined || healthy === undefined) return failed
    if (findFailed(name, head.entries, [failed]) === undefined) return failed
    return { ...failed, keys: [...blameOf(name, failed, { head, healthy, authors }).keys] }
  })
}

export const revisionFor = (
  input: StageletInput,
  quarantine: readonly Quarantined[],
): RevisionDecision => {
  const { stagelet, agent, isStaged, revisions, observation, closedSets } = input
  const { closed = 0, closesAt, epoch } = revisions ?? {}
  const facts: RevisionFacts = {
    stagelet: stagelet.metadata.name,
    newest: closed === 0 && closesAt !== undefined ? undefined : closed,
    ordered: stagelet.status?.wantedRevision,
    isStaged,
    admitted: stagelet.status?.admitted?.revision,
    drained: agent?.spec?.drained === true,
    reported: observation?.epoch === epoch ? observation?.revision : undefined,
    mustWait: revisions === undefined || awaitedBy(input) !== undefined,
    quarantine,
    sets: closedSets,
  }
  const decided = decideRevision(facts)
  return isOfOtherEnvironment(input, decided.revision)
    ? decideRevision({ ...facts, mustWait: true })
    : decided
}

export const wantedSinceOf = (
  { stagelet: { status }, nowMs }: StageletInput,
  wanted: number | undefined,
): string | undefined => {
  if (wanted === undefined) return undefined
  return status?.wantedRevision === wanted ? status.wantedSince : toFineTimestamp(nowMs)
}

/** Reason of conditions. */
export const awaitingCredential = 'AwaitingCredential'

/** Why the newest revision is kept from the stagelet. */
export const whyRevisionHeld = (
  { stagelet, revisions, untested }: StageletInput,
  { heldBy, revision }: RevisionDecision,
): Verdict | undefined => {
  const closed = revisions?.closed ?? 0
  const { agentRef, projectRef } = stagelet.spec
  if (untested !== undefined && (revision ?? 0) < untested.from)
    return no(
      awaitingCredential,
      `revision ${revision ?? 0} is not delivered, and what runs stays: after the restore of a backup rotation "${untested.rotation}" has no credential that is known to be accepted: stagely rotation show ${untested.rotation}`,
    )
  switch (heldBy) {
    case undefined:
      return undefined
    case 'AgentDrained':
      return no(
        heldBy,
        `revision ${closed} is not rolled out here while agent "${agentRef.name}" is drained: stagely agent undrain ${agentRef.name} (spec.drained)`,
      )
    case 'AwaitingTurn':
      return no(
        heldBy,
        `revision ${closed} waits for its turn in the rollout of project "${projectRef.name}"`,
      )
  }
}
