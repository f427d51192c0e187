// One request with Node's HTTP client, for both APIs.
import type http from 'node:http'
import type { Clock } from '../../src/kernel/clock.ts'
import { isAbort } from '../../src/kernel/errors.ts'
import { readBodyText, httpRequest } from '../../src/kernel/request.ts'
import { connectionError } from './connection-error.ts'
import { CliError, NotStagely, RefusedToken, UnansweredError } from '../errors.ts'
import { note } from '../print.ts'

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Record<string, string | undefined>
  readonly body?: unknown
  /** In place of `body`. */
  readonly form?: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly accept?: string
  readonly headers?: Record<string, string>
  readonly signal?: AbortSignal
  /** Time without data after which the request fails; absent when silence is normal, as for a watch. */
  readonly silentMs?: number
  /** How a warning of the server is said to who gave the command. */
  readonly sayWarning?: (warning: string) => string
}

/** Where requests go, and how. */
export interface Sender {
  readonly server: string
  readonly options: () => Promise<http.RequestOptions>
  readonly clock: Pick<Clock, 'sleep'>
}

/** Longer than a server ever works on a request without sending a byte. */
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
 * Sends a request and resolves with the head of the answer, whatever its status; the caller reads the
 * body. Prints the server's warnings on stderr. CliError when there is no answer.
 */
export const openResponse = async (
  server: string,
  path: string,
  call: Call,
  options: http.RequestOptions,
): Promise<http.IncomingMessage> => {
  const { form } = call
  const body =
    form !== undefined
      ? new URLSearchParams(form).toString()
      : call.body === undefined
        ? undefined
        : JSON.stringify(call.body)
  const headers = {
    ...(options.headers as http.OutgoingHttpHeaders | undefined),
    accept: call.accept ?? 'application/json',
    // In managedFields, the name of who wrote a field.
    'user-agent': 'stagely',
    ...(body !== undefined && {
      'content-type':
        form === undefined
          ? (call.contentType ?? 'application/json')
          : 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    }),
    ...call.headers,
  }
  const { method = 'GET', silentMs = 0, signal } = call
  const late = (): Error =>
    new UnansweredError(
      `${server} took the request and said nothing for ${silentMs / 1000} s: is it overloaded, or stopped? Whether the request was carried out is not known`,
    )
  const all = { ...options, signal, method, headers, timeout: silentMs, late }
  try {
    const response = await httpRequest(urlOf(server, path, call.query), all, (outgoing) => {
      outgoing.end(body)
    })
    const { sayWarning = (warning: string) => warning } = call
    for (const warning of warningsIn(response.headers.warning)) warnOnce(sayWarning(warning))
    return response
  } catch (error) {
    throw isAbort(error) || error instanceof CliError ? error : connectionError(server, error)
  }
}

/** A request that the server carries out once, however often it comes. */
const isRepeatable = ({ method = 'GET', headers = {} }: Call): boolean =>
  method === 'GET' || 'idempotency-key' in headers

/** True where the connection broke before there was an answer: something on the way may have closed it just then. */
const isBroken = (error: unknown): boolean =>
  error instanceof UnansweredError &&
  ['ECONNRESET', 'EPIPE'].includes((error.cause as { code?: string } | undefined)?.code ?? '')

/** As `open`. Where the connection broke, a request that may be repeated is sent once more. */
const openAgain = async (
  ...request: Parameters<typeof openResponse>
): Promise<http.IncomingMessage> => {
  try {
    return await openResponse(...request)
  } catch (error) {
    if (!isRepeatable(request[2]) || !isBroken(error)) throw error
    return openResponse(...request)
  }
}

/** The bytes of an answer. CliError when the connection breaks; the reason of `signal` when it aborts. */
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

/** The whole answer, whatever its status. */
export const readReply = async (
  server: string,
  response: http.IncomingMessage,
  signal?: AbortSignal,
): Promise<Reply> => {
  const text = await readBodyText(unbroken(server, response, signal))
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

/**
 * Sends until the answer is a success, and tries again where the server asks for it: a busy server, or a
 * cluster right after a CRD was created. `refused` makes the error of every other answer.
 */
export const succeed = async (
  { server, options, clock }: Sender,
  path: string,
  call: Call,
  refused: (reply: Reply) => Error,
): Promise<http.IncomingMessage> => {
  const requestOptions = await options()
  for (let attempt = 0; ; attempt++) {
    const response = await openAgain(server, path, call, requestOptions)
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    const reply = await readReply(server, response, call.signal)
    const waitMs = waitBeforeRetry(status, reply.headers, attempt)
    if (waitMs === undefined) throw refused(reply)
    await clock.sleep(waitMs, call.signal)
  }
}

export const exchange = async (
  server: string,
  path: string,
  call: Call,
  options: http.RequestOptions,
): Promise<Reply> => readReply(server, await openResponse(server, path, call, options), call.signal)

/** The warnings that were printed, by stream. */
const warned = new WeakMap<object, Set<string>>()

/** Prints a warning once, although a command may write forty objects. */
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

/** The body as JSON; undefined when it is empty. */
export const readJson = (text: string, server: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new CliError(`${server} did not answer with JSON; is it a Stagely controller?`, 1, error)
  }
}

/** The error for a 401: names the setting to change; `why` is the server's message. */
export const refusedToken = (server: string, why: string | undefined): CliError => {
  const reason = why === undefined || why === 'Unauthorized' ? '' : `: ${why}`
  return new RefusedToken(
    `${server} does not accept the token (401 Unauthorized)${reason}: check STAGELY_TOKEN, or run "stagely login" again`,
  )
}

export const notStagely = (server: string, status: number): CliError =>
  new NotStagely(`${server} answered ${status}; is it a Stagely controller?`, status)

/** The id that identifies the request in the server's log and audit. */
export const requestIdOf = (headers: http.IncomingHttpHeaders): { requestId?: string } => {
  const id = headers['x-request-id']
  return typeof id === 'string' ? { requestId: id } : {}
}

/**
 * Time to wait after a 429 with Retry-After; undefined after three attempts, and for a time that nobody
 * waits at a prompt.
 */
const waitBeforeRetry = (
  status: number,
  headers: http.IncomingHttpHeaders,
  attempt: number,
): number | undefined => {
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return status === 429 && attempt < 3 && seconds <= 15 ? Math.max(seconds, 0.1) * 1000 : undefined
}
