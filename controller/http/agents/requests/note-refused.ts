// Tells the audit log of refused agents: by name where a join token names the agent, else by a count.
import { StagelyError } from '../../../../src/kernel/errors.ts'
import type { DeniedLog } from '../../denied.ts'
import { AgentRefusedError } from '../../../orders/agent-refused.ts'
import { requestOrigin, type AgentContext } from './refusal.ts'

/** Never rejects. */
export const noteRefused = async (
  c: AgentContext,
  error: unknown,
  log: DeniedLog,
): Promise<void> => {
  const denied = error instanceof StagelyError ? error.details.denied : undefined
  if (denied === undefined) {
    const unauthorized = error instanceof StagelyError && error.reason === 'Unauthorized'
    // After a restart of the controller every agent comes with an unknown session: that is no attempt of a stranger.
    const refused = error instanceof AgentRefusedError && error.reason !== 'UnknownSession'
    if (unauthorized || (refused && error.status === 401)) log.countUnknown()
    return
  }
  await log.record({
    actor: {
      name: denied.actorName ?? 'agent',
      source: 'system',
      authority: 'whole',
      ...requestOrigin(c),
    },
    namespace: denied.namespace ?? '',
    method: c.req.method,
    route: c.req.path,
    path: c.req.path,
    status: 401,
    why: denied.why,
  })
}
