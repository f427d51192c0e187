// One request over Node's own client: what the Kubernetes-style API and the REST API share.
import http from 'node:http'
import https from 'node:https'
import { connectionError } from './connection-error.ts'
import { CliError, NotStagely } from './errors.ts'
import { note } from './print.ts'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Record<string, string | undefined>
  readonly body?: unknown
  readonly contentType?: string
  readonly accept?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  /** Given up when nothing comes for so long; absent where it may be quiet, such as a watch. */
  readonly silentMs?: number
}

/** Of a question: longer than a server ever works on one without a byte. */
export const answerMs = 120_000

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

const urlOf = (server: string, path: string, query: Call['query'] = {}): URL => {
  const url = new URL(server + path)
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(key, value)
  }
  return url
}

/**
 * Sends a request and resolves when the head of the answer is there, whatever its status; the caller
 * reads the body. Warnings of the server go to stderr. CliError where there is no answer.
 */
export const open = (
  server: string,
  path: string,
  call: Call,
  options: http.RequestOptions,
): Promise<http.IncomingMessage> =>
  new Promise((resolve, reject) => {
    const url = urlOf(server, path, call.query)
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    const headers = {
      ...(options.headers as http.OutgoingHttpHeaders | undefined),
      accept: call.accept ?? 'application/json',
      // In managedFields, the name of who wrote a field.
      'user-agent': 'stagely',
      ...(body === undefined
        ? {}
        : {
            'content-type': call.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
      ...call.headers,
    }
    const signal = call.signal === undefined ? {} : { signal: call.signal }
    const request = url.protocol === 'https:' ? https.request : http.request
    const all = { ...options, ...signal, method: call.method ?? 'GET', headers }
    const sent = request(url, all, (response) => {
      for (const warning of warningsIn(response.headers.warning)) warnOnce(warning)
      resolve(response)
    })
    sent.on('error', (error) => {
      const isKnown = error.name === 'AbortError' || error instanceof CliError
      reject(isKnown ? error : connectionError(server, error))
    })
    const { silentMs } = call
    if (silentMs !== undefined)
      sent.setTimeout(silentMs, () => {
        const why = `${server} took the request and said nothing for ${silentMs / 1000} s: is it overloaded, or stopped? Whether the request was carried out is not known`
        sent.destroy(new CliError(why))
      })
    sent.end(body)
  })

/** The bytes of an answer. CliError where the connection breaks; the reason of `signal` where that ended it. */
export async function* unbroken(
  server: string,
  response: http.IncomingMessage,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) yield chunk
  } catch (error) {
    signal?.throwIfAborted()
    throw connectionError(server, error)
  }
}

/** The whole of an answer, whatever its status. */
export const readReply = async (
  server: string,
  response: http.IncomingMessage,
  signal?: AbortSignal,
): Promise<Reply> => {
  const chunks: Buffer[] = []
  for await (const chunk of unbroken(server, response, signal)) chunks.push(chunk)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  }
}

export const exchange = async (
  server: string,
  path: string,
  call: Call,
  options: http.RequestOptions,
): Promise<Reply> => readReply(server, await open(server, path, call, options), call.signal)

/** What was said on which stream. */
const warned = new WeakMap<object, Set<string>>()

/** A command that writes forty objects says the same only once. */
const warnOnce = (warning: string): void => {
  const said = warned.get(process.stderr) ?? new Set()
  warned.set(process.stderr, said)
  if (said.has(warning)) return
  said.add(warning)
  note(`Warning: ${warning}`)
}

/** The texts of `299 - "text"` headers, which Node joins with commas. */
const warningsIn = (header: string | undefined): string[] =>
  [...(header ?? '').matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((m) =>
    m[1]!.replace(/\\(.)/g, '$1'),
  )

/** The body as JSON; undefined where there is none. */
export const parseJson = (text: string, server: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new CliError(`${server} did not answer with JSON; is it a Stagely controller?`, 1, error)
  }
}

/** What every API answers a wrong token with, said in terms of what to set; `why` as the server says it. */
export const refusedToken = (server: string, why: string | undefined): CliError => {
  const known = why === undefined || why === 'Unauthorized' ? '' : `: ${why}`
  return new CliError(
    `${server} does not accept the token (401 Unauthorized)${known}: check STAGELY_TOKEN, or run "stagely login" again`,
  )
}

export const notStagely = (server: string, status: number): CliError =>
  new NotStagely(`${server} answered ${status}; is it a Stagely controller?`, status)

/** What ties a failure to the server's log and audit. */
export const requestIdOf = (headers: http.IncomingHttpHeaders): { requestId?: string } => {
  const id = headers['x-request-id']
  return typeof id === 'string' ? { requestId: id } : {}
}

/**
 * What to wait before the next try where a server asked too often (429) says when; undefined after
 * three tries, and for a time that nobody waits for at a prompt.
 */
export const waitBeforeRetry = (
  status: number,
  headers: http.IncomingHttpHeaders,
  attempt: number,
): number | undefined => {
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return status === 429 && attempt < 3 && seconds <= 15 ? Math.max(seconds, 0.1) * 1000 : undefined
}
