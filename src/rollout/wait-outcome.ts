// Decides whether a wait for a stagelet, secret or agent is over, and how it ended. No other place
// decides that. Pure. Reads conditions by status and reason only.
import { currentCondition, type Condition } from '../resources/conditions.ts'
import { annotations, type KubeObject } from '../resources/meta.ts'
import type { RolloutStatus } from '../kinds/stagelet/schema.ts'
import { specOf, statusOf } from '../kinds/typed.ts'

export type WaitOutcome =
  | { readonly kind: 'done'; readonly message: string }
  /** The wait cannot succeed by itself: somebody has to act. */
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string }
  /**
   * Not over. The message tells the progress and what the wait is for. `turnIn`: the project whose rollout decides.
   */
  | { readonly kind: 'pending'; readonly message: string; readonly turnIn?: string }

export const waitDone = (message: string): WaitOutcome => ({ kind: 'done', message })
export const failed = (reason: string, message: string): WaitOutcome => ({
  kind: 'failed',
  reason,
  message,
})
export const pending = (message: string): WaitOutcome => ({ kind: 'pending', message })

/** Reasons of SecretsInSync=False that pass by themselves. Every other reason is a lasting fault. */
const passingReasons: ReadonlySet<string> = new Set([
  'NewRevision',
  'RollingOut',
  'OutOfSync',
  'NoReport',
  'AwaitingTurn',
  'AwaitingAgent',
  'Waiting',
  'ComposeUnavailable',
])

/** Reasons of Progressing=False that last until somebody acts. */
const holdingReasons: ReadonlySet<string> = new Set(['Paused', 'AgentDrained'])

/** Reasons of AgentReachable=False that never pass by themselves. */
const lastingReasons: ReadonlySet<string> = new Set(['AgentMissing', 'Revoked'])

const say = ({ reason, message }: Condition): string => `${reason}: ${message}`

const away = (stagelet: KubeObject, { reason, lastTransitionTime }: Condition): WaitOutcome =>
  pending(
    `waits for agent "${specOf('Stagelet', stagelet).agentRef.name}", which is not connected (${reason}) since ${statusOf('Stagelet', stagelet).lastSeen?.at ?? lastTransitionTime}`,
  )

/** The state of a stagelet that waits for its turn in the rollout of its project. */
const turnOutcome = (
  stagelet: KubeObject,
  held: Condition,
  project: KubeObject | undefined,
): WaitOutcome => {
  const { name } = specOf('Stagelet', stagelet).projectRef
  const rollout = project && statusOf('Project', project).rollout
  if (rollout === undefined || rollout.state === 'Progressing' || rollout.state === 'Complete')
    return { kind: 'pending', message: say(held), turnIn: name }
  const remedy =
    rollout.state === 'Stopped'
      ? `"stagely rollout status project/${name}" says why`
      : `go on with "stagely rollout resume project/${name}"`
  const names = rollout.failed === undefined ? '' : ` (failed: ${rollout.failed.join(', ')})`
  return failed(
    `Rollout${rollout.state}`,
    `the rollout of project "${name}" is ${rollout.state.toLowerCase()}${names}: ${remedy}`,
  )
}

const isLeaving = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined

const absent = (object: KubeObject | undefined): WaitOutcome =>
  object === undefined
    ? failed('NotFound', 'it does not exist')
    : failed('Deleted', `it is being deleted since ${object.metadata.deletionTimestamp ?? ''}`)

/** A state that only a person can end; undefined: no such state. */
const halted = (
  stagelet: KubeObject,
  reachable: Condition | undefined,
): WaitOutcome | undefined => {
  if (reachable?.status === 'False' && lastingReasons.has(reachable.reason))
    return failed(reachable.reason, reachable.message)
  if (specOf('Stagelet', stagelet).paused !== true) return undefined
  const remedy = `"stagely rollout resume stagelet/${stagelet.metadata.name}"`
  return failed('Paused', `it is paused: go on with ${remedy}`)
}

/**
 * The state of a stagelet that is not in sync because its rollout is running, waiting for its turn or
 * held back.
 */
const progressOutcome = (
  stagelet: KubeObject,
  progressing: Condition,
  { inSync, project }: { inSync: Condition; project: KubeObject | undefined },
): WaitOutcome | undefined => {
  if (progressing.status === 'True')
    return pending(say(inSync.reason === 'NewRevision' ? inSync : progressing))
  if (progressing.reason === 'AwaitingTurn') return turnOutcome(stagelet, progressing, project)
  return holdingReasons.has(progressing.reason)
    ? failed(progressing.reason, progressing.message)
    : undefined
}

/**
 * For a wait until a stagelet runs exactly its secrets. `stagelet` undefined: it does not exist.
 * `project` is needed only while the stagelet waits for its turn.
 */
export const syncOutcome = (
  stagelet: KubeObject | undefined,
  project?: KubeObject,
): WaitOutcome => {
  if (stagelet === undefined || isLeaving(stagelet)) return absent(stagelet)
  const inSync = currentCondition(stagelet, 'SecretsInSync')
  const reachable = currentCondition(stagelet, 'AgentReachable')
  const progressing = currentCondition(stagelet, 'Progressing')
  if (inSync?.status === 'True') return waitDone(inSync.message)
  const halt = halted(stagelet, reachable)
  if (halt !== undefined) return halt
  if (inSync === undefined) return pending('is not judged yet')
  if (reachable !== undefined && reachable.status !== 'True') return away(stagelet, reachable)
  if (inSync.status === 'Unknown')
    return progressing && holdingReasons.has(progressing.reason)
      ? failed(progressing.reason, progressing.message)
      : pending(say(inSync))
  const drifted = currentCondition(stagelet, 'Drifted')
  if (drifted?.status === 'True' && drifted.reason === 'StoppedByHand')
    return failed(drifted.reason, drifted.message)
  const ahead = progressing && progressOutcome(stagelet, progressing, { inSync, project })
  if (ahead !== undefined) return ahead
  return passingReasons.has(inSync.reason)
    ? pending(say(inSync))
    : failed(inSync.reason, inSync.message)
}

const seesSecrets = (stagelet: KubeObject): boolean =>
  (statusOf('Stagelet', stagelet).services ?? []).some(({ keys = [] }) => keys.length > 0)

/** For a wait after a change: a stack without secrets has all of them before its containers are there. */
export const appliedOutcome = (
  stagelet: KubeObject | undefined,
  project?: KubeObject,
): WaitOutcome => {
  const sync = syncOutcome(stagelet, project)
  if (stagelet === undefined || sync.kind !== 'done' || seesSecrets(stagelet)) return sync
  const ready = currentCondition(stagelet, 'Ready')
  const degraded = currentCondition(stagelet, 'Degraded')
  const drifted = currentCondition(stagelet, 'Drifted')
  if (ready?.status === 'True') return sync
  const halt = halted(stagelet, currentCondition(stagelet, 'AgentReachable'))
  if (halt !== undefined) return halt
  if (degraded?.status === 'True') return failed(degraded.reason, degraded.message)
  if (drifted?.status === 'True' && drifted.reason === 'StoppedByHand')
    return failed(drifted.reason, drifted.message)
  return pending(ready === undefined ? 'is not judged yet' : say(ready))
}

const lastRolloutOf = (stagelet: KubeObject | undefined): RolloutStatus | undefined =>
  stagelet && statusOf('Stagelet', stagelet).lastRollout

/** Start time of the last rollout. A wait compares it to recognize the next rollout. */
export const rolloutStartOf = (stagelet: KubeObject | undefined): string =>
  lastRolloutOf(stagelet)?.startedAt ?? ''

/** A failure that a retry may mend. */
const mayMend = (end: WaitOutcome): boolean =>
  end.kind === 'failed' && /^(RolledBack|RolloutFailed|KeysMissing)$/.test(end.reason)

/** A state that only a deploy ends. */
const awaitsDeploy = (end: WaitOutcome): boolean =>
  end.kind === 'failed' && /^(PendingEdits|StoppedByHand)$/.test(end.reason)

const notBegun = pending('waits until the agent begins')

/** For a wait until a retry has succeeded or failed again; `startedBefore` as for a deploy. */
export const retryOutcome = (
  stagelet: KubeObject | undefined,
  startedBefore: string,
  project?: KubeObject,
): WaitOutcome => {
  const sync = syncOutcome(stagelet, project)
  return mayMend(sync) && rolloutStartOf(stagelet) === startedBefore ? notBegun : sync
}

const isFollowed = (stagelet: KubeObject | undefined): boolean => {
  const asked = stagelet?.metadata.annotations?.[annotations.redeploy]
  return (
    asked !== undefined &&
    stagelet !== undefined &&
    statusOf('Stagelet', stagelet).deployed === asked
  )
}

/** For a wait until a deploy has ended; `startedBefore` is the start time of the rollout before it. */
export const deployOutcome = (
  stagelet: KubeObject | undefined,
  startedBefore: string,
  project?: KubeObject,
): WaitOutcome => {
  const sync = syncOutcome(stagelet, project)
  const rollout = lastRolloutOf(stagelet)
  const isNew = rollout !== undefined && rolloutStartOf(stagelet) !== startedBefore
  const isOfBefore = sync.kind === 'done' || awaitsDeploy(sync)
  // The agent has looked, and nothing was to be done.
  if (!isNew && isFollowed(stagelet)) return sync
  if (!isNew) return isOfBefore || mayMend(sync) ? notBegun : sync
  if (rollout.result === 'Failed') {
    const service = rollout.service === undefined ? '' : `service ${rollout.service}: `
    return failed('RolloutFailed', `${service}${rollout.message ?? 'the rollout failed'}`)
  }
  if (rollout.result === 'Progressing' && isOfBefore) return pending('rolling out')
  return sync
}

/** Reasons of InSync=False of a secret that pass by themselves. */
export const rollingReasons: ReadonlySet<string> = new Set(['NewVersion', 'NewReferredValue'])

/** For a wait until the services that see a secret run its newest version. */
export const secretOutcome = (secret: KubeObject | undefined): WaitOutcome => {
  if (secret === undefined || isLeaving(secret)) return absent(secret)
  const accepted = currentCondition(secret, 'Accepted')
  const inSync = currentCondition(secret, 'InSync')
  if (accepted?.status === 'False') return failed(accepted.reason, accepted.message)
  if (inSync === undefined) return pending('is not judged yet')
  if (inSync.status === 'True') return waitDone(inSync.message)
  const stays = inSync.status === 'False' && !rollingReasons.has(inSync.reason)
  return stays ? failed(inSync.reason, inSync.message) : pending(say(inSync))
}

/** For a wait until an agent is connected, or has followed a request. */
export const agentOutcome = (
  agent: KubeObject | undefined,
  isDone: (agent: KubeObject) => boolean,
): WaitOutcome => {
  if (agent === undefined) return failed('NotFound', 'it does not exist')
  if (isDone(agent)) return waitDone('done')
  const ready = currentCondition(agent, 'Ready')
  if (ready?.reason === 'Revoked') return failed(ready.reason, ready.message)
  return pending(ready === undefined ? 'it has not joined yet' : say(ready))
}
