// Which route a request is for, as logs and metrics name it: the pattern, which is bounded.
import { matchedRoutes, routePath } from 'hono/route'
import type { AppContext } from './env.ts'

/**
 * The pattern of the handler that answered, or would have had it not been refused before. What comes
 * after it, such as the answer to unknown paths, matches as well and says nothing.
 */
export const answeringRoute = (c: AppContext): string =>
  matchedRoutes(c)
    .slice(c.req.routeIndex)
    .find(({ path }) => !path.endsWith('*'))?.path ?? routePath(c, -1)
