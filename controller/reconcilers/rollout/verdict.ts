// Tells people of a rollout: the conditions of the project, and an event for each change of state.
import { findCondition, type NewCondition } from '../../../src/resources/conditions.ts'
import { annotations } from '../../../src/resources/meta.ts'
import type { ProjectRollout } from '../../../src/kinds/project/schema.ts'
import type { EventInput } from '../../../src/store/store.ts'
import type { ProjectObject, StageletObject } from '../project/gather.ts'
import { isUnseen } from '../stagelet/unseen.ts'
import type { Standings } from './counts.ts'
import type { RolloutInput } from './gather.ts'

const listed = (names: readonly string[]): string =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

/** `Progressing` says how far the rollout is, `Degraded` what stops it. */
export const rolloutConditionsOf = (
  input: RolloutInput,
  rollout: ProjectRollout,
  facts: { standings: Standings; vanished: readonly string[] },
): NewCondition[] => {
  const { state } = rollout
  const observedGeneration = input.project.metadata.generation
  const stopped = state === 'Stopped' || state === 'Braked'
  const why = stopped ? whyStopped(input, facts) : 'nothing stops the rollout'
  const reason = `Rollout${state}`
  const away = awayIn(input, facts.standings)
  return [
    {
      type: 'Progressing',
      status: state === 'Progressing' ? 'True' : 'False',
      reason: state === 'Progressing' && away.length > 0 ? 'AgentAway' : reason,
      message: [progressOf(rollout), ...away.map(whyAway)].join('; '),
      observedGeneration,
    },
    {
      type: 'Degraded',
      status: stopped ? 'True' : 'False',
      reason: stopped ? reason : 'AsExpected',
      message: why,
      observedGeneration,
    },
  ]
}

const mostNamed = 5

/** Busy stagelets that nobody sees: the rollout waits for them until their deadline. */
const awayIn = ({ stagelets }: RolloutInput, standings: Standings): StageletObject[] =>
  stagelets
    .filter((s) => standings.get(s.metadata.name) === 'busy' && isUnseen(s))
    .slice(0, mostNamed)

const whyAway = ({ metadata, status }: StageletObject): string =>
  `stagelet "${metadata.name}" is not seen: ${findCondition(status?.conditions, 'SecretsInSync')?.message ?? ''}`

/** How far the rollout is, as a sentence. */
export const progressOf = ({ revision, ...counts }: Omit<ProjectRollout, 'state'>): string => {
  const parts = [
    `${counts.healthy} healthy`,
    `${counts.progressing} on their way`,
    `${counts.waiting} waiting`,
    ...(counts.held > 0 ? [`${counts.held} paused, drained, stopped or away`] : []),
    ...(counts.unknown === undefined ? [] : [`${counts.unknown} not seen now`]),
    ...(counts.failed === undefined ? [] : [`failed: ${listed(counts.failed)}`]),
  ]
  return `revision ${revision}: ${parts.join(', ')}`
}

/** The first line of why a stagelet is degraded. */
const faultOf = (stagelet: StageletObject): string =>
  findCondition(stagelet.status?.conditions, 'Degraded')?.message.split('\n')[0] ?? ''

export const whyStopped = (
  input: RolloutInput,
  { standings, vanished }: { standings: Standings; vanished: readonly string[] },
): string => {
  const { name } = input.project.metadata
  const bad = input.stagelets.filter((s) =>
    ['failed', 'late'].includes(standings.get(s.metadata.name) ?? ''),
  )
  const [first] = bad
  if (first === undefined) {
    return `agents ${listed(vanished)} vanished within a minute: no further stagelet is started until they are back, or you say "stagely rollout resume project/${name}" (its annotation ${annotations.resumed})`
  }
  const late = standings.get(first.metadata.name) === 'late'
  const awayText = isUnseen(first) ? `; ${whyAway(first)}` : ''
  const fault = late
    ? `not healthy within spec.rollout.progressDeadlineSeconds${awayText}`
    : faultOf(first)
  const more = bad.length > 1 ? ` and ${bad.length - 1} more` : ''
  return `stagelet "${first.metadata.name}"${more} stops it; mend the value, or try it again with "stagely rollout retry stagelet/${first.metadata.name}" (its annotation ${annotations.retry}): ${fault}`
}

/** Undefined where the state of the rollout has not changed. */
export const rolloutEventOf = (
  project: ProjectObject,
  next: ProjectRollout | undefined,
  conditions: readonly NewCondition[],
): EventInput | undefined => {
  const before = project.status?.rollout
  if (next === undefined || (before === undefined && next.state === 'Complete')) return undefined
  if (before?.state === next.state && before.revision === next.revision) return undefined
  const bad = conditions.find((c) => c.type === 'Degraded' && c.status === 'True')
  const { message } = bad ?? conditions[0]!
  return {
    regarding: project,
    type: bad === undefined ? 'Normal' : 'Warning',
    reason: `Rollout${next.state}`,
    message,
  }
}
