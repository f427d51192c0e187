// The Kubernetes-style API as the commands use it. Failures are StagelyError with the server's
// reason, or CliError where there was no answer.
import http from 'node:http'
import https from 'node:https'
import { StagelyError, httpStatusOf, type Fault, type Reason } from '../src/kernel/errors.ts'
import type { KubeObject } from '../src/resources/meta.ts'
import type { Kind } from '../src/resources/registry.ts'
import { connectionError } from './connection-error.ts'
import { CliError } from './errors.ts'
import { note } from './print.ts'

export const mergePatch = 'application/merge-patch+json'
export const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Record<string, string | undefined>
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  readonly headers?: Record<string, string>
}

export interface WatchEvent {
  readonly type: string
  readonly object: KubeObject
}

export interface ListAnswer {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: KubeObject[]
}

export interface Api {
  readonly server: string
  /** From -n, else the kubeconfig's context, else `default`. */
  readonly namespace: string
  call(path: string, call?: Call): Promise<unknown>
  /** Events until the server ends the stream (a clean return) or `signal` aborts. */
  watch(path: string, query: Record<string, string>, signal: AbortSignal): AsyncIterable<WatchEvent>
}

/** The part of client-node's Watch that is used. */
interface Watcher {
  watch(
    path: string,
    query: Record<string, string>,
    callback: (type: string, object: KubeObject) => void,
    done: (error: unknown) => void,
  ): Promise<AbortController>
}

interface ApiDeps {
  readonly server: string
  readonly namespace: string
  readonly options: () => Promise<http.RequestOptions>
  readonly watch: Watcher
}

export const createApi = (deps: ApiDeps): Api => {
  let options: Promise<http.RequestOptions> | undefined
  return {
    server: deps.server,
    namespace: deps.namespace,
    call: async (path, call = {}) => {
      options ??= deps.options()
      return send(deps.server, path, call, await options)
    },
    watch: (path, query, signal) => watchEvents(deps, path, query, signal),
  }
}

const urlOf = (server: string, path: string, query: Call['query'] = {}): URL => {
  const url = new URL(server + path)
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(key, value)
  }
  return url
}

const send = (
  server: string,
  path: string,
  call: Call,
  options: http.RequestOptions,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const url = urlOf(server, path, call.query)
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    const headers = {
      ...(options.headers as http.OutgoingHttpHeaders | undefined),
      accept: call.accept ?? 'application/json',
      ...(body === undefined
        ? {}
        : {
            'content-type': call.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
      ...call.headers,
    }
    const request = url.protocol === 'https:' ? https.request : http.request
    const sent = request(url, { ...options, method: call.method ?? 'GET', headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', (error) => {
        reject(connectionError(server, error))
      })
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const status = response.statusCode ?? 0
        for (const warning of warningsIn(response.headers.warning)) note(`Warning: ${warning}`)
        if (status >= 200 && status < 300) resolve(parseJson(text, server))
        else reject(statusError(status, text, server))
      })
    })
    sent.on('error', (error) => {
      reject(connectionError(server, error))
    })
    sent.end(body)
  })

/** The texts of `299 - "text"` headers, which Node joins with commas. */
const warningsIn = (header: string | undefined): string[] =>
  [...(header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((m) =>
    m[1]!.replace(/\\(.)/g, '$1'),
  )

const parseJson = (text: string, server: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new CliError(`${server} did not answer with JSON; is it a Stagely controller?`, 1, error)
  }
}

interface StatusBody {
  readonly kind?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    name?: string
    kind?: string
    causes?: { field?: string; message?: string; reason?: string }[]
  }
}

const statusError = (code: number, text: string, server: string): Error => {
  let body: StatusBody
  try {
    body = JSON.parse(text) as StatusBody
  } catch {
    return new CliError(`${server} answered ${code}; is it a Stagely controller?`)
  }
  if (code === 401) {
    return new CliError(
      `${server} does not accept the token (401 Unauthorized): check STAGELY_TOKEN, or run "stagely login" again`,
    )
  }
  const reason = Object.keys(httpStatusOf).find((r) => r === body.reason) as Reason | undefined
  const faults = body.details?.causes?.map((cause) => ({
    field: cause.field ?? '',
    reason: (cause.reason ?? 'FieldValueInvalid') as Fault['reason'],
    message: cause.message ?? '',
  }))
  const { name, kind } = body.details ?? {}
  return new StagelyError(reason ?? 'InternalError', body.message ?? `status ${code}`, {
    ...(name === undefined ? {} : { name }),
    ...(kind === undefined ? {} : { kind }),
    ...(faults === undefined ? {} : { faults }),
  })
}

async function* watchEvents(
  deps: ApiDeps,
  path: string,
  query: Record<string, string>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  const queue: WatchEvent[] = []
  const state: { ended: boolean; error?: unknown } = { ended: false }
  let wake = (): void => undefined
  const controller = await deps.watch.watch(
    path,
    query,
    (type, object) => {
      queue.push({ type, object })
      wake()
    },
    (error) => {
      state.ended = true
      state.error = error
      wake()
    },
  )
  const abort = (): void => {
    controller.abort()
    wake()
  }
  signal.addEventListener('abort', abort, { once: true })
  try {
    while (!signal.aborted) {
      const event = queue.shift()
      if (event !== undefined) yield event
      else if (state.ended) break
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
    const code = (state.error as { statusCode?: number } | null | undefined)?.statusCode
    if (state.error instanceof Error && !signal.aborted && code === undefined) {
      throw connectionError(deps.server, state.error)
    }
  } finally {
    signal.removeEventListener('abort', abort)
    controller.abort()
  }
}

/** API path of a collection, or of one object. Without a namespace: over all of them. */
export const pathOf = (kind: Kind, namespace?: string, name?: string): string => {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const scope =
    kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${kind.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}
