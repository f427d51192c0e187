// Writes refused requests to the audit log: every 403, every 401 for a token that was valid once, and
// every 404 that hides an object of another team.
import type { Principal } from '../../src/access/principal.ts'
import { defined } from '../../src/kernel/defined.ts'
import { httpStatusOf, type StagelyError } from '../../src/kernel/errors.ts'
import type { Actor } from '../../src/store/store.ts'
import type { DeniedLog } from './denied.ts'
import { answeringRoute } from './answering-route.ts'
import { actorOf, type AppContext } from './env.ts'
import { noRights } from '../../src/store/core/actor.ts'

/** The team in a path, if there is one. */
const teamIn = (path: string): string =>
  /\/(?:namespaces|teams)\/([a-z0-9-]{1,63})(?:\/|$)/.exec(path)?.[1] ?? ''

const whoAsks = (c: AppContext, { details }: StagelyError): Actor => {
  if ((c.get('user') as Principal | undefined) !== undefined) return actorOf(c)
  const { actorId, actorName = 'anonymous' } = details.denied ?? {}
  return {
    name: actorName,
    ...defined({ id: actorId }),
    source: 'api',
    authority: noRights,
    address: c.get('address'),
    requestId: c.get('requestId'),
  }
}

/**
 * Resolves when the attempt is stored, if it gets a row of its own; never rejects. For a 404 that hides
 * another team's object it does not wait: the longer answer would reveal that the object exists.
 */
export const noteDenied = async (
  c: AppContext,
  error: StagelyError,
  log: DeniedLog,
): Promise<void> => {
  const { denied } = error.details
  if (denied === undefined && httpStatusOf[error.reason] !== 403) {
    const withToken = c.req.header('authorization') !== undefined
    if (error.reason === 'Unauthorized' && withToken) log.countUnknown()
    return
  }
  const stored = log.record({
    actor: whoAsks(c, error),
    namespace: denied?.namespace ?? teamIn(c.req.path),
    method: c.req.method,
    route: answeringRoute(c),
    path: c.req.path,
    status: httpStatusOf[error.reason],
    why: denied?.why ?? 'Role',
  })
  if (error.reason !== 'NotFound') await stored
}
