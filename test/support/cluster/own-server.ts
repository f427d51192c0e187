// An API server for tests that speaks as Kubernetes does: this project's own, on a database of its own,
// without anything that acts on what it holds. What it has not is put before it: Secrets, and CRDs, whose
// kinds are there once they are. It speaks TLS and wants the token of its kubeconfig.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { KubeConfig, type Cluster } from '@kubernetes/client-node'
import { Hono } from 'hono'
import { createBodyBudget } from '../../../controller/http/body-budget.ts'
import { createSlowReaders } from '../../../controller/http/slow-readers.ts'
import type { App, AppEnv } from '../../../controller/http/env.ts'
import { mountDiscovery } from '../../../controller/http/kube/discovery.ts'
import { mountOpenApi } from '../../../controller/http/kube/openapi.ts'
import { mountKubeRoutes } from '../../../controller/http/kube/route.ts'
import { objectRoutes } from '../../../controller/http/kube/routes.ts'
import { failureStatus } from '../../../controller/http/kube/status.ts'
import { loadControllerIdentity } from '../../../controller/identity.ts'
import type { WatchDeps } from '../../../controller/http/kube/watch.ts'
import { gitVersion } from '../../../controller/version.ts'
import type { Principal } from '../../../src/access/principal.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { httpStatusOf, StagelyError } from '../../../src/kernel/errors.ts'
import { silentLogger } from '../../../src/kernel/log.ts'
import { openTestStore } from '../databases/open-test-store.ts'
import { createLeases } from './leases.ts'
import { keepPlainValues } from './plain-values.ts'

const admin: Principal = {
  id: 'admin',
  name: 'admin',
  kind: 'user',
  admin: true,
  roles: new Map(),
  tokenId: 'admin',
}

/** Answers instead of the server; true when it did. */
export type Handle = (request: IncomingMessage, response: ServerResponse) => boolean

export interface OwnServer {
  readonly kubeConfig: KubeConfig
  remove(): Promise<void>
}

export interface OwnServerOptions extends Pick<WatchDeps, 'bookmarkEveryMs'> {
  /** Good beside the one of the kubeconfig, for as long as they are in it. */
  readonly tokens?: { has(token: string): boolean }
  /** Asked before the server, of requests with a good token. */
  readonly before?: Handle
}

export const startOwnServer = async (
  databaseServer: string,
  { tokens = new Set<string>(), before = () => false, ...how }: OwnServerOptions = {},
): Promise<OwnServer> => {
  const opened = await openTestStore(databaseServer)
  const [bodies, slowReaders] = [createBodyBudget(), createSlowReaders()]
  const app: App = new Hono<AppEnv>()
  app.use((c, next) => {
    c.set('user', admin)
    c.set('requestId', 'test')
    c.set('bodies', bodies)
    c.set('slowReaders', slowReaders)
    c.set('address', '127.0.0.1')
    c.set('whileLoggedIn', (until) => until)
    return next()
  })
  app.onError((error, c) => {
    if (!(error instanceof StagelyError)) throw error
    return c.json(failureStatus(error), httpStatusOf[error.reason])
  })
  const stopping = new AbortController().signal
  const secrets = { name: 'secrets', singularName: 'secret', namespaced: true, kind: 'Secret' }
  const verbs = ['create', 'get', 'list', 'update', 'watch']
  app.get('/api/v1', async (c, next) => {
    await next()
    const core = (await c.res.json()) as { resources: object[] }
    c.res = c.json({ ...core, resources: [...core.resources, { ...secrets, verbs }] })
  })
  // Without the aggregated form: clients read /api/v1 then.
  app.get('/api', (c) => c.json({ kind: 'APIVersions', apiVersion: 'v1', versions: ['v1'] }))
  app.get('/version', (c) => c.json({ major: '1', minor: '32', gitVersion }))
  mountDiscovery(app)
  const deps = { store: opened.store, clock: realClock, stopping, log: silentLogger, ...how }
  const routes = objectRoutes(deps)
  mountOpenApi(app, routes, gitVersion)
  mountKubeRoutes(app, routes)
  const answer = getRequestListener(app.fetch)
  const plainValues = keepPlainValues()
  const answerAsCluster = async (
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    plainValues.show(request, response)
    await answer(await plainValues.take(request), response)
  }
  const put = [createCrds(), createSecrets(), createLeases()]
  const token = randomBytes(16).toString('hex')
  const { caPem, chainPem, leafKeyPem } = await loadControllerIdentity(opened.settings, realClock, [
    '127.0.0.1',
  ])
  const server = createTlsServer({ cert: chainPem, key: leafKeyPem }, (request, response) => {
    const given = bearerOf(request)
    if (given !== token && !tokens.has(given)) {
      send(response, 401, { ...notFound, reason: 'Unauthorized', message: 'no', code: 401 })
      return
    }
    if (before(request, response)) return
    // Only a controller has this; a cluster answers so.
    if (request.url?.includes('/changesetreviews'))
      response.writeHead(404).end('404 page not found\n')
    else if (!put.some((handle) => handle(request, response)))
      void answerAsCluster(request, response)
  })
  const port = await listen(server, 0)
  return {
    kubeConfig: kubeConfigOf(
      {
        server: `https://127.0.0.1:${port}`,
        caData: Buffer.from(caPem).toString('base64'),
        skipTLSVerify: false,
      },
      token,
    ),
    remove: async () => {
      await close(server)
      await opened.destroy()
    },
  }
}

export const bearerOf = ({ headers }: IncomingMessage): string =>
  (headers.authorization ?? '').replace('Bearer ', '')

/** Of a server on loopback without TLS. */
export const plainKubeConfig = (port: number, token = 'any'): KubeConfig =>
  kubeConfigOf({ server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, token)

const kubeConfigOf = (cluster: Omit<Cluster, 'name'>, token: string): KubeConfig => {
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ name: 'test', ...cluster }],
    users: [{ name: 'admin', token }],
    contexts: [{ name: 'test', cluster: 'test', user: 'admin' }],
    currentContext: 'test',
  })
  return config
}

/** 0 picks a free port. */
export const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port)
    })
  })

export const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    server.closeAllConnections()
  })

const send = (response: ServerResponse, status: number, body: unknown): true => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
  return true
}
const notFound = { kind: 'Status', reason: 'NotFound', message: 'not found', code: 404 }

/** The kinds are served while their CRDs are there. */
const createCrds = (): Handle => {
  const crds = new Map<string, object>()
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://cluster')
    if (pathname.startsWith('/apis/stagely.dev/'))
      return crds.size < 4 && send(response, 404, notFound)
    const base = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    if (!pathname.startsWith(base)) return false
    const name = pathname.slice(base.length + 1)
    if (request.method === 'POST') {
      void text(request).then((body) => {
        const crd = JSON.parse(body) as { metadata: { name: string } }
        const conditions = [{ type: 'Established', status: 'True' }]
        crds.set(crd.metadata.name, { ...crd, status: { conditions } })
        send(response, 201, crd)
      })
      return true
    }
    const crd = crds.get(name)
    if (crd === undefined) return send(response, 404, notFound)
    if (request.method === 'DELETE') crds.delete(name)
    return send(response, 200, crd)
  }
}

interface Secret {
  readonly data?: Record<string, string>
  readonly stringData?: Record<string, string>
  readonly metadata: { name: string; namespace: string; resourceVersion: string }
}

/** core/v1 Secrets, as far as they are needed here: made, replaced, listed by name, and watched. */
const createSecrets = (): Handle => {
  const secrets = new Map<string, Secret>()
  const watchers = new Map<ServerResponse, string>()
  let version = 100
  const put = (namespace: string, body: string): Secret => {
    const { stringData = {}, ...given } = JSON.parse(body) as Secret
    const { name } = given.metadata
    const encoded = Object.entries(stringData).map(([key, value]) => [
      key,
      Buffer.from(value).toString('base64'),
    ])
    const id = `${namespace}/${name}`
    const type = secrets.has(id) ? 'MODIFIED' : 'ADDED'
    const metadata = { name, namespace, resourceVersion: String(++version) }
    const data = { ...given.data, ...Object.fromEntries(encoded) } as Record<string, string>
    const object = { ...given, data, metadata }
    secrets.set(id, object)
    for (const [watcher, watched] of watchers)
      if (watched === id) watcher.write(`${JSON.stringify({ type, object })}\n`)
    return object
  }
  return (request, response) => {
    const url = new URL(request.url ?? '', 'http://cluster')
    const match = /^\/api\/v1\/namespaces\/([^/]+)\/secrets(?:\/(.+))?$/.exec(url.pathname)
    if (match === null) return false
    const [, namespace = '', named] = match
    const one = secrets.get(`${namespace}/${named}`)
    if (named !== undefined && one === undefined) return send(response, 404, notFound)
    if (named !== undefined && request.method === 'GET') return send(response, 200, one)
    if (request.method === 'POST' || request.method === 'PUT') {
      if (!(request.headers['content-type'] ?? '').includes('json'))
        return send(response, 415, { ...notFound, reason: 'UnsupportedMediaType', code: 415 })
      void text(request).then((body) => send(response, 200, put(namespace, body)))
      return true
    }
    const name = url.searchParams.get('fieldSelector')?.replace('metadata.name=', '') ?? ''
    const id = `${namespace}/${name}`
    if (url.searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      watchers.set(response, id)
      response.once('close', () => watchers.delete(response))
      // What came between the list and this watch.
      const since = Number(url.searchParams.get('resourceVersion') ?? version)
      const newer = secrets.get(id)
      if (newer !== undefined && Number(newer.metadata.resourceVersion) > since)
        response.write(`${JSON.stringify({ type: 'ADDED', object: newer })}\n`)
      return true
    }
    const secret = secrets.get(id)
    const metadata = { resourceVersion: String(version) }
    const items = secret === undefined ? [] : [secret]
    return send(response, 200, { apiVersion: 'v1', kind: 'SecretList', metadata, items })
  }
}
