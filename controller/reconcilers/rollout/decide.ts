// Decides which stagelets are admitted to the newest revision next, and the conditions of the project: pure.
import type { NewCondition } from '../../../src/resources/conditions.ts'
import { findCondition, isTrue } from '../../../src/resources/conditions.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type {
  ProjectRollout,
  RolloutSpec,
  StageletCounts,
} from '../../../src/kinds/project/schema.ts'
import { environmentSet } from '../../../src/secrets/environment-set.ts'
import { findFailed } from '../../../src/rollout/quarantine.ts'
import { newestOf } from '../../../src/rollout/revision.ts'
import type { StageletObject } from '../project/gather.ts'
import { isUnseen, lastKnown } from '../stagelet/unseen.ts'
import { countStandings, namesAt, type Standing } from './counts.ts'
import { findVanishedTogether } from './vanished-agents.ts'
import type { RolloutInput } from './gather.ts'
import { rolloutConditionsOf } from './verdict.ts'

export interface RolloutDecision {
  /** Names of the stagelets that are admitted to the newest revision now. */
  readonly admit: readonly string[]
  readonly stagelets: StageletCounts
  /** Undefined, and no conditions, where the project has no spec.rollout. */
  readonly rollout: ProjectRollout | undefined
  readonly conditions: readonly NewCondition[]
  /** When the next deadline passes. */
  readonly checkInMs: number | undefined
}

const mostNamed = 20

export const retryOf = (stagelet: StageletObject): string =>
  stagelet.metadata.annotations?.[annotations.retry] ?? ''

export const decideRollout = (input: RolloutInput): RolloutDecision => {
  const stagelets = countStagelets(input.stagelets)
  const spec = input.project.spec?.rollout
  if (spec === undefined) {
    return { admit: [], stagelets, rollout: undefined, conditions: [], checkInMs: undefined }
  }
  const standings = new Map(
    input.stagelets.map((s) => [s.metadata.name, standingOf(input, spec, s)]),
  )
  const counts = countStandings(input.closed, standings)
  const { progressing, failed = [] } = counts
  // Interrupted stagelets come first: otherwise more than maxConcurrent stagelets would be unfinished.
  const waiting = [...namesAt(standings, 'interrupted'), ...namesAt(standings, 'waiting')]
  const vanished = waiting.length === 0 ? [] : vanishedAgents(input)
  const state = rolloutStateOf({ spec, failed, vanished, open: waiting.length + progressing })
  const free = (spec.maxConcurrent ?? Infinity) - progressing
  const admit = state === 'Progressing' ? waiting.slice(0, Math.max(0, free)) : []
  const rollout: ProjectRollout = {
    ...counts,
    state,
    progressing: progressing + admit.length,
    waiting: waiting.length - admit.length,
    ...(failed.length > 0 && { failed: failed.slice(0, mostNamed) }),
  }
  return {
    admit,
    stagelets,
    rollout,
    conditions: rolloutConditionsOf(input, rollout, { standings, vanished }),
    checkInMs: nextDeadline(input, spec, new Set(namesAt(standings, 'busy'))),
  }
}

const countStagelets = (stagelets: readonly StageletObject[]): StageletCounts => {
  const counts = new Map<string, number>()
  for (const { status } of stagelets)
    for (const { type, status: is } of status?.conditions ?? [])
      if (is === 'True') counts.set(type, (counts.get(type) ?? 0) + 1)
  const count = (type: string): number => counts.get(type) ?? 0
  return {
    total: stagelets.length,
    inSync: count('SecretsInSync'),
    progressing: count('Progressing'),
    degraded: count('Degraded'),
    unknown: stagelets.filter(isUnseen).length,
    away: stagelets.length - count('AgentReachable'),
  }
}

export const rolloutStateOf = (facts: {
  spec: RolloutSpec
  failed: readonly string[]
  vanished: readonly string[]
  /** How many are busy or wait. */
  open: number
}): ProjectRollout['state'] => {
  if (facts.spec.paused === true) return 'Paused'
  if (facts.failed.length > 0) return 'Stopped'
  if (facts.vanished.length > 0) return 'Braked'
  return facts.open > 0 ? 'Progressing' : 'Complete'
}

export const standingOf = (
  input: RolloutInput,
  spec: RolloutSpec,
  stagelet: StageletObject,
): Standing => {
  const { status } = stagelet
  const letIn = newestOf(status?.admitted?.revision, status?.wantedRevision)
  const healthy = status?.healthyRevision
  // A project without any revision has nothing to roll out.
  if (input.closed === 0) return 'healthy'
  if (letIn === undefined) return isHeld(input, stagelet) ? 'held' : 'waiting'
  if (letIn >= input.closed && (healthy ?? 0) >= input.closed)
    return isUnseen(stagelet) ? 'unknown' : 'healthy'
  const retried = status?.admitted !== undefined && status.admitted.retry !== retryOf(stagelet)
  if (letIn >= input.closed && !retried) return progressOf(input, spec, stagelet)
  if (isHeld(input, stagelet)) return 'held'
  return healthy !== letIn && status?.wantedRevision === letIn ? 'interrupted' : 'waiting'
}

/** True where the newest set gives a service the values that failed there: the rollout does not try these again by itself. */
export const holdsFailed = (
  { head }: Pick<RolloutInput, 'head'>,
  stagelet: StageletObject,
): boolean => {
  const retry = retryOf(stagelet)
  const quarantine = (stagelet.status?.quarantine ?? []).filter((q) => q.retry === retry)
  const { name } = stagelet.metadata
  return findFailed(name, head && environmentSet(head, name), quarantine) !== undefined
}

/** The standing of a stagelet that has been admitted and is not healthy. */
const progressOf = (
  input: RolloutInput,
  spec: RolloutSpec,
  stagelet: StageletObject,
): 'failed' | 'late' | 'busy' => {
  const { status } = stagelet
  if (holdsFailed(input, stagelet)) return 'failed'
  const last = status?.lastRollout
  if (last?.revision === input.closed && last.result === 'Failed') return 'failed'
  return deadlineOf(spec, stagelet) < input.now ? 'late' : 'busy'
}

/** True where an admission would change nothing now, and would only take the place of another stagelet. */
export const isHeld = (input: Pick<RolloutInput, 'agents'>, stagelet: StageletObject): boolean =>
  isKeptBack(input, stagelet) || isAway(input, stagelet)

/** True where the agent is not connected. False where somebody holds the stagelet back on purpose. */
export const isAway = (input: Pick<RolloutInput, 'agents'>, stagelet: StageletObject): boolean =>
  !isKeptBack(input, stagelet) &&
  !isTrue(input.agents.get(stagelet.spec.agentRef.name)?.status?.conditions, 'Ready')

const isKeptBack = (
  { agents }: Pick<RolloutInput, 'agents'>,
  stagelet: StageletObject,
): boolean => {
  const agent = agents.get(stagelet.spec.agentRef.name)
  const drifted = lastKnown(stagelet.status, 'Drifted')
  if (drifted?.status === 'True' && drifted.reason === 'StoppedByHand') return true
  const progressing = findCondition(stagelet.status?.conditions, 'Progressing')
  if (progressing?.reason === 'WaitingForSecrets') return true
  if (agent?.spec?.paused === true || agent?.spec?.drained === true) return true
  return stagelet.spec.paused === true
}

/** In ms since the epoch; Infinity where the time of admission is not known. */
const deadlineOf = (spec: RolloutSpec, { status }: StageletObject): number => {
  const at = Date.parse(status?.admitted?.at ?? '')
  return Number.isNaN(at) ? Infinity : at + spec.progressDeadlineSeconds * 1000
}

const nextDeadline = (
  input: RolloutInput,
  spec: RolloutSpec,
  busy: ReadonlySet<string>,
): number | undefined => {
  const deadlines = input.stagelets
    .filter((s) => busy.has(s.metadata.name))
    .map((s) => deadlineOf(spec, s))
    .filter((at) => at !== Infinity)
  return deadlines.length === 0 ? undefined : Math.max(1, Math.min(...deadlines) - input.now + 1)
}

export const vanishedAgents = ({ project, stagelets, agents }: RolloutInput): string[] => {
  const used = new Set(stagelets.map((s) => s.spec.agentRef.name))
  const resumedAt = Date.parse(project.metadata.annotations?.[annotations.resumed] ?? '')
  const mine = [...agents.values()].filter((agent) => used.has(agent.metadata.name))
  return findVanishedTogether(mine, Number.isNaN(resumedAt) ? -Infinity : resumedAt)
}
