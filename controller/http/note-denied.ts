// Tells the audit log of requests that were refused: every 403, every 401 with a token that was good
// once, every 404 that hides what another team has.
import type { Principal } from '../../src/access/principal.ts'
import { httpStatusOf, type StagelyError } from '../../src/kernel/errors.ts'
import type { Actor } from '../../src/store/store.ts'
import type { DeniedLog } from '../audit/denied.ts'
import { answeringRoute } from './answering-route.ts'
import { actorOf, type AppContext } from './env.ts'

/** The team that a path names, where it names one. */
const teamIn = (path: string): string =>
  /\/(?:namespaces|teams)\/([a-z0-9-]{1,63})(?:\/|$)/.exec(path)?.[1] ?? ''

const whoAsks = (c: AppContext, { details }: StagelyError): Actor => {
  if ((c.get('user') as Principal | undefined) !== undefined) return actorOf(c)
  const { actorId, actorName = 'anonymous' } = details.denied ?? {}
  return {
    name: actorName,
    ...(actorId === undefined ? {} : { id: actorId }),
    source: 'api',
    address: c.get('address'),
    requestId: c.get('requestId'),
  }
}

/**
 * Resolves when the attempt is stored, where it has a row of its own; never rejects. A 404 that hides what
 * another team has does not wait: it would take longer than one of nothing, and so tell the two apart.
 */
export const noteDenied = async (
  c: AppContext,
  error: StagelyError,
  log: DeniedLog,
): Promise<void> => {
  const { denied } = error.details
  if (denied === undefined && error.reason !== 'Forbidden') {
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
