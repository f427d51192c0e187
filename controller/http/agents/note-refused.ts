// Tells the audit log of agents that were refused: with a join token that was made for one, by its
// name; with anything else, by a count.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { DeniedLog } from '../../audit/denied.ts'
import { originOf } from './origin.ts'
import { RefusedError, type AgentContext } from './refusal.ts'

/** Never rejects. */
export const noteRefused = async (
  c: AgentContext,
  error: unknown,
  log: DeniedLog,
): Promise<void> => {
  const denied = error instanceof StagelyError ? error.details.denied : undefined
  if (denied === undefined) {
    const unauthorized = error instanceof StagelyError && error.reason === 'Unauthorized'
    // Any agent comes without a session after a restart, and signs with its key then.
    const refused = error instanceof RefusedError && error.reason !== 'UnknownSession'
    if (unauthorized || (refused && error.status === 401)) log.countUnknown()
    return
  }
  await log.record({
    actor: {
      name: denied.actorName ?? 'agent',
      source: 'system',
      ...originOf(c),
    },
    namespace: denied.namespace ?? '',
    method: c.req.method,
    route: c.req.path,
    path: c.req.path,
    status: 401,
    why: denied.why,
  })
}
