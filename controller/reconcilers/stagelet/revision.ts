// The facts from which src/rollout decides the revision of one stagelet, and the messages about it: pure.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { ObservationSpec, Quarantined } from '../../../src/kinds/observation/schema.ts'
import { healthyHere } from '../../../src/rollout/healthy-here.ts'
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

type Told = Pick<StageletInput, 'stagelet' | 'observation' | 'revisions'>

/**
 * The oldest revision that the stagelet can have passed. Its agent is sent the set of the healthy one, to go back to: it
 * must get none by its word that was closed before the stagelet, or before what was healthy already.
 */
const oldestTold = ({ stagelet, revisions }: Told): number => {
  const { closed = 0 } = revisions ?? {}
  const { status = {} } = stagelet
  const { firstRevision, wantedRevision } = status
  return Math.min(healthyHere(stagelet) ?? firstRevision ?? wantedRevision ?? closed, closed)
}

const hasPassed = (input: Told): boolean => {
  const { observation, revisions } = input
  if (observation?.phase !== 'Settled' || observation.epoch !== revisions?.epoch) return false
  const { revision } = observation
  return revision >= oldestTold(input) && revision <= revisions.closed
}

/** The revision whose gate passed whole; the former one while none has since. */
export const healthyRevisionOf = (input: Told): number | undefined => {
  const { stagelet, observation } = input
  return hasPassed(input) ? observation?.revision : stagelet.status?.healthyRevision
}

/** The agent that has seen it. */
export const healthyAgentOf = (input: Told): string | undefined => {
  const { spec, status } = input.stagelet
  return hasPassed(input) ? spec.agentRef.name : status?.healthyAgent
}

/** The first revision that it was told to run, while it has passed none and is to run another one by now. */
export const firstRevisionOf = (input: Told, wanted: number | undefined): number | undefined => {
  const { firstRevision, wantedRevision = wanted } = input.stagelet.status ?? {}
  const first = firstRevision ?? wantedRevision
  return healthyRevisionOf(input) === undefined && first !== wanted ? first : undefined
}

/** The set of that revision; undefined where it is not known or not kept. */
export const healthySetOf = (
  input: Pick<StageletInput, 'stagelet' | 'observation' | 'revisions' | 'closedSets'>,
): SeenSet | undefined => {
  const revision = healthyRevisionOf(input)
  return input.closedSets.find((set) => set.revision === revision)
}

/** True for a service that the report does not name, where it names all that there are. */
const isGone = ({ services = [], cut }: Partial<ObservationSpec>, service: string): boolean =>
  services.length > 0 && cut === undefined && services.every(({ name }) => name !== service)

/**
 * Failures that still count. The controller remembers those that the agent has forgotten. What failed with a revision that
 * is not closed yet would count for each that comes: it has failed with the newest.
 */
export const quarantineOf = (input: StageletInput): Quarantined[] => {
  const { stagelet, observation, head, revisions } = input
  const { closed = Infinity } = revisions ?? {}
  const all = [...(stagelet.status?.quarantine ?? []), ...(observation?.quarantine ?? [])]
    .filter(({ service }) => !isGone(observation ?? {}, service))
    .map((failed) => ({ ...failed, revision: Math.min(failed.revision, closed) }))
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
    sets: closedSets.filter((set) => set.revision >= oldestTold(input)),
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
      `revision ${revision ?? 0} is not delivered, and what runs stays: after the restore of a backup rotation "${untested.rotation}" has no credential that is known to be accepted: stagely describe rotation ${untested.rotation}`,
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
