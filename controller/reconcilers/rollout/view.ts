// The state of a rollout as the API shows it, also for a project without spec.rollout, whose stagelets all take
// the newest revision at once. Pure.
import { findCondition } from '../../../src/resources/conditions.ts'
import { syncOutcome } from '../../../src/rollout/wait-outcome.ts'
import type { ProjectRollout, RolloutSpec } from '../../../src/kinds/project/schema.ts'
import type { StageletObject } from '../project/gather.ts'
import { isUnseen } from '../stagelet/unseen.ts'
import { countStandings, type Standing } from './counts.ts'
import {
  holdsFailed,
  isAway,
  isHeld,
  standingOf,
  rolloutStateOf,
  vanishedAgents,
} from './decide.ts'
import type { RolloutInput } from './gather.ts'
import { progressOf, whyStopped } from './verdict.ts'

export interface StageletInRollout {
  readonly stagelet: StageletObject
  readonly standing: Standing
  /** Why it failed, or what its health gate waits for. */
  readonly message: string
  /** Why the stagelet does not continue by itself; undefined where it does, or is healthy. */
  readonly reason: string | undefined
}

interface RolloutView {
  readonly isStaged: boolean
  /** `Failed`: a rollout that is not staged is never stopped; each stagelet that could take the revision has it or failed. */
  readonly state: ProjectRollout['state'] | 'Failed'
  readonly counts: Omit<ProjectRollout, 'state'>
  readonly message: string
  readonly stagelets: readonly StageletInRollout[]
}

const atOnce: RolloutSpec = { progressDeadlineSeconds: Infinity, onFailure: 'Stop' }

const messageOf = ({ status }: StageletObject, standing: Standing): string => {
  const say = (type: string): string => findCondition(status?.conditions, type)?.message ?? ''
  if (standing === 'failed') return say('Degraded')
  if (standing === 'unknown') return say('SecretsInSync')
  return standing === 'healthy' ? '' : say('Progressing')
}

/** The standing of a stagelet of a project without revisions, by whether its stack runs as declared. */
const standingWithout = (stagelet: StageletObject): Standing => {
  const { kind } = syncOutcome(stagelet)
  const isTrue = (type: string): boolean =>
    findCondition(stagelet.status?.conditions, type)?.status === 'True'
  // A stack without secrets has all of them before its containers are there.
  if (kind === 'done')
    return isTrue('Degraded') ? 'failed' : isTrue('Progressing') ? 'busy' : 'healthy'
  if (kind === 'failed') return 'held'
  return isUnseen(stagelet) ? 'unknown' : 'waiting'
}

export const viewRollout = (input: RolloutInput): RolloutView => {
  const { project, closed } = input
  const spec = project.spec?.rollout ?? atOnce
  const isStaged = project.spec?.rollout !== undefined
  const stand = (stagelet: StageletObject): Standing => {
    if (closed === 0) return standingWithout(stagelet)
    const standing = standingOf(input, spec, stagelet)
    if (standing === 'held' && isAway(input, stagelet)) return 'unknown'
    // The stagelet was healthy with this revision, and then its stack was stopped or got a fault.
    const isLeft = standing === 'healthy' && syncOutcome(stagelet).kind === 'failed'
    if (isLeft) return isStaged || isHeld(input, stagelet) ? 'held' : 'failed'
    if (isStaged || ['healthy', 'failed', 'unknown'].includes(standing)) return standing
    if (isHeld(input, stagelet)) return isAway(input, stagelet) ? 'unknown' : 'held'
    // An agent that has rolled back runs an older revision.
    const isOver = holdsFailed(input, stagelet) || syncOutcome(stagelet).kind === 'failed'
    return isOver ? 'failed' : standing
  }
  const standings = new Map(input.stagelets.map((s) => [s.metadata.name, stand(s)]))
  const counts = countStandings(closed, standings)
  const { waiting, progressing, unknown = 0, failed = [] } = counts
  // A stagelet that nobody sees counts as not done.
  const open = waiting + progressing + unknown
  const vanished = isStaged && waiting > 0 ? vanishedAgents(input) : []
  const atOnceState = open > 0 ? 'Progressing' : failed.length > 0 ? 'Failed' : 'Complete'
  const state = isStaged ? rolloutStateOf({ spec, failed, vanished, open }) : atOnceState
  const stopped = state === 'Stopped' || state === 'Braked'
  return {
    isStaged,
    state,
    counts,
    message: stopped ? whyStopped(input, { standings, vanished }) : progressOf(counts),
    stagelets: input.stagelets.map((stagelet) => {
      const standing = standings.get(stagelet.metadata.name) ?? 'waiting'
      const end = standing === 'healthy' ? undefined : syncOutcome(stagelet, project)
      return end?.kind === 'failed'
        ? { stagelet, standing, message: end.message, reason: end.reason }
        : { stagelet, standing, message: messageOf(stagelet, standing), reason: undefined }
    }),
  }
}
