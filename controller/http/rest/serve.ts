// Mounts the table of routes. Each request passes: rate limit, right, input, handler.
import { packed } from '../packed.ts'
import type { Hono } from 'hono'
import type { Principal } from '../../../src/access/principal.ts'
import { linkedAbort } from '../../../src/kernel/async/linked-abort.ts'
import { StagelyError, httpStatusOf } from '../../../src/kernel/errors.ts'
import type { FairLock } from '../../../src/kernel/async/fair-lock.ts'
import { callerStore } from '../../../src/store/caller-store.ts'
import { actorOf, rightsFor, type AppContext, type AppEnv } from '../env.ts'
import { authorizeRest, callerOf } from './access.ts'
import type { RestDeps } from './deps.ts'
import { parseIfMatch } from './etag.ts'
import { noteOf } from '../note.ts'
import { answerOnce, parseIdempotencyKey, type IdempotencyDeps } from './idempotency.ts'
import { readInput, type Input } from './input.ts'
import { problemOf, problemType } from './problem.ts'
import type { RateLimit, RevealLimit } from '../rate-limit.ts'
import { clientNetwork } from '../request-identity.ts'
import { requestBytes, spend } from '../work-budget.ts'
import { heedsIdempotencyKey, type RestAnswer, type RestContext, type RestRoute } from './route.ts'
import { restRoutes } from './table.ts'
import { wholeRights } from '../../../src/store/core/actor.ts'
import type { Store } from '../../../src/store/store.ts'

export const restBase = '/api/v1'

export interface RestServerDeps extends Omit<RestDeps, 'store'> {
  readonly store: Store
  readonly idempotency: IdempotencyDeps['keys']
  readonly limit: RateLimit
  readonly revealLimit: RevealLimit
  readonly long: FairLock
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal
}

const rootOf = (path: string): string => path.split('/')[1] ?? ''
const roots = new Set(restRoutes.map((route) => rootOf(route.path)))

/**
 * True for paths of the REST API, whose errors are problem+json; the rest of /api/v1 is the
 * Kubernetes-style API.
 */
export const isRestPath = (path: string): boolean =>
  path.startsWith(`${restBase}/`) && roots.has(rootOf(path.slice(restBase.length)))

/** True for a path below /api/v1 that begins as nothing does in either API. */
export const isUnknownRest = (path: string): boolean =>
  path.startsWith(`${restBase}/`) &&
  !['namespaces', 'events'].includes(rootOf(path.slice(restBase.length)))

export const noRoute = (): StagelyError =>
  new StagelyError('NotFound', 'no such route; GET /api/docs shows all of them')

export const answerProblem = (c: AppContext, error: StagelyError): Response => {
  c.header('cache-control', 'no-store')
  return c.body(JSON.stringify(problemOf(error, c.get('requestId'))), httpStatusOf[error.reason], {
    'content-type': problemType,
  })
}

const isPublic = ({ access }: RestRoute): boolean => access.in === 'public'

/** Before the login. */
export const mountPublicRest = (app: Hono<AppEnv>, deps: RestServerDeps): void => {
  for (const route of restRoutes.filter(isPublic))
    app.on(route.method, restBase + route.path, serve(deps, route))
}

/** `app` requires a login already. */
export const mountRest = (app: Hono<AppEnv>, deps: RestServerDeps): void => {
  for (const route of restRoutes.filter((route) => !isPublic(route)))
    app.on(route.method, restBase + route.path, serve(deps, route))
  for (const path of new Set(restRoutes.map((route) => route.path))) {
    const methods = restRoutes.filter((route) => route.path === path).map((route) => route.method)
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ')
    app.all(restBase + path, (c) => {
      c.header('allow', allow)
      throw new StagelyError('MethodNotAllowed', `${c.req.method} is not possible here: ${allow}`)
    })
  }
  for (const root of roots)
    app.all(`${restBase}/${root}/*`, () => {
      throw noRoute()
    })
}

const serve =
  (deps: RestServerDeps, route: RestRoute) =>
  async (c: AppContext): Promise<Response> => {
    const principal = isPublic(route) ? nobody : c.get('user')
    await deps.limit.take(isPublic(route) ? clientNetwork(c.get('address')) : principal.id)
    const params = c.req.param()
    const store = callerStore(deps.store, isPublic(route) ? wholeRights : rightsFor(principal))
    const target = await authorizeRest(store, principal, route.access, params)
    const ifMatch = ifMatchOf(c, route)
    const input = await readInput(c, route)
    const context: RestContext = {
      deps: { ...deps, store },
      principal: callerOf(principal, route.access),
      actor: actorOf(c, principal),
      params,
      query: input.query,
      body: input.body,
      target,
      ifMatch,
      note: noteOf(c),
      request: c.req.raw,
      get signal() {
        return openSignal(c, deps.stopping)
      },
    }
    const answer = () => withinBudget(c, deps, { route, context, input })
    return render(c, route, await answerSession(deps, route, { context, answer }))
  }

/** Whoever is not logged in. */
const nobody: Principal = {
  id: '',
  name: 'anonymous',
  kind: 'user',
  admin: false,
  roles: new Map(),
  tokenId: '',
}

/** Answers as the route's rule for sessions says; a token has no such rule. */
const answerSession = (
  { clock, revealLimit }: RestServerDeps,
  { session: given }: RestRoute,
  call: { readonly context: RestContext; readonly answer: () => Promise<RestAnswer> },
): Promise<RestAnswer> => {
  const { principal, query } = call.context
  const rule = typeof given === 'function' ? given(query) : given
  if (principal.session === undefined || rule === undefined) return call.answer()
  if (rule === 'refused')
    throw new StagelyError('Forbidden', 'not for the session of a browser: use a token for this')
  if ((principal.session.confirmedUntil ?? 0) <= clock.now())
    throw new StagelyError(
      'ConfirmationRequired',
      'prove again who you are, and repeat: POST /api/v1/session/confirm, or the OpenID provider',
    )
  return rule === 'reveal' ? revealLimit.run(principal.id, call.answer) : call.answer()
}

/** Refuses the header on other routes: a client would take an ignored precondition for a met one. */
const ifMatchOf = (c: AppContext, { heedsIfMatch }: RestRoute): string | undefined => {
  const given = c.req.header('if-match')
  if (given === undefined || heedsIfMatch === true) return parseIfMatch(given)
  throw new StagelyError('BadRequest', 'If-Match is not heeded here: send the request without it')
}

/** Aborts when the client disconnects, the server stops, or the login ends or its rights change. */
const openSignal = (c: AppContext, stopping: AbortSignal): AbortSignal => {
  const closed = linkedAbort(stopping)
  c.env.outgoing.once('close', () => closed.abort())
  return linkedAbort(closed.signal, c.get('whileLoggedIn')(closed.signal)).signal
}

/** So many changes take some tens of milliseconds. */
const few = 50

/** Counts what the request costs. One that changes much waits for others that do. */
const withinBudget = async (
  c: AppContext,
  deps: RestServerDeps,
  call: { route: RestRoute; context: RestContext; input: Input },
): Promise<RestAnswer> => {
  const { id } = call.context.principal
  const changes = call.route.changes?.(call.input.body) ?? 0
  if (changes > 0) spend(c.get('work'), id, changes * requestBytes)
  if (changes <= few) return handle(c, deps, call)
  const done = await deps.long.take(id, call.context.signal)
  try {
    return await handle(c, deps, call)
  } finally {
    done()
  }
}

/** Runs the handler; a POST with an Idempotency-Key only once. */
const handle = (
  c: AppContext,
  deps: RestServerDeps,
  call: { route: RestRoute; context: RestContext; input: Input },
): Promise<RestAnswer> => {
  const { route, context, input } = call
  const key =
    route.method === 'POST' ? parseIdempotencyKey(c.req.header('idempotency-key')) : undefined
  if (key === undefined) return route.handle(context)
  // What a login answers is kept nowhere.
  if (!heedsIdempotencyKey(route))
    throw new StagelyError('BadRequest', 'Idempotency-Key is not heeded here: leave it out')
  const content = [c.req.path, new URL(c.req.url).search, input.bytes]
  const request = { principal: context.principal.id, route: route.id, key, content }
  return answerOnce({ keys: deps.idempotency, clock: deps.clock }, request, {
    shownOnce: route.shownOnce ?? [],
    work: () => route.handle(context),
  })
}

const render = async (
  c: AppContext,
  { method, status: usual }: RestRoute,
  { body, headers, stream, status = usual }: RestAnswer,
): Promise<Response> => {
  // A shared cache must not show one person's data to another.
  c.header('cache-control', 'no-store')
  for (const [name, value] of Object.entries(headers ?? {})) c.header(name, value)
  if (stream !== undefined) {
    c.get('slowReaders').follow(c.env.outgoing, c.get('user').id)
    return c.body(stream, status as 200)
  }
  if (body === undefined) return c.body(null, status)
  const text = JSON.stringify(body)
  const json = { 'content-type': 'application/json' }
  // Values are answered to a POST, and their lengths must not depend on what somebody else has written.
  const small = method === 'GET' ? await packed(c, text) : undefined
  if (small === undefined) return c.body(text, status as 200, json)
  return c.body(small.bytes, status as 200, { ...json, ...small.headers })
}
