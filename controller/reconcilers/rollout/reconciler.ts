// Admits stagelets to the newest revision, a few at a time where the project says so, and counts how all of them
// are. The stagelet reconciler then decides which revision each stagelet is told.
import { toTimestamp, type Clock } from '../../../src/kernel/clock.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { withCondition, type Condition } from '../../../src/resources/conditions.ts'
import { refFromKey, refOf } from '../../../src/resources/meta.ts'
import type { ProjectStatus } from '../../../src/kinds/project/schema.ts'
import {
  done,
  waitFor,
  type ReconcileOutcome,
  type Reconciler,
} from '../../../src/runtime/control-loop.ts'
import { sameJson } from '../../../src/kernel/same-json.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { reconcilerActor } from '../actor.ts'
import { writeNotKnown } from '../not-known.ts'
import type { StageletObject } from '../project/gather.ts'
import { decideRollout, retryOf, type RolloutDecision } from './decide.ts'
import { gatherRollout, type RolloutInput } from './gather.ts'
import { rolloutEventOf } from './verdict.ts'

/** Reads and decides outside any transaction: a project may have thousands of stagelets. */
export const createRolloutReconciler = (deps: { store: Store; clock: Clock }): Reconciler => ({
  name: 'rollout',
  notKnown: (key) => writeNotKnown(deps, [refFromKey(key)]),
  reconcile: async (key): Promise<ReconcileOutcome> => {
    const input = await gatherRollout(deps.store, refFromKey(key), { now: deps.clock.now() })
    if (input === undefined) return done
    const decision = decideRollout(input)
    const status = statusOf(input, decision, input.project.status)
    if (decision.admit.length > 0 || !sameJson(input.project.status, status)) {
      await deps.store.write(reconcilerActor, {}, (tx) => write(tx, input, decision))
    }
    return decision.checkInMs === undefined ? done : waitFor(decision.checkInMs)
  },
})

const ours: readonly string[] = ['Progressing', 'Degraded']

const statusOf = (
  { now }: RolloutInput,
  { stagelets, rollout, conditions }: RolloutDecision,
  before: ProjectStatus | undefined,
): ProjectStatus => {
  let kept: Condition[] = [...(before?.conditions ?? [])]
  if (rollout === undefined) kept = kept.filter((c) => !ours.includes(c.type))
  for (const condition of conditions) kept = withCondition(kept, condition, toTimestamp(now))
  const { rollout: _old, ...rest } = before ?? {}
  return { ...rest, stagelets, ...defined({ rollout }), conditions: kept }
}

const write = async (
  tx: Transaction,
  input: RolloutInput,
  decision: RolloutDecision,
): Promise<void> => {
  const { project } = input
  const current = await tx.get(refOf(project))
  // The project was made anew or its spec has changed: that change starts another run.
  if (current?.metadata.uid !== project.metadata.uid) return
  if (current?.metadata.generation !== project.metadata.generation) return
  const admitted = new Set(decision.admit)
  for (const stagelet of input.stagelets)
    if (admitted.has(stagelet.metadata.name)) await admit(tx, input, stagelet)
  const status = statusOf(input, decision, current?.status)
  await tx.setStatus({ ...current!, status: { ...status } })
  const event = rolloutEventOf(project, decision.rollout, decision.conditions)
  if (event !== undefined) await tx.recordEvent(event)
}

const admit = async (
  tx: Transaction,
  { closed, now, project }: RolloutInput,
  stagelet: StageletObject,
): Promise<void> => {
  const current = await tx.get(refOf(stagelet))
  if (current?.metadata.uid !== stagelet.metadata.uid) return
  const admitted = {
    revision: closed,
    project: project.metadata.uid,
    at: toTimestamp(now),
    retry: retryOf(stagelet),
  }
  await tx.setStatus({ ...current!, status: { ...current?.status, admitted } })
}
