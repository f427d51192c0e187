import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/kernel/log.ts'
import { createApp, kubeRoutes, type AppDeps } from './app.ts'
import { createMetrics } from './metrics/metrics.ts'
import { createProxyTrust } from './request-identity.ts'
import { restBase } from './rest/serve.ts'
import { restRoutes } from './rest/table.ts'

/** Nothing is called: the routes are only counted. */
const deps = {
  log: silentLogger,
  metrics: createMetrics('test'),
  proxies: createProxyTrust([]),
  tokens: { onChange: () => () => undefined },
  sessions: { base: () => 'https://controller' },
  stopping: AbortSignal.abort(),
  versions: { version: '0.0.0', gitVersion: 'v1.32.0' },
} as unknown as AppDeps

/** What needs no login at all. */
const open = ['/healthz', '/livez', '/readyz', '/version', '/metrics']
/** What every logged-in user reads or asks about himself. */
const everybody =
  /^\/(api|apis|openapi|api\/v1|apis\/apiextensions\.k8s\.io(\/v1(\/customresourcedefinitions(\/:name)?)?)?|apis\/stagely\.dev(\/v1alpha1)?|openapi\/v[23](\/.*)?|api\/v1\/(namespaces\/:namespace\/)?services|apis\/authoriz.*\/selfsubject\w+|apis\/authentic.*\/selfsubjectreviews|api\/docs(\/.*)?|api\/openapi.*|api\/v1\/openapi.*)$/

describe('createApp', () => {
  it('serves no route that has no rule', () => {
    const ruled = new Set([
      ...kubeRoutes(deps).map(({ method, path }) => `${method} ${path}`),
      ...restRoutes.map(({ method, path }) => `${method} ${restBase}${path}`),
    ])
    const unruled = createApp(deps)
      .routes.filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => ({ method, path: path.replace(/\/$/, '') }))
      .filter(({ method, path }) => !ruled.has(`${method} ${path}`))
      .map(({ path }) => path)
      .filter((path) => !open.includes(path) && !everybody.test(path))
    expect(unruled).toEqual([])
    expect(ruled.size).toBeGreaterThan(60)
  })
})
