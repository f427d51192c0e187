// The first rollout of a stagelet that is new, or whose project was created again, waits for its secrets: pure. Manifests
// arrive one by one and in any order, and a stack that starts with some of its secrets would be re-created for the others.
import { defined } from '../../../src/kernel/defined.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import { projectMissing } from '../../../src/kinds/secret/verdicts.ts'
import type { Verdict } from '../../../src/resources/conditions.ts'
import { isForStagelet } from '../../../src/secrets/place.ts'
import type { StageletInput } from './facts.ts'

/** Longest wait for a project to be quiet, however often it is written to. */
const longestMs = 10_000

interface FirstRolloutWait {
  readonly reason: 'WaitingForSecrets' | 'AwaitingQuiet'
  readonly message: string
  /** When to look again (ms); undefined where a change of the project ends the wait. */
  readonly until?: number
}

type FirstRolloutInput = Pick<
  StageletInput,
  'stagelet' | 'project' | 'revisions' | 'head' | 'closedSets' | 'nowMs'
>

const same = (a: StageletStatus['project'], b: StageletStatus['project']): boolean =>
  a?.uid === b?.uid && a?.since === b?.since

const isFirst = ({ stagelet: { status }, project }: FirstRolloutInput): boolean => {
  if (status?.wantedRevision === undefined) return true
  return status.project !== undefined && !same(status.project, project)
}

const missingKeys = ({ stagelet, head }: FirstRolloutInput): string[] => {
  const { name } = stagelet.metadata
  const visible = (head?.entries ?? []).filter((entry) => isForStagelet(entry, name))
  const keys = new Set(visible.map((entry) => entry.key))
  return (stagelet.spec.compose.requires ?? []).filter((key) => !keys.has(key))
}

/**
 * False where a revision has the stagelet in another environment than the newest set, or is not known to have it there: a
 * stack must not start with the secrets of another environment.
 */
const isInPlace = ({ head, closedSets }: FirstRolloutInput, revision: number): boolean => {
  const set = closedSets.find((one) => one.revision === revision)
  if (set === undefined) return revision === 0 || head?.isLaidOut !== true
  return (set.place ?? '') === (head?.place ?? '')
}

/** The revision is not for a first rollout: its secrets are those of another environment. */
export const isOfOtherEnvironment = (
  input: FirstRolloutInput,
  revision: number | undefined,
): boolean => revision !== undefined && isFirst(input) && !isInPlace(input, revision)

/** The reason why the first rollout waits; undefined where it does not wait, or is not the first one. */
export const awaitedBy = (input: FirstRolloutInput): FirstRolloutWait | undefined => {
  const { stagelet, project, revisions, nowMs } = input
  if (revisions === undefined || !isFirst(input)) return undefined
  const missing = missingKeys(input)
  if (missing.length > 0) {
    const message = `the first rollout waits for ${missing.join(', ')} (spec.compose.requires): no secret of this key has a value in the project yet`
    return { reason: 'WaitingForSecrets', message }
  }
  if (!isInPlace(input, revisions.closed)) {
    const message =
      'the first rollout waits for the revision that has the stagelet in its environment: it closes with the writes that are under way'
    return { reason: 'AwaitingQuiet', message, ...defined({ until: revisions.closesAt }) }
  }
  const created = [stagelet.metadata.creationTimestamp, project?.since].map((at) =>
    Date.parse(at ?? ''),
  )
  const latest = Math.max(...created.filter((at) => !Number.isNaN(at)), 0) + longestMs
  const until = Math.min(revisions.quietAt, latest)
  if (nowMs >= until) return undefined
  const message =
    'the first rollout begins when the project has been quiet for 2 s, so that all that belongs to it is there; a change set that says it is complete ends the wait (Stagely-Change-Set: ID; last=true)'
  return { reason: 'AwaitingQuiet', message, until }
}

/** Why the rollout may not begin yet. */
export const notBegun = (
  input: FirstRolloutInput & Pick<StageletInput, 'projectExists'>,
): Verdict | undefined => {
  if (!input.projectExists) return projectMissing(input.stagelet)
  const awaited = awaitedBy(input)
  if (awaited === undefined) return undefined
  return { status: 'False', reason: awaited.reason, message: awaited.message }
}

/** The Project that `wantedRevision` belongs to. */
export const projectOfRevision = (
  input: FirstRolloutInput,
  wantedRevision: number | undefined,
): StageletStatus['project'] => {
  const isDecided = wantedRevision !== undefined && awaitedBy(input) === undefined
  return (isDecided ? input.project : undefined) ?? input.stagelet.status?.project
}
