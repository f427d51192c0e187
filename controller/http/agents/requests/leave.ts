// An ephemeral agent says that its machine goes: it is ended at once, by the request that its key signed.
import * as z from 'zod'
import { toTimestamp } from '../../../../src/kernel/clock.ts'
import { endAgents } from '../../../reconcilers/agent/end-agents.ts'
import type { AgentRoutesDeps } from '../deps.ts'
import type { AgentAuthenticator } from './authenticate.ts'
import { AgentRefusedError } from '../../../orders/agent-refused.ts'
import { requestOrigin, type AgentContext } from './refusal.ts'

const leaveRequest = z.strictObject({})
const maxLeaveBytes = 1_024

export const takeLeave =
  (
    authenticate: AgentAuthenticator,
    { store, clock, log }: Pick<AgentRoutesDeps, 'store' | 'clock' | 'log'>,
  ) =>
  async (c: AgentContext): Promise<Response> => {
    const caller = await authenticate(c)
    await caller.take(leaveRequest, maxLeaveBytes)
    const { namespace, name } = caller.agent
    const ref = { kind: 'Agent', namespace, name } as const
    const actor = {
      name: `agent:${namespace}/${name}`,
      source: 'system',
      authority: 'whole' as const,
      ...requestOrigin(c),
    }
    await store.write(actor, {}, async (tx) => {
      const agent = await tx.get(ref)
      const isOwn = agent?.metadata.uid === caller.agentUid
      if (!isOwn || agent.spec?.ephemeral === undefined)
        throw new AgentRefusedError(
          409,
          'NotEphemeral',
          `agent "${name}" is not ephemeral, so nothing is ended: set spec.ephemeral, or delete the agent`,
        )
      const why = 'it said that its machine goes (stagely agent leave)'
      await endAgents(tx, [{ ref, why }], toTimestamp(clock.now()))
    })
    log.info({ agent: `${namespace}/${name}` }, 'agent has left')
    return caller.answer({})
  }
