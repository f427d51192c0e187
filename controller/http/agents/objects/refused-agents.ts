// Tells of agents that proved who they are and are refused all the same, since they cannot work with this controller:
// the condition Refused of the Agent, an event and a line in the log. The condition ends when the agent connects.
import { isReason } from '../../../../src/kernel/errors.ts'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import {
  findCondition,
  withCondition,
  type NewCondition,
} from '../../../../src/resources/conditions.ts'
import { agentRefOf } from '../../../../src/protocol/agent-key.ts'
import { system, type AgentRoutesDeps } from '../deps.ts'
import { AgentRefusedError, type RefusedAgent } from '../../../orders/agent-refused.ts'
import { skewOf } from '../requests/clock-skew.ts'
import type { ObjectCache } from './object-cache.ts'

export const refusalReasons = ['ClockSkew', 'Protocol'] as const
export type RefusalReason = (typeof refusalReasons)[number]

const isRefusalReason = (reason: string): reason is RefusalReason =>
  refusalReasons.some((listedReason) => listedReason === reason)

/** Whole minutes, so that each try of the agent tells the same. */
const clockMessage = (aheadMs: number): string => {
  const minutes = Math.round(Math.abs(aheadMs) / 60_000)
  const side = aheadMs > 0 ? 'ahead of' : 'behind'
  return `the agent is refused: its clock is about ${minutes} minutes ${side} the controller’s, and 5 are allowed; set the wrong one, for instance with NTP`
}

const conditionOf = (reason: RefusalReason, message: string, aheadMs: number): NewCondition => ({
  type: 'Refused',
  status: 'True',
  reason,
  message: reason === 'ClockSkew' ? clockMessage(aheadMs) : `the agent is refused: ${message}`,
})

/** Takes each refusal of a request. Resolves when it is stored; never rejects. */
export const createRefusals = (
  { store, clock, log }: Pick<AgentRoutesDeps, 'store' | 'clock' | 'log'>,
  streams: { readonly objects: Pick<ObjectCache, 'agent'>; isConnected(agentKey: string): boolean },
): ((error: unknown) => Promise<void>) => {
  const writing = new Set<string>()

  const write = async (
    { agentKey, agentUid, aheadMs }: RefusedAgent,
    refused: NewCondition,
  ): Promise<void> => {
    log.warn({ agent: agentKey, reason: refused.reason, said: refused.message }, 'agent refused')
    await store.write(system, {}, async (tx) => {
      const agent = await tx.getFrozen(agentRefOf(agentKey))
      // Another agent may have this name by now.
      if (agent === undefined || agent.metadata.uid !== agentUid) return
      const old = agent.status ?? {}
      const was = findCondition(old.conditions, 'Refused')
      const now = toTimestamp(clock.now())
      const conditions = withCondition(old.conditions ?? [], refused, now)
      await tx.setStatus({
        ...agent,
        status: { ...old, clockSkewMs: skewOf([aheadMs]), conditions },
      })
      if (was?.reason === refused.reason && was.message === refused.message) return
      const { message } = refused
      await tx.recordEvent({ regarding: agent, type: 'Warning', reason: 'Refused', message })
    })
  }

  return async (error) => {
    if (!(error instanceof AgentRefusedError) || error.agent === undefined) return
    if (!isRefusalReason(error.reason)) return
    const { agentKey, agentUid, aheadMs } = error.agent
    // An agent with a stream gives it up first, and is refused again when it comes back.
    if (streams.isConnected(agentKey) || writing.has(agentKey)) return
    const refused = conditionOf(error.reason, error.message, aheadMs)
    const agent = streams.objects.agent(agentKey)
    if (agent?.uid === agentUid && agent.refused?.message === refused.message) return
    writing.add(agentKey)
    try {
      await write(error.agent, refused)
    } catch (fault) {
      if (!isReason(fault, 'NotFound'))
        log.warn({ err: fault, agent: agentKey }, 'cannot write that an agent is refused')
    } finally {
      writing.delete(agentKey)
    }
  }
}
