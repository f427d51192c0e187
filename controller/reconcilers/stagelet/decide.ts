// From everything that is known of one stagelet to its status: pure. Each condition is one function.
import {
  isTrue,
  withCondition,
  findCondition,
  type Condition,
} from '../../../src/resources/conditions.ts'
import type { NewCondition } from '../../../src/resources/conditions.ts'
import { annotations } from '../../../src/resources/meta.ts'
import { projectMissing } from '../../../src/resources/unseen-secret.ts'
import type {
  ObservationSpec,
  ObservedService,
  Quarantined,
} from '../../../src/resources/observation.ts'
import type { StageletStatus } from '../../../src/resources/stagelet.ts'
import type { StageletInput } from './gather.ts'
import { drifted, type DriftVerdict } from './drift.ts'
import { failedIn, healthyRevisionOf, quarantineOf, wantedRevisionOf } from './quarantine.ts'
import { judgedBy, notBegun } from './first-rollout.ts'
import { heldBack } from './turn.ts'
import { rolloutOf } from './last-rollout.ts'
import { judgeServices, lowestRevision, type JudgedService } from './judge-services.ts'

export interface StageletDecision {
  readonly status: StageletStatus
  /** The agent has let go (or there is none left to ask): the finalizer can go. */
  readonly release: boolean
}

const mostSaid = 8192

type Verdict = Omit<NewCondition, 'type' | 'observedGeneration'>

const yes = (reason: string, message: string): Verdict => ({ status: 'True', reason, message })
const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message })
const unknown = (reason: string, message: string): Verdict => ({
  status: 'Unknown',
  reason,
  message,
})

export const decideStagelet = (input: StageletInput): StageletDecision => {
  const { stagelet, observation, now } = input
  const judged = judgeServices(input)
  const quarantine = quarantineOf(input)
  const failed = failedIn(stagelet.metadata.name, input.head, quarantine)
  const wantedRevision = wantedRevisionOf(input, quarantine)
  const generation = stagelet.metadata.generation ?? 0
  const lastRollout = rolloutOf(input) ?? stagelet.status?.lastRollout
  const drift = drifted(stagelet.metadata.name, observation, lastRollout)

  const verdicts: Record<string, Verdict> = {
    Accepted: accepted(input),
    AgentReachable: agentReachable(input),
    SecretsInSync: secretsInSync(input, judged, failed),
    Progressing: progressing(input, wantedRevision),
    Drifted: drift,
    Degraded: degraded(input, failed, drift),
    ComposeFileChanged: composeFileChanged(input),
    VariableMissing: variableMissing(input),
    FileNotMounted: fileNotMounted(input),
  }
  verdicts['Ready'] = ready(verdicts)
  let conditions: Condition[] = [...(stagelet.status?.conditions ?? [])]
  for (const [type, verdict] of Object.entries(verdicts)) {
    conditions = withCondition(
      conditions,
      { type, ...verdict, observedGeneration: generation },
      now,
    )
  }

  const services = judged.map((j) => j.status)
  const unmountedFiles = observation?.unmountedFiles ?? []
  const known = {
    wantedRevision,
    project: judgedBy(input, wantedRevision),
    admitted: input.takesTurns ? stagelet.status?.admitted : undefined,
    healthyRevision: healthyRevisionOf(input),
    quarantine: quarantine.length === 0 ? undefined : quarantine,
    runningRevision: lowestRevision(judged),
    composeProject: observation?.composeProject ?? stagelet.status?.composeProject,
    lastRollout,
    unmountedFiles: unmountedFiles.length === 0 ? undefined : [...unmountedFiles],
  }
  return {
    release: isReleased(input),
    status: {
      observedGeneration: generation,
      ...withoutUndefined(known),
      services: services.length > 0 ? services : (stagelet.status?.services ?? []),
      conditions,
    },
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }
const withoutUndefined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<T>

const accepted = ({ projectExists, stagelet }: StageletInput): Verdict =>
  projectExists ? yes('Accepted', 'its project exists') : projectMissing(stagelet)

const agentReachable = ({ agent, stagelet }: StageletInput): Verdict => {
  const { name } = stagelet.spec.agentRef
  if (agent === undefined) {
    return no(
      'AgentMissing',
      `agent "${name}" does not exist in this namespace: make a join token with "stagely agent token create --name ${name}"`,
    )
  }
  const condition = findCondition(agent.status?.conditions, 'Ready')
  if (condition?.status === 'True') return yes('Connected', `agent "${name}" is connected`)
  if (condition === undefined) {
    return no(
      'NeverJoined',
      `agent "${name}" has not joined yet: start it with "stagely agent run --join TOKEN"`,
    )
  }
  return no(condition.reason, `agent "${name}" is not connected; its containers run on`)
}

/** The newest set holds what failed; `failed` says what, and the agent has gone back or is about to. */
const rolledBack = ({ observation, stagelet }: StageletInput, failed: Quarantined): string => {
  const where =
    observation?.phase === 'Settled'
      ? `rolled back to revision ${observation.revision}`
      : 'rolling back'
  const what = failed.message === '' ? `service ${failed.service} failed` : failed.message
  return `${where}, because revision ${failed.revision} failed; give ${failed.service} another value, or try it again with "stagely rollout retry stagelet/${stagelet.metadata.name}" (its annotation ${annotations.retry}): ${what}`
}

const secretsInSync = (
  input: StageletInput,
  judged: readonly JudgedService[],
  failed: Quarantined | undefined,
): Verdict => {
  const { observation, head, revisions } = input
  const early = notBegun(input)
  if (early !== undefined) return early
  const closed = revisions?.closed ?? 0
  const waiting = revisions?.closesAt !== undefined ? closed + 1 : closed
  if (observation === undefined)
    return no('NoReport', 'the agent has not reported this stagelet yet')
  if (observation.fault !== undefined)
    return no(observation.fault.reason, observation.fault.message)
  if (judged.length === 0) return no('NoReport', 'the agent has not reported any service yet')
  const late = judged.filter((j) => !j.inSync).map((j) => j.status.name)
  if (late.length === 0 && observation.epoch >= (head?.epoch ?? 0)) {
    return yes('InSync', `every container runs the secrets of revision ${waiting}`)
  }
  if (failed !== undefined) return no('RolledBack', rolledBack(input, failed))
  const names =
    late.slice(0, 5).join(', ') + (late.length > 5 ? ` and ${late.length - 5} more` : '')
  const held = heldBack(input)
  if (held !== undefined) return no(held.reason, `${held.message}; not current: ${names}`)
  if (observation.revision < waiting) {
    return no('NewRevision', `revision ${waiting} is on its way; not current: ${names}`)
  }
  return lateFor(observation, names)
}

/** Why the newest revision does not run everywhere, though the agent has it. */
const lateFor = (observation: ObservationSpec, names: string): Verdict => {
  const { phase, revision, rollout } = observation
  if (phase === 'Failed')
    return no('RolloutFailed', rollout?.message ?? `revision ${revision} failed`)
  if (phase === 'Paused') return no('Paused', `paused; not current: ${names}`)
  if (phase === 'Settled') return no('OutOfSync', `not current after the rollout: ${names}`)
  return no('RollingOut', `rolling out revision ${revision}; not current: ${names}`)
}

const waitedFor = ({ waitingFor = [] }: ObservationSpec): string =>
  waitingFor.slice(0, 5).join('; ')

const gating = (observation: ObservationSpec): string => {
  const what = waitedFor(observation)
  return `waiting until revision ${observation.revision} is healthy${what === '' ? '' : ` (${what})`}`
}

const progressing = (input: StageletInput, wantedRevision: number | undefined): Verdict => {
  const { observation, stagelet } = input
  const held = heldBack(input)
  const early = notBegun(input)
  if (early !== undefined)
    return early.reason === 'AwaitingQuiet' ? { ...early, status: 'True' } : early
  if (wantedRevision === undefined) {
    if (held !== undefined) return no(held.reason, held.message)
    return yes('ChangeSetOpen', 'the first change set is still open')
  }
  if (stagelet.spec.paused === true) return no('Paused', 'spec.paused is true')
  if (observation === undefined)
    return yes('AwaitingAgent', `waiting for the agent to take revision ${wantedRevision}`)
  if (observation.phase === 'Applying')
    return yes('Applying', `applying revision ${observation.revision}`)
  if (observation.phase === 'Gating') return yes('Gating', gating(observation))
  if (observation.phase === 'Pending' && waitedFor(observation) !== '')
    return yes('Waiting', `waiting for ${waitedFor(observation)}`)
  if (observation.revision < wantedRevision)
    return yes('AwaitingAgent', `waiting for the agent to take revision ${wantedRevision}`)
  if (held !== undefined) return no(held.reason, held.message)
  return no('Settled', `nothing to do at revision ${observation.revision}`)
}

const degraded = (
  input: StageletInput,
  failed: Quarantined | undefined,
  drift: DriftVerdict,
): Verdict => {
  const { observation, stagelet } = input
  if (observation === undefined) return no('AsExpected', 'no report yet')
  const before = findCondition(stagelet.status?.conditions, 'Degraded')
  const isRetry = observation.rollout?.revision === stagelet.status?.lastRollout?.revision
  if (
    observation.rollout?.result === 'Progressing' &&
    isRetry &&
    before?.reason === 'RolloutFailed'
  ) {
    return yes(before.reason, before.message) // a retry heals nothing before it has passed
  }
  if (observation.fault !== undefined)
    return yes(observation.fault.reason, observation.fault.message)
  if (failed !== undefined) return yes('RolledBack', rolledBack(input, failed))
  if (observation.phase === 'Failed') {
    return yes(
      'RolloutFailed',
      observation.rollout?.message ?? `revision ${observation.revision} failed`,
    )
  }
  if (drift.reason === 'Flapping') return yes('Flapping', drift.message)
  const sick = observation.services.filter(
    (s) =>
      s.health === 'unhealthy' || ['restarting', 'missing', 'created', 'paused'].includes(s.state),
  )
  if (sick.length > 0 && observation.phase === 'Settled') {
    const state = (s: ObservedService): string => (s.health === 'unhealthy' ? s.health : s.state)
    const list = sick.map((s) => s.detail ?? `${s.name} is ${state(s)}`)
    return yes('ServiceUnhealthy', list.join('\n').slice(0, mostSaid))
  }
  return no('AsExpected', 'no service is failing')
}

const composeFileChanged = ({ observation, stagelet }: StageletInput): Verdict => {
  const pending = observation?.pendingEdits ?? []
  if (pending.length === 0) return no('UpToDate', 'the running stack matches the compose file')
  return yes(
    'PendingEdits',
    `the compose file was edited; it would change ${pending.join(', ')}. Roll out with "stagely deploy ${stagelet.metadata.name}"`,
  )
}

const variableMissing = ({ observation }: StageletInput): Verdict => {
  const missing = observation?.missingVariables ?? []
  if (missing.length === 0) return no('AllSet', 'every variable of the compose file is set')
  return yes(
    'Unset',
    `the compose file uses ${missing.join(', ')}, which nothing sets: add a global secret of that key, or a default in the file`,
  )
}

const fileNotMounted = ({ observation }: StageletInput): Verdict => {
  const keys = observation?.unmountedFiles ?? []
  if (keys.length === 0) return no('AllMounted', 'every file secret is mounted by a service')
  return yes(
    'PathNotUsed',
    `no service that sees it uses the path of ${keys.join(', ')}: correct file.path (relative to the compose file), or give file.target`,
  )
}

const ready = (verdicts: Record<string, Verdict>): Verdict => {
  for (const [type, good] of [
    ['AgentReachable', 'True'],
    ['Degraded', 'False'],
    ['Drifted', 'False'],
    ['SecretsInSync', 'True'],
  ] as const) {
    const verdict = verdicts[type]
    if (verdict !== undefined && verdict.status !== good) {
      const make = verdict.status === 'Unknown' ? unknown : no
      return make(verdict.reason, verdict.message)
    }
  }
  return yes('Ready', 'in sync, reachable and healthy')
}

const isReleased = ({ stagelet, agent, observation }: StageletInput): boolean => {
  if (stagelet.metadata.deletionTimestamp === undefined) return false
  if (observation?.phase === 'Released') return true
  const condition = findCondition(agent?.status?.conditions, 'Ready')
  // Nobody will ever answer: never joined, deleted, or revoked.
  return (
    condition === undefined ||
    (condition.reason === 'Revoked' && !isTrue(agent?.status?.conditions, 'Ready'))
  )
}
