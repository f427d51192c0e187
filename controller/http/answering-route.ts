// The route of a request for logs and metrics: the pattern, of which there are few, and never the path.
import { matchedRoutes, routePath } from 'hono/route'
import type { AppContext } from './env.ts'

/**
 * The pattern of the handler that answered, or that would have answered a refused request. Later
 * matches, such as the handler of unknown paths, are ignored.
 */
export const answeringRoute = (c: AppContext): string =>
  matchedRoutes(c)
    .slice(c.req.routeIndex)
    .find(({ path }) => !path.endsWith('*'))?.path ?? routePath(c, -1)
