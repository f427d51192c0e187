// Holds every answer of the REST API against what its route declares, for whichever test asked.
import type { IncomingHttpHeaders } from 'node:http'
import { problemSchema, problemType } from '../../../controller/http/rest/problem.ts'
import { isRestPath, restBase } from '../../../controller/http/rest/serve.ts'
import { restRoutes } from '../../../controller/http/rest/table.ts'

interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

const routes = restRoutes.map((route) => ({
  route,
  pattern: new RegExp(`^${restBase}${route.path.replace(/:[a-z_]+/g, '[^/]+')}$`),
}))

/** Throws where the body is not what the route says that it answers. */
export const checkRestAnswer = (method: string, path: string, reply: Reply): void => {
  const { pathname } = new URL(path, 'https://controller')
  if (!isRestPath(pathname) || reply.status === 304) return
  const what = `${method} ${pathname} answered ${reply.status}`
  const type = reply.headers['content-type'] ?? ''
  if (reply.headers['x-request-id'] === undefined) throw new Error(`${what} without X-Request-Id`)
  if (reply.status >= 400) {
    if (type !== problemType) throw new Error(`${what} as ${type}, not as ${problemType}`)
    const { status } = problemSchema.parse(JSON.parse(reply.text))
    if (status !== reply.status) throw new Error(`${what}, and the problem says ${status}`)
    return
  }
  // Static paths come before those with parameters, as in the server.
  const found = routes
    .filter(({ route, pattern }) => route.method === method && pattern.test(pathname))
    .sort((a, b) => b.route.path.split(':').length - a.route.path.split(':').length)
    .at(-1)?.route
  if (found === undefined) throw new Error(`${what}, and no route declares it`)
  const declared = found.responses.get(reply.status as typeof found.status)
  if (declared === undefined)
    throw new Error(`${what}; the route declares ${[...found.responses.keys()].join(', ')}`)
  if (declared.schema === undefined || !type.startsWith('application/json')) return
  const parsed = declared.schema.safeParse(JSON.parse(reply.text))
  if (!parsed.success) throw new Error(`${what} not as declared: ${parsed.error.message}`)
}
