// The HTTP application: which routes are open, which need a login, and how errors are rendered.
import { Hono, type MiddlewareHandler } from 'hono'
import type { Clock } from '../../src/kernel/clock.ts'
import { httpStatusOf, StagelyError } from '../../src/kernel/errors.ts'
import type { Logger } from '../../src/kernel/log.ts'
import type { ChangeEvent, Store } from '../../src/store/store.ts'
import { background, logFault } from '../../src/kernel/async/background.ts'
import { scheduleOn } from '../follow-store.ts'
import type { DeniedLog } from './denied.ts'
import { Authenticator, requireLogin, type TokenVerifier } from './auth.ts'
import type { App, AppContext, AppEnv } from './env.ts'
import { mountHealth, type HealthDeps } from './health.ts'
import { agentAccessRoutes, type AgentAccessDeps } from './kube/agent-access.ts'
import { mountDiscovery } from './kube/discovery.ts'
import { mountOpenApi } from './kube/openapi.ts'
import { mountSelfReviews } from './kube/reviews-self.ts'
import { reviewRoutes, type ReviewDeps } from './kube/review.ts'
import { mountKubeRoutes, withSlash, type KubeRoute } from './kube/route.ts'
import { objectRoutes } from './kube/routes.ts'
import { failureStatus } from './kube/status.ts'
import type { WatchDeps } from './kube/watch.ts'
import type { Metrics } from './metrics/metrics.ts'
import { createBodyBudget } from './body-budget.ts'
import { createSlowReaders } from './slow-readers.ts'
import type { RequestLimits } from './rate-limit.ts'
import { dropBody } from './read-body.ts'
import { noteDenied } from './note-denied.ts'
import { identifyRequest, type ProxyTrust } from './request-identity.ts'
import { mountRestDocs } from './rest/openapi.ts'
import {
  answerProblem,
  isRestPath,
  isUnknownRest,
  mountPublicRest,
  mountRest,
  noRoute,
  type RestServerDeps,
} from './rest/serve.ts'

export interface AppDeps extends AgentAccessDeps, RestServerDeps, RequestLimits {
  readonly store: Store
  readonly tokens: TokenVerifier
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** Audits refused requests. */
  readonly denied: DeniedLog
  /** Proxies whose X-Forwarded-For is trusted. */
  readonly proxies: ProxyTrust
  readonly health: HealthDeps
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal
  /** The version of this build, in our form and in kubectl's. */
  readonly versions: { readonly version: string; readonly gitVersion: string }
  /** Mounts routes with an authentication of their own: the agents'. */
  readonly mountOpen?: (app: App) => void
}

export const createApp = (deps: AppDeps): App => {
  const app: App = new Hono<AppEnv>()
  app.use(deps.metrics.middleware)
  app.use(identifyRequest(deps.proxies, deps.log))
  const [bodies, slowReaders] = [createBodyBudget(), createSlowReaders()]
  app.use((c, next) => {
    c.set('bodies', bodies)
    c.set('work', (isRestPath(c.req.path) ? deps.limit : deps.kubeLimit).work)
    c.set('slowReaders', slowReaders)
    return next()
  })
  app.onError((error, c) => renderError(c, error, deps))
  app.notFound((c) =>
    isUnknownRest(c.req.path) ? answerProblem(c, noRoute()) : c.text('404 page not found', 404),
  )
  // No name holds a NUL, and Postgres refuses one even in a query.
  app.use((c, next) =>
    (c.req.url.split('?', 1)[0] ?? '').includes('%00')
      ? Promise.resolve(c.text('404 page not found', 404))
      : next(),
  )
  mountHealth(app, deps.health)
  mountVersion(app, deps)
  mountMetrics(app, deps)
  mountRestDocs(app, deps.versions.version)
  deps.mountOpen?.(app)
  mountPublicRest(app, deps)
  const authenticator = new Authenticator(deps)
  // With a TrustedIssuer the tokens end that it gave.
  const isIssuer = ({ object }: ChangeEvent): boolean => object.kind === 'TrustedIssuer'
  background(
    () => scheduleOn(deps, deps.stopping, () => authenticator.forget(), isIssuer),
    logFault(deps.log, 'TrustedIssuers are followed no more'),
  )
  const login = requireLogin({
    authenticator,
    failures: deps.failureLimit,
    base: deps.sessions.base,
    takesCookie: isRestPath,
  })
  for (const path of ['/api', '/apis', '/openapi']) app.use(`${path}/*`, login, limitKube(deps))
  mountRest(app, deps)
  mountDiscovery(app)
  const routes = kubeRoutes(deps)
  mountOpenApi(app, routes, deps.versions.gitVersion)
  mountSelfReviews(app, deps.store)
  mountKubeRoutes(app, routes)
  return app
}

/** REST limits the rate of its own routes; see rest/serve.ts. */
const limitKube =
  ({ kubeLimit }: AppDeps): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    if (!isRestPath(c.req.path)) await kubeLimit.take(c.get('user').id)
    await next()
  }

/** Every route that reads or writes objects, each with its right. */
export const kubeRoutes = (deps: AgentAccessDeps & WatchDeps & ReviewDeps): KubeRoute[] => [
  ...agentAccessRoutes(deps),
  ...reviewRoutes(deps),
  ...objectRoutes(deps),
]

const mountVersion = (app: App, { versions }: AppDeps): void => {
  const [major = '1', minor = '0'] = versions.gitVersion.replace(/^v/, '').split('.')
  app.on('GET', withSlash('/version'), (c) =>
    c.json({
      major,
      minor,
      gitVersion: versions.gitVersion,
      gitCommit: '',
      gitTreeState: '',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: '',
      compiler: `node ${process.versions.node}`,
      platform: `${process.platform}/${process.arch}`,
      stagelyVersion: versions.version,
    }),
  )
}

const mountMetrics = (app: App, { metrics }: AppDeps): void => {
  app.get('/metrics', async (c) =>
    c.body(await metrics.render(), 200, { 'content-type': metrics.registry.contentType }),
  )
}

/**
 * Known errors are rendered as they are. For any other error the client only gets a request id to look
 * for in the log.
 */
const renderError = async (
  c: AppContext,
  error: unknown,
  { log, denied }: AppDeps,
): Promise<Response> => {
  const shownError = error instanceof StagelyError ? error : hideError(c, error, log)
  await noteDenied(c, shownError, denied)
  const { retryAfterSeconds } = shownError.details
  if (retryAfterSeconds !== undefined) c.header('retry-after', String(retryAfterSeconds))
  if (shownError.reason === 'Unauthorized') c.header('www-authenticate', 'Bearer')
  // Another replica at the same address may answer; a kept connection would lead here again.
  if (shownError.reason === 'ServiceUnavailable') {
    await dropBody(c.env)
    c.header('connection', 'close')
  }
  if (isRestPath(c.req.path)) return answerProblem(c, shownError)
  return c.json(failureStatus(shownError), httpStatusOf[shownError.reason])
}

const hideError = (c: AppContext, error: unknown, log: Logger): StagelyError => {
  const requestId = c.get('requestId')
  const stack = error instanceof Error ? error.stack : String(error)
  log.error({ requestId, method: c.req.method, path: c.req.path, err: stack }, 'a request failed')
  return new StagelyError(
    'InternalError',
    `an internal error occurred; the log has it as request ${requestId}`,
  )
}
