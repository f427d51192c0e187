// The REST API, typed by its own OpenAPI document. The browser sends the session's cookie by itself; writes
// carry the token against forged requests, and POSTs a key that makes a repeat harmless.
import createClient, { type Middleware } from 'openapi-fetch'
import type { paths, Problem } from '../../src/generated/rest-types.ts'
import { syncClock, ownTime } from './clock.ts'
import type { ApiRequest } from './request.ts'

/** The controller said no. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem'
  readonly problem: Problem
  readonly retryAfterSeconds: number | undefined
  constructor(problem: Problem, retryAfter: string | null) {
    super(problem.detail)
    this.problem = problem
    this.retryAfterSeconds = retryAfter === null ? undefined : Number(retryAfter)
  }
}

/** No answer came. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  constructor() {
    super('The controller cannot be reached.')
  }
}

const hooks = { csrf: '', onEnded: (): void => undefined }

/** Given by the session. */
export const setCsrf = (token: string): void => {
  hooks.csrf = token
}
/** Called when an answer says that the session has ended. */
export const onSessionEnded = (run: () => void): void => {
  hooks.onEnded = run
}

const sentAt = new Map<string, number>()

/** Answers are kept in no cache: their time is that of the controller. */
const followTime: Middleware = {
  onRequest: ({ id }) => {
    sentAt.set(id, ownTime())
  },
  onResponse: ({ id, response }) => {
    syncClock(response.headers.get('date'), sentAt.get(id) ?? ownTime())
    sentAt.delete(id)
  },
  onError: ({ id }) => {
    sentAt.delete(id)
  },
}

const carrySession: Middleware = {
  onRequest: ({ request }) => {
    if (request.method !== 'GET' && hooks.csrf !== '')
      request.headers.set('Stagely-CSRF', hooks.csrf)
    if (request.method === 'POST' && !request.headers.has('Idempotency-Key'))
      request.headers.set('Idempotency-Key', crypto.randomUUID())
    return request
  },
  onResponse: async ({ response }) => {
    if (response.status !== 401) return
    const { reason } = (await response
      .clone()
      .json()
      .catch(() => ({}))) as Partial<Problem>
    if (reason === 'Unauthorized') hooks.onEnded()
  },
  onError: ({ error }) =>
    error instanceof Error && error.name === 'AbortError' ? error : new Unreachable(),
}

export const api = createClient<paths>({ baseUrl: '/api/v1' })
api.use(carrySession, followTime)

interface Answered<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

/** The answer may come from a proxy and be no problem document. */
const asProblem = (error: unknown, { status, statusText }: Response): Problem =>
  typeof error === 'object' && error !== null && 'reason' in error
    ? (error as Problem)
    : {
        type: 'about:blank',
        title: statusText,
        status,
        detail: `the answer was ${status} ${statusText}`,
        reason: 'InternalError',
        request_id: '',
      }

/** The body of the answer. Throws ApiProblem or Unreachable. */
export const must = async <T>(call: Promise<Answered<T>>): Promise<T> => {
  const { data, error, response } = await call
  if (error !== undefined || !response.ok)
    throw new ApiProblem(asProblem(error, response), response.headers.get('retry-after'))
  return data as T
}

export const sendRequest = <T>({ method, path, body }: ApiRequest<T>): Promise<T> =>
  must<T>(api.request(method, path as never, { body } as never))
