// What the agent did last, and why: pure.
import type { RolloutStatus } from '../../../src/resources/stagelet.ts'
import type { StageletInput } from './gather.ts'
import { lastKnown } from './unseen.ts'

/** A rollout of the revision that ran already mends what somebody changed: the file, or the containers. */
const causeOf = (
  { stagelet, observation }: StageletInput,
  { revision, startedAt }: RolloutStatus,
): RolloutStatus['cause'] => {
  const last = stagelet.status?.lastRollout
  if (last?.revision !== revision) return 'NewRevision'
  const wasDone = last.result === 'Healthy' || last.result === 'RolledBack'
  if (last.startedAt === startedAt || !wasDone) return last.cause ?? 'NewRevision'
  // Reports may follow each other so closely that the one of the failure was never seen.
  const known = new Set(stagelet.status?.quarantine?.map((q) => q.digest))
  if (observation?.quarantine?.some((q) => !known.has(q.digest)) === true) return 'NewRevision'
  const edited = lastKnown(stagelet.status, 'ComposeFileChanged')?.status === 'True'
  return edited ? 'ComposeFile' : 'Drift'
}

export const rolloutOf = (input: StageletInput): RolloutStatus | undefined => {
  const rollout = input.observation?.rollout
  if (rollout === undefined) return undefined
  const status = { ...rollout, cause: causeOf(input, rollout) }
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== undefined),
  ) as RolloutStatus
}
