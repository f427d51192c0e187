// Decides the status of one stagelet from all that is known of it: pure. Each condition is one function.
import { defined } from '../../../src/kernel/defined.ts'
import {
  isTrue,
  withConditions,
  findCondition,
  type Condition,
} from '../../../src/resources/conditions.ts'
import { projectMissing } from '../../../src/kinds/secret/verdicts.ts'
import { engineUnavailable, type ObservationSpec } from '../../../src/kinds/observation/schema.ts'
import type { ServiceStatus, StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { findFailed } from '../../../src/rollout/quarantine.ts'
import type { SeenInput, StageletInput } from './facts.ts'
import { degraded } from './degraded.ts'
import { endingIn } from './ending.ts'
import { drifted } from './drift.ts'
import { isFaultOutdated, secretsInSync, type Decided } from './in-sync.ts'
import { rolloutOf } from './last-rollout.ts'
import { heldOf, withPropagation } from './propagation.ts'
import { reportCut } from './report-cut.ts'
import { projectOfRevision, notBegun } from './first-rollout.ts'
import {
  awaitingCredential,
  firstRevisionOf,
  healthyAgentOf,
  healthyRevisionOf,
  quarantineOf,
  revisionFor,
  wantedSinceOf,
  whyRevisionHeld,
  withKeys,
} from './revision.ts'
import {
  compareServices,
  lowestRevision,
  endedContainers,
  strayServices,
  type ComparedService,
} from './compare-services.ts'
import {
  seenTypes,
  unknownVerdict,
  unseenOf,
  unseenService,
  whereLookedAt,
  type Unseen,
} from './unseen.ts'
import { ready } from './ready.ts'
import { no, yes, type Verdict } from '../verdict.ts'

interface StageletDecision {
  readonly status: StageletStatus
  /** The agent has released the stack, or there is no agent to ask: the finalizer can be removed. */
  readonly release: boolean
  /** Its time is over: the stagelet is to be deleted. */
  readonly isOver: boolean
  /** The next moment (ms) at which time alone changes the decision. */
  readonly nextAt: number | undefined
}

/** What the last report said that stays true until the next. */
const reportedOf = ({ observation, stagelet: { status } }: StageletInput) => ({
  lastReportAt: observation?.receivedAt ?? status?.lastReportAt,
  deployed: observation?.deployed ?? status?.deployed,
  composeProject: observation?.composeProject ?? status?.composeProject,
})

export const decideStagelet = (input: StageletInput): StageletDecision => {
  const { stagelet, observation, now } = input
  const compared = compareServices(input)
  const quarantine = quarantineOf(input)
  const failed = findFailed(stagelet.metadata.name, input.head?.entries, quarantine)
  const decided = revisionFor(input, quarantine)
  const { revision: wantedRevision } = decided
  const held = whyRevisionHeld(input, decided)
  const generation = stagelet.metadata.generation ?? 0
  const ending = endingIn(input)
  const unseen = unseenOf(input)
  const verdicts =
    unseen === undefined
      ? seenVerdicts(input as SeenInput, { compared, failed, wantedRevision, held })
      : unseenVerdicts(input, unseen, { wantedRevision, held })
  const strays = strayServices(input)
  const ended = endedContainers(input)
  const unmounted = observation?.unmountedFiles ?? []
  const facts = {
    endsAt: stagelet.status?.endsAt,
    wantedRevision: wantedRevision ?? input.toldOfOther,
    wantedSince: wantedSinceOf(input, wantedRevision),
    project: projectOfRevision(input, wantedRevision),
    admitted: input.isStaged ? stagelet.status?.admitted : undefined,
    firstRevision: firstRevisionOf(input, wantedRevision),
    healthyRevision: healthyRevisionOf(input),
    healthyAgent: healthyAgentOf(input),
    quarantine: quarantine.length === 0 ? undefined : withKeys(input, quarantine),
    ...(unseen === undefined
      ? {
          runningRevision: lowestRevision(compared),
          unmountedFiles: unmounted.length === 0 ? undefined : unmounted,
          strayServices: strays.length === 0 ? undefined : strays,
          endedContainers: ended.length === 0 ? undefined : ended,
        }
      : { lastSeen: unseen.lastSeen }),
    pausedSince: pausedSinceOf(input),
    ...reportedOf(input),
  }
  const services = servicesOf(input, compared, unseen)
  const conditions = withConditions(
    stagelet.status?.conditions,
    { ...verdicts, ...ending.verdicts },
    { generation, now },
  )
  const rollout = rolloutOf(input)
  const lastRollout =
    rollout === undefined
      ? stagelet.status?.lastRollout
      : withPropagation(input, rollout, { ...facts, services })
  return {
    release: isReleased(input),
    isOver: ending.isOver,
    nextAt: ending.nextAt,
    status: {
      observedGeneration: generation,
      ...defined({ ...facts, held: heldOf(input, { conditions }), lastRollout }),
      services,
      conditions,
    },
  }
}

type Verdicts = Readonly<Record<string, Verdict & Pick<Condition, 'observedGeneration'>>>

const seenVerdicts = (input: SeenInput, decided: Decided): Verdicts => {
  const { failed } = decided
  const drift = drifted(input.stagelet.metadata.name, input.observation)
  const looked = (verdict: Verdict): Verdict => whereLookedAt(verdict, input.observation)
  const verdicts = {
    Accepted: accepted(input),
    AgentReachable: agentReachable(input),
    SecretsInSync: secretsInSync(input, decided),
    Progressing: progressing(input, decided),
    Drifted: looked(drift),
    Degraded: degraded(input, failed, drift),
    ComposeFileChanged: looked(composeFileChanged(input)),
    VariableMissing: variableMissing(input),
    FileNotMounted: looked(fileNotMounted(input)),
    ...defined({ ReportCut: reportCut(input) }),
  }
  return forReported(input, { ...verdicts, Ready: ready(verdicts, input.observation) })
}

/** Conditions of a stagelet that nobody sees. Those that the controller knows by itself stay known. */
const unseenVerdicts = (
  input: StageletInput,
  unseen: Unseen,
  decided: Pick<Decided, 'wantedRevision' | 'held'>,
): Verdicts => {
  const newest = input.revisions?.closed ?? 0
  const early = notBegun(input)
  const isTold =
    early === undefined && decided.wantedRevision !== undefined && unseen.reason !== 'NoReport'
  const verdicts = {
    Accepted: accepted(input),
    ...Object.fromEntries(seenTypes.map((type) => [type, unknownVerdict(unseen, type, newest)])),
    AgentReachable: agentReachable(input),
    ...defined({ SecretsInSync: early }),
    ...(!isTold && { Progressing: progressing(input, decided) }),
  }
  if (unseen.reason === 'NoReport') return { ...verdicts, Ready: ready(verdicts) }
  if (unseen.reason !== engineUnavailable) return verdicts
  const verdictsNow = { ...verdicts, Degraded: yes(unseen.reason, unseen.message) }
  return { ...verdictsNow, Ready: ready(verdictsNow) }
}

/** What a report tells was seen for the spec that its agent had then: it says nothing of a newer one. */
const forReported = (input: SeenInput, verdicts: Verdicts): Verdicts => {
  const { stagelet, observation } = input
  const generation = stagelet.metadata.generation ?? 0
  if (observation.generation >= generation || notBegun(input) !== undefined) return verdicts
  const { generation: observedGeneration } = observation
  const isSeenType = (type: string): boolean => (seenTypes as readonly string[]).includes(type)
  return Object.fromEntries(
    Object.entries(verdicts).map(([type, verdict]) => [
      type,
      isSeenType(type) ? { ...verdict, observedGeneration } : verdict,
    ]),
  )
}

/** Where the report names no services, those of the last report are kept, as not seen. */
const servicesOf = (
  { stagelet }: StageletInput,
  compared: readonly ComparedService[],
  unseen: Unseen | undefined,
): ServiceStatus[] => {
  const isSeen = unseen === undefined && compared.length > 0
  if (isSeen) return compared.map((j) => j.status)
  const services =
    compared.length > 0 ? compared.map((j) => j.status) : (stagelet.status?.services ?? [])
  return services.map((service) => unseenService(service, unseen?.lastSeen?.at))
}

const pausedSinceOf = ({ stagelet: { spec, status }, now }: StageletInput): string | undefined =>
  spec.paused === true ? (status?.pausedSince ?? now) : undefined

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
      `agent "${name}" has not joined yet: start it with "stagely agent run --join-file FILE"; "stagely agent token create --name ${name}" makes the token`,
    )
  }
  return no(condition.reason, `agent "${name}" is not connected`)
}

const waitedFor = ({ waitingFor = [] }: ObservationSpec): string =>
  waitingFor.slice(0, 5).join('; ')

const gating = (observation: ObservationSpec): string => {
  const what = waitedFor(observation)
  return `waiting until revision ${observation.revision} is healthy${what === '' ? '' : ` (${what})`}`
}

const progressing = (
  input: StageletInput,
  { wantedRevision, held }: Pick<Decided, 'wantedRevision' | 'held'>,
): Verdict => {
  const { observation, stagelet } = input
  const early = notBegun(input)
  if (early !== undefined)
    return early.reason === 'AwaitingQuiet' ? { ...early, status: 'True' } : early
  if (wantedRevision === undefined) {
    if (held !== undefined) return held
    return yes('ChangeSetOpen', 'the first change set is still open')
  }
  if (stagelet.spec.paused === true) return no('Paused', 'spec.paused is true')
  if (held?.reason === awaitingCredential) return held
  if (observation === undefined)
    return yes('AwaitingAgent', `waiting for the agent to take revision ${wantedRevision}`)
  if (observation.fault?.reason === 'KeysMissing' && !isFaultOutdated(observation, wantedRevision))
    return no('KeysMissing', observation.fault.message)
  if (observation.phase === 'Applying')
    return yes('Applying', `applying revision ${observation.revision}`)
  if (observation.phase === 'Gating') return yes('Gating', gating(observation))
  if (observation.phase === 'Pending' && waitedFor(observation) !== '')
    return yes('Waiting', `waiting for ${waitedFor(observation)}`)
  if (observation.revision < wantedRevision)
    return yes('AwaitingAgent', `waiting for the agent to take revision ${wantedRevision}`)
  if (held !== undefined) return held
  const what = observation.phase === 'Failed' ? 'nothing under way' : 'nothing to do'
  return no('Settled', `${what} at revision ${observation.revision}`)
}

const composeFileChanged = ({ observation, stagelet }: SeenInput): Verdict => {
  const pending = observation.pendingEdits
  if (pending.length === 0) return no('UpToDate', 'the running stack matches the compose file')
  return yes(
    'PendingEdits',
    `the compose file, or what the stagelet chooses of it, was edited; that would change ${pending.join(', ')}. Roll out with "stagely deploy ${stagelet.metadata.name}"`,
  )
}

const variableMissing = ({ observation }: SeenInput): Verdict => {
  const missing = observation.missingVariables
  if (missing.length === 0) return no('AllSet', 'every variable of the compose file is set')
  return yes(
    'Unset',
    `the compose file uses ${missing.join(', ')}, which nothing sets: add a global secret of that key, or a default in the file`,
  )
}

const fileNotMounted = ({ observation }: SeenInput): Verdict => {
  const keys = observation.unmountedFiles ?? []
  if (keys.length === 0) return no('AllMounted', 'every file secret is mounted by a service')
  return yes(
    'PathNotUsed',
    `no service that sees it uses the path of ${keys.join(', ')}: correct file.path (relative to the compose file), or give file.target`,
  )
}

const isReleased = ({ stagelet, agent, observation }: StageletInput): boolean => {
  if (stagelet.metadata.deletionTimestamp === undefined) return false
  if (observation?.phase === 'Released') return true
  const condition = findCondition(agent?.status?.conditions, 'Ready')
  // An agent that never joined, was deleted or was revoked will not answer.
  return (
    condition === undefined ||
    (condition.reason === 'Revoked' && !isTrue(agent?.status?.conditions, 'Ready'))
  )
}
