// How new a revision a stagelet may have: what the rollout of its project has let in, and what its
// agent's drain holds: pure.
import type { StageletStatus } from '../../../src/resources/stagelet.ts'
import type { StageletInput } from './gather.ts'

/** Never older than what the stagelet was told already; undefined when it was never told anything. */
export const letInTo = (status: StageletStatus | undefined): number | undefined => {
  const known = [status?.admitted?.revision, status?.wantedRevision].filter((r) => r !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

type TurnInput = Pick<
  StageletInput,
  'stagelet' | 'agent' | 'takesTurns' | 'revisions' | 'observation'
>

/** The newest closed revision that it may have; undefined while it is not to be started at all. */
export const newestFor = (input: TurnInput): number | undefined => {
  const { stagelet, agent, takesTurns, revisions, observation } = input
  const closed = revisions?.closed ?? 0
  const drained = agent?.spec?.drained === true
  // Without any revision there is nothing to roll out in turns.
  if (!drained && (!takesTurns || closed === 0)) return closed
  const letIn = drained ? stagelet.status?.wantedRevision : letInTo(stagelet.status)
  // The agent may have been told of a revision before it was judged here: it is not taken back.
  const runs = observation?.epoch === revisions?.epoch ? observation?.revision : undefined
  const most = Math.max(letIn ?? -1, runs ?? -1)
  return most === -1 ? undefined : Math.min(closed, most)
}

/** Why the newest revision is kept from it; undefined when it is not. */
export const heldBack = (input: TurnInput): { reason: string; message: string } | undefined => {
  const closed = input.revisions?.closed ?? 0
  const newest = newestFor(input)
  if (newest !== undefined && newest >= closed) return undefined
  const { agentRef, projectRef } = input.stagelet.spec
  if (input.agent?.spec?.drained === true) {
    return {
      reason: 'AgentDrained',
      message: `revision ${closed} is not rolled out here while agent "${agentRef.name}" is drained: stagely agent undrain ${agentRef.name} (spec.drained)`,
    }
  }
  return {
    reason: 'AwaitingTurn',
    message: `revision ${closed} waits for its turn in the rollout of project "${projectRef.name}"`,
  }
}
