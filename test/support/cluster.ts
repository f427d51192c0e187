// A cluster for tests: an API server over HTTP on loopback that speaks as Kubernetes does (this
// project's own, on a database of its own, without anything that acts on what it holds), with Secrets
// and faults put in between.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { KubeConfig } from '@kubernetes/client-node'
import { Hono } from 'hono'
import type { App, AppEnv } from '../../controller/http/env.ts'
import { mountKubeRoutes } from '../../controller/http/kube/route.ts'
import { objectRoutes } from '../../controller/http/kube/routes.ts'
import { failureStatus } from '../../controller/http/kube/status.ts'
import type { Principal } from '../../src/access/principal.ts'
import { realClock } from '../../src/kernel/clock.ts'
import { httpStatusOf, StagelyError } from '../../src/kernel/errors.ts'
import { silentLogger } from '../../src/kernel/log.ts'
import type { Store } from '../../src/store/store.ts'
import { openTestStore } from './open-test-store.ts'

const admin: Principal = {
  id: 'admin',
  name: 'admin',
  kind: 'user',
  admin: true,
  roles: new Map(),
  tokenId: 'admin',
}

/** Answers instead of the server; true when it did. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean

export interface TestCluster {
  readonly store: Store
  readonly kubeConfig: KubeConfig
  /** Writes that reached the server, as `METHOD path`. */
  readonly writes: string[]
  /** Asked for each request, the newest first, until it says that it is over. */
  fault(fault: Fault): () => void
  putSecret(namespace: string, name: string, data: Record<string, string>): void
  /** Cuts every open connection. */
  cut(): void
  /** Stops answering, and starts again on the same port. */
  restart(): Promise<void>
  remove(): Promise<void>
}

interface FakeSecret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: { name: string; namespace: string; resourceVersion: string }
  readonly data: Record<string, string>
}

export const startTestCluster = async (serverUrl: string): Promise<TestCluster> => {
  const opened = await openTestStore(serverUrl)
  const app: App = new Hono<AppEnv>()
  app.use((c, next) => {
    c.set('user', admin)
    c.set('requestId', 'test')
    c.set('address', '127.0.0.1')
    c.set('whileLoggedIn', (until) => until)
    return next()
  })
  app.onError((error, c) => {
    if (!(error instanceof StagelyError)) throw error
    return c.json(failureStatus(error), httpStatusOf[error.reason])
  })
  const stopping = new AbortController().signal
  mountKubeRoutes(
    app,
    objectRoutes({ store: opened.store, clock: realClock, stopping, log: silentLogger }),
  )
  const answer = getRequestListener(app.fetch)
  const secrets = createSecrets()
  const faults: Fault[] = []
  const writes: string[] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'GET') writes.push(`${request.method} ${request.url}`)
    if (faults.some((fault) => fault(request, response))) return
    if (secrets.answer(request, response)) return
    void answer(request, response)
  }
  let server = createServer(handle)
  const port = await listen(server, 0)
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromOptions({
    clusters: [{ name: 'test', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }],
    users: [{ name: 'admin', token: 'any' }],
    contexts: [{ name: 'test', cluster: 'test', user: 'admin' }],
    currentContext: 'test',
  })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve()
      })
      server.closeAllConnections()
    })
  return {
    store: opened.store,
    kubeConfig,
    writes,
    fault: (fault) => {
      faults.unshift(fault)
      return () => {
        faults.splice(faults.indexOf(fault), 1)
      }
    },
    putSecret: secrets.put,
    cut: () => {
      server.closeAllConnections()
    },
    restart: async () => {
      await stop()
      server = createServer(handle)
      await listen(server, port)
    },
    remove: async () => {
      await stop()
      await opened.destroy()
    },
  }
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port)
    })
  })

/** core/v1 Secrets, which this project's API server does not have: list by name, and watch. */
const createSecrets = (): {
  put: TestCluster['putSecret']
  answer: Fault
} => {
  const secrets = new Map<string, FakeSecret>()
  const watchers = new Map<ServerResponse, string>()
  let version = 100
  return {
    put: (namespace, name, data) => {
      const id = `${namespace}/${name}`
      const type = secrets.has(id) ? 'MODIFIED' : 'ADDED'
      const metadata = { name, namespace, resourceVersion: String(++version) }
      const secret: FakeSecret = { apiVersion: 'v1', kind: 'Secret', metadata, data }
      secrets.set(id, secret)
      for (const [response, watched] of watchers)
        if (watched === id) response.write(`${JSON.stringify({ type, object: secret })}\n`)
    },
    answer: (request, response) => {
      const url = new URL(request.url ?? '', 'http://cluster')
      const namespace = /^\/api\/v1\/namespaces\/([^/]+)\/secrets$/.exec(url.pathname)?.[1]
      if (namespace === undefined) return false
      const name = url.searchParams.get('fieldSelector')?.replace('metadata.name=', '') ?? ''
      const id = `${namespace}/${name}`
      response.setHeader('content-type', 'application/json')
      if (url.searchParams.get('watch') === 'true') {
        response.flushHeaders()
        watchers.set(response, id)
        response.once('close', () => watchers.delete(response))
        return true
      }
      const secret = secrets.get(id)
      const metadata = { resourceVersion: String(version) }
      const items = secret === undefined ? [] : [secret]
      response.end(JSON.stringify({ apiVersion: 'v1', kind: 'SecretList', metadata, items }))
      return true
    },
  }
}
