// A cluster for tests, of which they have two namespaces: this project's own API server, or a real one.
// The source under test reaches it through a proxy that counts writes and puts faults in between.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { parse } from 'yaml'
import { crdKinds } from '../../../src/kinds/index.ts'
import { resourceNameOf } from '../../../src/resources/kind-names.ts'
import { ClusterApi, sendTo } from './api.ts'
import { close, listen, plainKubeConfig, startOwnServer } from './own-server.ts'

/** Answers instead of the server; true when it did. */
type Fault = (request: IncomingMessage, response: ServerResponse) => boolean

export interface TestCluster {
  /** For the tests alone, and empty when they start. */
  readonly namespace: string
  /** Another one, of whose name nobody else is. It is not there yet. */
  readonly otherNamespace: string
  /** Of `namespace`, without the proxy. */
  readonly api: ClusterApi
  /** Through the proxy. */
  readonly kubeConfig: KubeConfig
  /** Without the proxy: the cluster's own address, certificate and login. */
  readonly direct: KubeConfig
  /** Writes that came through the proxy, as `METHOD path`. */
  readonly writes: string[]
  /** Asked for each request, the newest first, until it says that it is over. */
  fault(fault: Fault): () => void
  /** Cuts every open connection. */
  cut(): void
  /** Stops answering, and starts again on the same port. */
  restart(): Promise<void>
  /** Leaves the cluster as it was. */
  remove(): Promise<void>
}

/**
 * With STAGELY_TEST_CLUSTER=kubeconfig the cluster that KUBECONFIG names (`npm run test:cluster`), else
 * one that is started.
 */
export const openTestCluster = async (databaseServer: string): Promise<TestCluster> => {
  if (process.env['STAGELY_TEST_CLUSTER'] === 'kubeconfig') {
    if (process.env['KUBECONFIG'] === undefined) throw new Error('KUBECONFIG names no kubeconfig')
    const config = new KubeConfig()
    config.loadFromDefault()
    return useCluster(config, () => Promise.resolve())
  }
  const own = await startOwnServer(databaseServer)
  return useCluster(own.kubeConfig, () => own.remove())
}

const useCluster = async (
  config: KubeConfig,
  stopCluster: () => Promise<void>,
): Promise<TestCluster> => {
  const namespace = `stagely-test-${randomBytes(4).toString('hex')}`
  const otherNamespace = `${namespace}-other`
  const api = new ClusterApi(config, namespace)
  const removeCrds = await installCrds(api)
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const proxy = await startProxy(config)
  return {
    ...proxy,
    direct: config,
    namespace,
    otherNamespace,
    api,
    remove: async () => {
      await proxy.stop()
      for (const { metadata } of (await api.list('Stagelet')).items)
        await api.patch('Stagelet', metadata.name, { metadata: { finalizers: null } })
      for (const name of [namespace, otherNamespace])
        await api.call('DELETE', `/api/v1/namespaces/${name}?propagationPolicy=Foreground`)
      await removeCrds()
      await stopCluster()
    },
  }
}

const crdsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** CRDs that are there already stay as they are; returns how to remove what was made. */
export const installCrds = async (api: ClusterApi): Promise<() => Promise<void>> => {
  const made: string[] = []
  for (const kind of crdKinds) {
    const name = resourceNameOf(kind)
    if ((await api.call('GET', `${crdsPath}/${name}`)) !== undefined) continue
    const file = resolve(import.meta.dirname, `../../../crds/stagely.dev_${kind.plural}.yaml`)
    await api.call('POST', crdsPath, parse(await readFile(file, 'utf8')))
    made.push(name)
  }
  // A kind is served a moment after its CRD is there.
  const deadline = Date.now() + 30_000
  for (const kind of crdKinds)
    while ((await api.call('GET', `/apis/stagely.dev/v1alpha1/${kind.plural}`)) === undefined) {
      if (Date.now() > deadline) throw new Error(`the cluster does not serve ${kind.plural}`)
      await new Promise((wake) => setTimeout(wake, 200))
    }
  return async () => {
    for (const name of made) await api.call('DELETE', `${crdsPath}/${name}`)
  }
}

const startProxy = async (
  config: KubeConfig,
): Promise<
  Pick<TestCluster, 'kubeConfig' | 'writes' | 'fault' | 'cut' | 'restart'> & {
    stop(): Promise<void>
  }
> => {
  const faults: Fault[] = []
  const writes: string[] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'GET') writes.push(`${request.method} ${request.url}`)
    if (!faults.some((fault) => fault(request, response))) void forward(config, request, response)
  }
  let server = createServer(handle)
  const port = await listen(server, 0)
  return {
    kubeConfig: plainKubeConfig(port),
    writes,
    fault: (fault) => {
      faults.unshift(fault)
      return () => {
        faults.splice(faults.indexOf(fault), 1)
      }
    },
    cut: () => {
      server.closeAllConnections()
    },
    restart: async () => {
      await close(server)
      server = createServer(handle)
      await listen(server, port)
    },
    stop: () => close(server),
  }
}

/** With the login of the kubeconfig in place of the one that came. */
const forward = async (
  config: KubeConfig,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const gone = new AbortController()
  response.once('close', () => {
    gone.abort()
  })
  const { host: _, authorization: __, connection: ___, ...headers } = request.headers
  const { method = 'GET', url: path = '/' } = request
  try {
    const sent = { method, path, headers, signal: gone.signal, body: request }
    const answer = await sendTo(config, sent)
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    response.flushHeaders()
    answer.once('error', () => response.destroy())
    answer.pipe(response)
  } catch {
    response.destroy()
  }
}
