// What a first rollout waits for: of a new stagelet, and of one whose project was made anew. Objects of one
// set arrive one by one and in any order; a stack that began with some of them would be re-created with the rest: pure.
import type { StageletStatus } from '../../../src/resources/stagelet.ts'
import { projectMissing, type Verdict } from '../../../src/resources/unseen-secret.ts'
import type { StageletInput } from './gather.ts'

/** However often its project is written to, a rollout waits no longer than this for it to be quiet. */
const longestMs = 10_000

export interface Awaited {
  readonly reason: 'WaitingForSecrets' | 'AwaitingQuiet'
  readonly message: string
  /** When to look again (ms); undefined: what is awaited comes with a change of the project. */
  readonly until?: number
}

type Given = Pick<StageletInput, 'stagelet' | 'project' | 'revisions' | 'head' | 'nowMs'>

const same = (a: StageletStatus['project'], b: StageletStatus['project']): boolean =>
  a?.uid === b?.uid && a?.since === b?.since

const isFirst = ({ stagelet: { status }, project }: Given): boolean => {
  if (status?.wantedRevision === undefined) return true
  return status.project !== undefined && !same(status.project, project)
}

const missingKeys = ({ stagelet, head }: Given): string[] => {
  const { name } = stagelet.metadata
  const seen = (head?.entries ?? []).filter((e) => e.stagelet === undefined || e.stagelet === name)
  const keys = new Set(seen.map((entry) => entry.key))
  return (stagelet.spec.compose.requires ?? []).filter((key) => !keys.has(key))
}

/** Undefined where nothing is, or where it is no first rollout. */
export const awaitedBy = (given: Given): Awaited | undefined => {
  const { stagelet, project, revisions, nowMs } = given
  if (revisions === undefined || !isFirst(given)) return undefined
  const missing = missingKeys(given)
  if (missing.length > 0) {
    const message = `the first rollout waits for ${missing.join(', ')} (spec.compose.requires): no secret of this key has a value in the project yet`
    return { reason: 'WaitingForSecrets', message }
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

/** Why there is nothing to roll out yet, whatever the agent says. */
export const notBegun = (
  input: Given & Pick<StageletInput, 'projectExists'>,
): Verdict | undefined => {
  if (!input.projectExists) return projectMissing(input.stagelet)
  const awaited = awaitedBy(input)
  if (awaited === undefined) return undefined
  return { status: 'False', reason: awaited.reason, message: awaited.message }
}

/** The Project that `wantedRevision` is a revision of. */
export const projectOfRevision = (
  input: Given,
  wantedRevision: number | undefined,
): StageletStatus['project'] => {
  const isJudged = wantedRevision !== undefined && awaitedBy(input) === undefined
  return (isJudged ? input.project : undefined) ?? input.stagelet.status?.project
}
