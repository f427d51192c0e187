// Requests to a cluster's API server. client-node finds the server and the credentials (kubeconfig,
// exec plugins, a pod's token file, which is read again as it is renewed). Requests are made here,
// because client-node's Watch has no time-outs and drops lines that it cannot parse.
import http from 'node:http'
import https from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { linkedAbort } from '../../src/kernel/async/linked-abort.ts'
import { messageOf, reasonOf, StagelyError } from '../../src/kernel/errors.ts'
import { isRecord, tryParseJson } from '../../src/kernel/record.ts'
import { readBodyText, httpRequest } from '../../src/kernel/request.ts'
import { controllerManager } from '../../src/managed-fields/status.ts'
import { createLineReader } from '../../src/protocol/ndjson.ts'

export interface ClusterClient {
  get(path: string, query?: Query): Promise<unknown>
  post(path: string, body: unknown): Promise<unknown>
  patch(path: string, body: unknown, contentType: string): Promise<unknown>
  /**
   * Reads a watch until the server ends it; `onLine` gets each whole line. Rejects when the connection
   * breaks, when nothing comes for `idleMs`, and when `signal` aborts.
   */
  watch(path: string, query: Query, options: WatchOptions): Promise<void>
}

type Query = Readonly<Record<string, string | undefined>>

interface WatchOptions {
  readonly idleMs: number
  readonly signal: AbortSignal
  /** Called when the server takes the watch. */
  readonly onOpen?: () => void
  readonly onLine: (line: string) => void
}

const requestMs = 30_000
const keepAliveMs = 15_000
/**
 * Shorter than a server's own idle time-out: a request could be sent just as the server closes the
 * connection.
 */
const unusedMs = 30_000
/** etcd holds objects of at most 1.5 MiB; an event is a little larger. */
const maxLineBytes = 8 << 20

interface ClusterClientOptions {
  /**
   * Called again when the cluster refuses the credentials. If it throws, the request fails with that
   * error.
   */
  readonly kubeConfig: () => KubeConfig
  /** Called right before a write is sent; false makes it fail with Conflict. */
  readonly mayWrite: () => boolean
  /** Aborts running requests. */
  readonly signal: AbortSignal
}

export const createClusterClient = (options: ClusterClientOptions): ClusterClient => {
  let config: KubeConfig | undefined
  const connections = createConnections(options.signal)
  /** The cluster has asked to send no writes before this time (Retry-After). */
  let patientUntil = -Infinity
  const open = async (sent: SentNow): Promise<http.IncomingMessage> => {
    config ??= options.kubeConfig()
    const response = await send(config, sent, { connections, mayWrite: options.mayWrite })
    if (response.statusCode === 401) config = undefined
    return response
  }
  const exchange = async (
    sent: Omit<SentNow, 'signal'>,
  ): Promise<{ response: http.IncomingMessage; text: string }> => {
    const late = AbortSignal.timeout(requestMs)
    const ended = linkedAbort(late, options.signal)
    try {
      const response = await open({ ...sent, signal: ended.signal })
      return { response, text: await readBodyText(response) }
    } catch (error) {
      if (!late.aborted || options.signal.aborted) throw error
      const seconds = requestMs / 1_000
      throw new StagelyError('Timeout', `the cluster did not answer within ${seconds} s`, {}, error)
    } finally {
      ended.abort()
    }
  }
  const call = async (method: string, path: string, more: Partial<Sent> = {}): Promise<unknown> => {
    const leftMs = patientUntil - performance.now()
    if (method !== 'GET' && leftMs > 0)
      throw new StagelyError('TooManyRequests', 'the cluster has asked for patience', {
        retryAfterSeconds: leftMs / 1000,
      })
    const { response, text } = await exchange({ method, path, ...more })
    if (isGood(response)) return text === '' ? undefined : (JSON.parse(text) as unknown)
    const error = statusError(response, text)
    const asked = error.details.retryAfterSeconds
    if (method !== 'GET' && asked !== undefined) patientUntil = performance.now() + asked * 1000
    throw error
  }
  const written = { fieldManager: controllerManager }
  return {
    get: (path, query = {}) => call('GET', path, { query }),
    post: (path, body) =>
      call('POST', path, { query: written, body, contentType: 'application/json' }),
    patch: (path, body, contentType) => call('PATCH', path, { query: written, body, contentType }),
    watch: async (path, query, watched) => {
      const idle = linkedAbort(watched.signal)
      const timer = setTimeout(
        () => idle.abort(new StagelyError('Timeout', 'the watch fell silent')),
        watched.idleMs,
      )
      const { signal } = idle
      try {
        const all = { ...query, watch: 'true' }
        const response = await open({ method: 'GET', path, query: all, signal })
        if (!isGood(response)) throw statusError(response, await readBodyText(response))
        watched.onOpen?.()
        const read = createLineReader(maxLineBytes, watched.onLine)
        for await (const chunk of response as AsyncIterable<Buffer>) {
          timer.refresh()
          read(chunk)
        }
      } catch (error) {
        throw idle.signal.aborted && !watched.signal.aborted ? idle.signal.reason : error
      } finally {
        clearTimeout(timer)
        idle.abort()
      }
    },
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly query: Query
  readonly signal: AbortSignal
  readonly body: unknown
  readonly contentType: string
}

type SentNow = Partial<Sent> & Pick<Sent, 'method' | 'path' | 'signal'>

interface Connections {
  readonly http: http.Agent
  readonly https: https.Agent
}

/** Connections that are kept for the next request; client-node would open a new one for each. */
const createConnections = (signal: AbortSignal): Connections => {
  const kept = { keepAlive: true, timeout: unusedMs }
  const agents = { http: new http.Agent(kept), https: new https.Agent(kept) }
  signal.addEventListener('abort', () => {
    for (const agent of Object.values(agents)) agent.destroy()
  })
  return agents
}

const send = async (
  config: KubeConfig,
  sent: SentNow,
  { connections, mayWrite }: { connections: Connections; mayWrite: () => boolean },
): Promise<http.IncomingMessage> => {
  const { server, proxyUrl } = config.getCurrentCluster() ?? {}
  if (server === undefined)
    throw new StagelyError('ServiceUnavailable', 'the kubeconfig names no cluster')
  const url = new URL(server.replace(/\/+$/, '') + sent.path)
  for (const [key, value] of Object.entries(sent.query ?? {}))
    if (value !== undefined) url.searchParams.set(key, value)
  const payload = sent.body === undefined ? undefined : JSON.stringify(sent.body)
  const options: https.RequestOptions = {
    method: sent.method,
    signal: sent.signal,
    headers: {
      accept: 'application/json',
      ...(payload !== undefined && {
        'content-type': sent.contentType,
        'content-length': Buffer.byteLength(payload),
      }),
    },
  }
  await config.applyToHTTPSOptions(options)
  const isTls = url.protocol === 'https:'
  // Other TLS credentials get connections of their own.
  if (proxyUrl === undefined) options.agent = isTls ? connections.https : connections.http
  try {
    return await httpRequest(url, options, (outgoing) => {
      // Detects a vanished peer long before a watch would end by itself.
      outgoing.setSocketKeepAlive(true, keepAliveMs)
      if (sent.method === 'GET') outgoing.end()
      else
        onceOpen(outgoing, isTls, () => {
          if (mayWrite()) outgoing.end(payload)
          else outgoing.destroy(new StagelyError('Conflict', 'this replica leads no more'))
        })
    })
  } catch (error) {
    if (error instanceof StagelyError) throw error
    const message = `the cluster at ${server} cannot be reached: ${messageOf(error)}`
    throw new StagelyError('ServiceUnavailable', message, {}, error)
  }
}

/** Calls `then` when the connection is open: until then data would wait in this process. */
const onceOpen = (outgoing: http.ClientRequest, isTls: boolean, then: () => void): void => {
  outgoing.once('socket', (socket) => {
    if (outgoing.reusedSocket || (!isTls && !socket.connecting)) then()
    else socket.once(isTls ? 'secureConnect' : 'connect', then)
  })
}

const isGood = ({ statusCode = 0 }: http.IncomingMessage): boolean =>
  statusCode >= 200 && statusCode < 300

/** Converts the server's Status to an error; for another body the HTTP code decides. */
const statusError = (response: http.IncomingMessage, text: string): StagelyError => {
  const code = response.statusCode ?? 0
  const status = tryParseJson(text)
  const { reason, message } = isRecord(status) ? status : {}
  const said = typeof message === 'string' ? message : `the cluster answered ${code}`
  const seconds = Number(response.headers['retry-after'])
  const details = seconds > 0 ? { retryAfterSeconds: Math.min(seconds, 300) } : {}
  return new StagelyError(reasonOf(code, reason) ?? 'ServiceUnavailable', said, details)
}
