// The REST API for the commands. Throws StagelyError with the server's reason, every field fault and
// the request's id, or CliError when there was no answer.
import { randomUUID } from 'node:crypto'
import type http from 'node:http'
import { append } from '../../src/kernel/append.ts'
import { realClock, type Clock } from '../../src/kernel/clock.ts'
import { defined } from '../../src/kernel/defined.ts'
import { StagelyError, reasonOf, type Fault } from '../../src/kernel/errors.ts'
import { isRecord, tryParseJson } from '../../src/kernel/record.ts'
import type { ControllerConnection } from './connect.ts'
import {
  answerMs,
  notStagely,
  readJson,
  readReply,
  refusedToken,
  requestIdOf,
  succeed,
  type Call,
  type Reply,
} from './transport.ts'
import { InvalidArgumentError } from 'commander'

interface RestCall extends Call {
  /** From the ETag of an earlier answer: the write is refused when the object has changed since. */
  readonly ifMatch?: string
}

interface RestReply<T> {
  readonly status: number
  readonly body: T
  /** Without quotes, for `ifMatch`. */
  readonly etag: string | undefined
}

export interface RestClient {
  readonly server: string
  /** Default namespace of the connection. */
  readonly namespace: string
  /** `path` is below /api/v1. A POST gets an Idempotency-Key, so that it may be repeated. */
  call<T>(path: string, call?: RestCall): Promise<RestReply<T>>
  /** All items of a list, page by page; `key` is the list's name in the answer, such as `secrets`. */
  list<T>(path: string, key: string, query?: Call['query']): Promise<T[]>
  /** The bytes of an answer as they arrive: server-sent events, JSON lines. */
  stream(path: string, call?: RestCall): Promise<http.IncomingMessage>
}

const root = '/api/v1'

/** Path of a project, with `namespace/name` as its id. */
export const projectPath = (namespace: string, project: string): string =>
  `/projects/${encodeURIComponent(`${namespace}/${project}`)}`

/** `name` is the object's name, or a `sec_…` id. */
export const secretPath = (
  { namespace }: Pick<RestClient, 'namespace'>,
  project: string,
  name: string,
): string => `${projectPath(namespace, project)}/secrets/${encodeURIComponent(name)}`

/** Path of a stagelet, likewise. */
export const stageletPath = (namespace: string, stagelet: string): string =>
  `/stagelets/${encodeURIComponent(`${namespace}/${stagelet}`)}`

/** The body of the answer. */
export const post = async <T>(
  rest: Pick<RestClient, 'call'>,
  path: string,
  body?: object,
): Promise<T> => (await rest.call<T>(path, { method: 'POST', body })).body

export const createRest = (
  connection: ControllerConnection,
  clock: Pick<Clock, 'sleep'> = realClock,
): RestClient => {
  const stream: RestClient['stream'] = (path, call = {}) =>
    succeed({ ...connection, clock }, root + path, withHeaders(call), (reply) =>
      problemError(connection.server, reply),
    )
  const call = async <T>(path: string, given?: RestCall): Promise<RestReply<T>> => {
    const reply = await readReply(
      connection.server,
      await stream(path, { silentMs: answerMs, ...given }),
      given?.signal,
    )
    const etag = reply.headers.etag?.replace(/^(?:W\/)?"(.*)"$/, '$1')
    return { status: reply.status, body: readJson(reply.text, connection.server) as T, etag }
  }
  return {
    server: connection.server,
    namespace: connection.namespace,
    call,
    list: async <T>(path: string, key: string, query: Call['query'] = {}): Promise<T[]> => {
      const items: T[] = []
      let cursor: string | undefined
      do {
        const { body } = await call<Page>(path, { query: { ...query, cursor } })
        append(items, (body[key] as T[] | undefined) ?? [])
        cursor = body.next_cursor ?? undefined
      } while (cursor !== undefined && cursor !== '')
      return items
    },
    stream,
  }
}

type Page = Record<string, unknown> & { readonly next_cursor?: string | null }

const withHeaders = ({ ifMatch, headers, ...call }: RestCall): Call => ({
  ...call,
  headers: {
    ...(call.method === 'POST' && { 'idempotency-key': randomUUID() }),
    ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
    ...headers,
  },
})

/** RFC 9457, with the faults of all fields. */
interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly reason?: string
  readonly errors?: readonly { field?: string; message?: string; reason?: string }[]
}

const problemError = (server: string, { status, headers, text }: Reply): Error => {
  const json = tryParseJson(text)
  if (!isRecord(json)) return notStagely(server, status)
  const problem: Problem = json
  if (status === 401) return refusedToken(server, problem.detail)
  const faults = problem.errors?.map((fault) => ({
    field: fault.field ?? '',
    reason: (fault.reason ?? 'FieldValueInvalid') as Fault['reason'],
    message: fault.message ?? '',
  }))
  return new StagelyError(
    reasonOf(status, problem.reason) ?? 'InternalError',
    problem.detail ?? problem.title ?? `status ${status}`,
    {
      ...defined({ faults }),
      ...requestIdOf(headers),
    },
  )
}

const mostOfPage = 1_000

/** A number of items. */
export const parseLimit = (text: string): number => {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1)
    throw new InvalidArgumentError('must be a positive number.')
  return limit
}

interface Wanted {
  readonly path: string
  /** Name of the list in the answer. */
  readonly list: string
  readonly query: Call['query']
  readonly limit: number
}

/** Puts the first items of a list into `items`, page by page. True where there are more. */
export const takeFirst = async (
  rest: RestClient,
  { path, list, query, limit }: Wanted,
  items: unknown[],
): Promise<boolean> => {
  let cursor: string | undefined
  do {
    const size = String(Math.min(limit - items.length, mostOfPage))
    const { body } = await rest.call<Record<string, unknown> & { next_cursor?: string }>(path, {
      query: { ...query, limit: size, cursor },
    })
    append(items, (body[list] as unknown[] | undefined) ?? [])
    cursor = body.next_cursor
  } while (cursor !== undefined && items.length < limit)
  return cursor !== undefined
}
