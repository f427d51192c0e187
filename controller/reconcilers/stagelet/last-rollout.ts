// The last rollout that the agent reported, and its cause: pure.
import { toFineTimestamp } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import type { RolloutStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { StageletInput } from './facts.ts'
import { lastKnown } from './unseen.ts'

/** A rollout of the revision that ran already has another cause: an edited Compose file, or changed containers. */
const causeOf = (
  { stagelet, observation }: StageletInput,
  { revision, startedAt }: RolloutStatus,
): RolloutStatus['cause'] => {
  const last = stagelet.status?.lastRollout
  if (last?.revision !== revision) return 'NewRevision'
  const wasDone = last.result === 'Healthy' || last.result === 'RolledBack'
  if (last.startedAt === startedAt || !wasDone) return last.cause ?? 'NewRevision'
  // The report of the failure itself may have been replaced by the next report before it was read.
  const quarantined = new Set(stagelet.status?.quarantine?.map((q) => q.digest))
  if (observation?.quarantine?.some((q) => !quarantined.has(q.digest)) === true)
    return 'NewRevision'
  const edited = lastKnown(stagelet.status, 'ComposeFileChanged')?.status === 'True'
  return edited ? 'ComposeFile' : 'Drift'
}

/** An agent that has begun anew knows no rollout: the one that it was killed in has ended once the stack is settled. */
const endedUnseen = ({
  stagelet,
  agent,
  observation,
  nowMs,
}: StageletInput): RolloutStatus | undefined => {
  const { lastRollout: last, quarantine = [] } = stagelet.status ?? {}
  const isSettled = observation?.phase === 'Settled' && observation.revision === last?.revision
  if (last?.result !== 'Progressing' || !isSettled) return undefined
  const finishedAt = toFineTimestamp(nowMs + (agent?.status?.clockSkewMs ?? 0))
  const failed = quarantine.findLast(({ revision }) => revision > last.revision)
  if (failed === undefined) return { ...last, result: 'Healthy', finishedAt }
  const { service, message } = failed
  return { ...last, result: 'RolledBack', finishedAt, service, message }
}

export const rolloutOf = (input: StageletInput): RolloutStatus | undefined => {
  const rollout = input.observation?.rollout
  if (rollout === undefined) return endedUnseen(input)
  return defined({ ...rollout, cause: causeOf(input, rollout) })
}
