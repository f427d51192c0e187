// Why a new revision does not reach a stagelet now: pure. Reasons are those of its conditions where one
// tells the same.
import { defined } from '../../src/kernel/defined.ts'
import { findCondition } from '../../src/resources/conditions.ts'
import { annotations } from '../../src/resources/meta.ts'
import type { StageletStatus } from '../../src/kinds/stagelet/schema.ts'
import type { SetEntry } from '../../src/secrets/visible.ts'
import { findFailed } from '../../src/rollout/quarantine.ts'
import { newestOf } from '../../src/rollout/revision.ts'
import type { StageletFacts } from './situation.ts'

export interface HoldReason {
  readonly why: string
  readonly message: string
  /** Absent where the time is not recorded. */
  readonly since?: string
}

type Ask = (facts: StageletFacts, entries: readonly SetEntry[]) => HoldReason | undefined

/** Nobody sees what runs there. The reason says whether the agent is away, revoked or has never reported. */
const unseen: Ask = ({ stagelet: { status } }) => {
  const condition = findCondition(status?.conditions, 'SecretsInSync')
  if (condition?.status !== 'Unknown') return undefined
  const { reason: why, message, lastTransitionTime } = condition
  return { why, message, since: status?.lastSeen?.at ?? lastTransitionTime }
}

const paused: Ask = ({ stagelet: { spec, status }, agent }) => {
  if (spec?.paused === true)
    return {
      why: 'Paused',
      message: 'spec.paused is true',
      ...defined({ since: status?.pausedSince }),
    }
  if (agent?.spec?.paused === true)
    return {
      why: 'AgentPaused',
      message: `spec.paused of agent "${agent.metadata.name}" is true`,
      ...defined({ since: agent.status?.pausedSince }),
    }
  return undefined
}

const drained: Ask = ({ agent }) =>
  agent?.spec?.drained === true
    ? {
        why: 'AgentDrained',
        message: `agent "${agent.metadata.name}" is drained`,
        ...defined({ since: agent.status?.drainedSince }),
      }
    : undefined

const stoppedByHand: Ask = ({ stagelet: { status } }) => {
  const drifted = findCondition(status?.conditions, 'Drifted')
  if (drifted?.status !== 'True' || drifted.reason !== 'StoppedByHand') return undefined
  const { reason: why, message, lastTransitionTime: since } = drifted
  return { why, message, since }
}

/** A rollout that a failure has stopped goes on with a new revision; one that is paused or braked does not. */
const rolloutHolds: Ask = ({ rollout, rolloutStatus }) => {
  if (rollout === undefined) return undefined
  if (rollout.paused === true)
    return { why: 'RolloutPaused', message: 'spec.rollout.paused of the project is true' }
  if (rolloutStatus?.state !== 'Braked') return undefined
  return { why: 'RolloutBraked', message: 'many agents vanished at once: the rollout is braked' }
}

/** The set gives a service what it failed with: the stagelet keeps the last set that was healthy. */
const quarantined: Ask = ({ stagelet: { metadata, status } }, entries) => {
  if (status?.healthyRevision === undefined) return undefined
  const retry = metadata.annotations?.[annotations.retry] ?? ''
  const live = (status.quarantine ?? []).filter((q) => q.retry === retry)
  const failed = findFailed(metadata.name, entries, live)
  if (failed === undefined) return undefined
  const message = `service "${failed.service}" would get what it failed with at revision ${failed.revision}`
  return { why: 'Quarantined', message, ...defined({ since: status.lastRollout?.finishedAt }) }
}

const waitingForSecrets: Ask = ({ stagelet: { metadata, spec, status } }, entries) => {
  if (status?.wantedRevision !== undefined) return undefined
  const keys = new Set(
    entries
      .filter(({ stagelet }) => stagelet === undefined || stagelet === metadata.name)
      .map(({ key }) => key),
  )
  const missing = (spec?.compose.requires ?? []).filter((key) => !keys.has(key))
  if (missing.length === 0) return undefined
  const message = `its first rollout waits for ${missing.join(', ')} (spec.compose.requires)`
  return { why: 'WaitingForSecrets', message }
}

/** What keeps everything from the stagelet, and not only a new revision. */
const stops = [unseen, paused, stoppedByHand]
const asks = [...stops, drained, rolloutHolds, quarantined, waitingForSecrets]

const firstOf = (
  all: readonly Ask[],
  facts: StageletFacts,
  entries: readonly SetEntry[],
): HoldReason | undefined => {
  for (const ask of all) {
    const held = ask(facts, entries)
    if (held !== undefined) return held
  }
  return undefined
}

/** The first reason for which the stagelet would not take this set as its newest one. */
export const whyStageletHeld: Ask = (facts, entries) => firstOf(asks, facts, entries)

/** Why the stagelet would not deploy edits of its compose file. */
export const whyStageletStopped = (facts: StageletFacts): HoldReason | undefined =>
  firstOf(stops, facts, [])

/** Its turn in the rollout of the newest closed revision is still to come. */
export const awaitsTurn = ({ rollout, closed, stagelet }: StageletFacts): boolean => {
  const { admitted, wantedRevision }: StageletStatus = stagelet.status ?? {}
  return rollout !== undefined && (newestOf(admitted?.revision, wantedRevision) ?? 0) < closed
}
