// The status of a stagelet that nobody sees, since its agent is away or has not reported, or its engine does not
// answer. Conditions that only the machine can tell are unknown then. What was seen last is kept apart: pure.
import { toTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { findCondition, type Condition } from '../../../src/resources/conditions.ts'
import { engineUnavailable, type ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import { isSeen } from '../../../src/kinds/agent/presence.ts'
import type { LastSeen, ServiceStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { StageletInput } from './facts.ts'
import { unknown, type Verdict } from '../verdict.ts'
import { controllerTimeOf } from './machine-time.ts'

/** Conditions that only the machine can tell. */
export const seenTypes = [
  'SecretsInSync',
  'Progressing',
  'Drifted',
  'Degraded',
  'ComposeFileChanged',
  'VariableMissing',
  'FileNotMounted',
  'Ready',
] as const

/** True when the status says that nobody sees what runs. */
export const isUnseen = ({ status }: Pick<StageletInput['stagelet'], 'status'>): boolean =>
  findCondition(status?.conditions, 'SecretsInSync')?.status === 'Unknown'

export interface Unseen {
  readonly reason:
    'AgentAway' | 'AgentRevoked' | 'AgentMissing' | 'NoReport' | typeof engineUnavailable
  /** Says since when, as far as it is known. */
  readonly message: string
  readonly lastSeen: LastSeen | undefined
}

/** Undefined while the stagelet is seen. */
export const unseenOf = (input: StageletInput): Unseen | undefined => {
  const { stagelet, agent, observation } = input
  const isHere = observation !== undefined && isSeen(agent, observation.presence)
  const blind =
    isHere && observation.fault?.reason === engineUnavailable ? observation.fault : undefined
  if (isHere && blind === undefined) return undefined
  const before = stagelet.status
  const isFirst = observation === undefined || blind !== undefined
  const isNew = isFirst && (before?.services ?? []).length === 0
  const at = blind === undefined ? seenAtOf(input) : engineSeenAt(input, blind.seenAt)
  const why = blind === undefined ? whyUnseen(input) : whyBlind(input, blind.message)
  return { ...why, lastSeen: isNew ? undefined : (before?.lastSeen ?? lastSeenOf(input, at)) }
}

const whyBlind = (
  { stagelet }: StageletInput,
  fault: string,
): Pick<Unseen, 'reason' | 'message'> => ({
  reason: engineUnavailable,
  message: `agent "${stagelet.spec.agentRef.name}" sees nothing of its engine: ${fault}`,
})

const whyUnseen = (input: StageletInput): Pick<Unseen, 'reason' | 'message'> => {
  const { stagelet, agent, observation } = input
  const name = `agent "${stagelet.spec.agentRef.name}"`
  const ready = findCondition(agent?.status?.conditions, 'Ready')
  const at = seenAtOf(input)
  const last = at === undefined ? '' : ` was last seen at ${at}`
  if (agent === undefined && observation !== undefined)
    return { reason: 'AgentMissing', message: `${name} does not exist any more` }
  if (ready?.reason === 'Revoked')
    return { reason: 'AgentRevoked', message: `${name} was revoked, and${last || ' is not seen'}` }
  const isHere = ready?.status === 'True'
  if (ready !== undefined && ready.reason !== 'Joined' && !isHere)
    return { reason: 'AgentAway', message: name + (last || ' is away') }
  if (observation === undefined)
    return { reason: 'NoReport', message: 'the agent has not reported this stagelet yet' }
  const then = last === '' ? '' : `; it${last}`
  const message = isHere
    ? `${name} is back and has not reported yet${then}`
    : `${name} has joined again and is not connected yet${then}`
  return { reason: 'AgentAway', message }
}

/** A report may have come after the last sign of life. */
const seenAtOf = ({ agent, observation }: StageletInput): string | undefined => {
  const { lastLost, lastSeen } = agent?.status ?? {}
  const at = Date.parse(lastLost ?? lastSeen ?? '')
  if (Number.isNaN(at)) return undefined
  return toTimestamp(Math.max(at, Date.parse(observation?.receivedAt ?? '') || at))
}

/** Undefined where the agent has not seen its engine since it was started. */
const engineSeenAt = (input: StageletInput, seenAt: string | undefined): string | undefined => {
  const at = controllerTimeOf(input, seenAt)
  return at === undefined ? undefined : toTimestamp(at)
}

/** The conditions as the status has them. */
export const lastSeenOf = (
  { stagelet }: Pick<StageletInput, 'stagelet'>,
  at: string | undefined,
): LastSeen => {
  const { conditions = [], runningRevision } = stagelet.status ?? {}
  return {
    ...defined({ at, revision: runningRevision }),
    conditions: conditions
      .filter(({ type }) => (seenTypes as readonly string[]).includes(type))
      .map((condition) => asOf(condition, at)),
  }
}

type Known = LastSeen['conditions'][number]

/** The condition as of the time at which the agent was last seen: a secret that was written later does not count. */
const asOf = (condition: Condition, at: string | undefined): Known => {
  const { type, status, reason, message, lastTransitionTime } = condition
  const isLater = at !== undefined && Date.parse(lastTransitionTime) > Date.parse(at)
  return type === 'SecretsInSync' && reason === 'NewRevision' && isLater
    ? { type, status: 'True', reason: 'InSync', message: 'every container ran its secrets' }
    : { type, status, reason, message }
}

/** The condition as it is, or, while it is unknown, as it was last seen. */
export const lastKnown = (
  status: StageletStatus | undefined,
  type: string,
): Known | Condition | undefined => {
  const now = findCondition(status?.conditions, type)
  const isKnown = now !== undefined && now.status !== 'Unknown'
  return isKnown ? now : (findKnown(status?.lastSeen, type) ?? now)
}

const findKnown = (lastSeen: LastSeen | undefined, type: string): Known | undefined =>
  lastSeen?.conditions.find((condition) => condition.type === type)

/** True for a condition that tells of a fault: its message stays readable. */
const isFault = ({ type, status }: Known): boolean =>
  status === 'True' && !['SecretsInSync', 'Ready', 'Progressing'].includes(type)

const mostSaid = 8192

export const unknownVerdict = (
  { reason, message, lastSeen }: Unseen,
  type: (typeof seenTypes)[number],
  newest: number,
): Verdict => {
  const then = findKnown(lastSeen, type)
  if (then === undefined) return unknown(reason, message)
  const revision = lastSeen?.revision
  const more =
    type === 'SecretsInSync' && revision !== undefined
      ? `, revision ${revision}${newest > revision ? `; the newest is revision ${newest}` : ''}`
      : isFault(then)
        ? `: ${then.message}`
        : ''
  const { at } = lastSeen ?? {}
  const last = reason === engineUnavailable && at !== undefined ? `; last seen at ${at}` : ''
  return unknown(reason, `${message}${last}; then: ${then.reason}${more}`.slice(0, mostSaid))
}

/**
 * Of what the agent does not look at while the stack has a fault: that nothing was found is not known then. What was found
 * before stays told.
 */
export const whereLookedAt = (verdict: Verdict, { phase, fault }: ObservationSpec): Verdict =>
  verdict.status === 'False' && phase === 'Failed' && fault !== undefined
    ? unknown(fault.reason, 'not looked at while the stack has a fault: Degraded says which')
    : verdict

/** The service with its state unknown. The digest and keys that it should have stay known. */
export const unseenService = (service: ServiceStatus, at: string | undefined): ServiceStatus => {
  const { runningDigest, revision, state, health, restarts, since, healthySince, ...rest } = service
  const { containers, exitCode, oneOffs, lastSeen, ...declared } = rest
  const times = { since, healthySince }
  const counts = { containers, oneOffs, exitCode }
  const measured = { runningDigest, revision, state, health, restarts, ...times, ...counts }
  const kept = Object.entries(measured).filter(([, value]) => value !== undefined)
  const then = state === 'unknown' ? lastSeen : { ...defined({ at }), ...Object.fromEntries(kept) }
  return { ...declared, state: 'unknown', ...defined({ lastSeen: then }) }
}
