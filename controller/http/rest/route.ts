// What a route of the REST API is. One table of these makes the server, the OpenAPI document and the
// test that walks every route with every role: a route cannot be served without saying who may.
import type { z } from 'zod'
import type { Principal } from '../../../src/access/principal.ts'
import type { Resource, Verb } from '../../../src/access/roles.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Actor } from '../../../src/store/store.ts'
import type { RestDeps } from './deps.ts'

/**
 * Whose right is asked for, and how the team is found: from the project, stagelet, agent or team
 * that the path names. `self` is what every logged-in person may do with what is theirs; `admin` is
 * for admins of the controller only; `teams` answers with what is in the caller's own teams.
 */
export type Access =
  | {
      readonly in: 'project' | 'stagelet' | 'agent' | 'team'
      readonly verb: Verb
      readonly resource: Resource
    }
  | { readonly in: 'teams'; readonly verb: Verb; readonly resource: Resource }
  | { readonly in: 'self' }
  /** `verb` says what a read-only token of an admin may still do; absent: it changes something. */
  | { readonly in: 'admin'; readonly verb?: Verb }

/** Path parameters by their name in `path`; the four that carry access are resolved before `handle`. */
export interface RestContext<Query = unknown, Body = unknown> {
  readonly deps: RestDeps
  readonly principal: Principal
  readonly actor: Actor
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** What `:project_id`, `:stagelet_id`, `:agent_id` or `:team` named. The caller may see it. */
  readonly target: KubeObject | undefined
  /** Of `If-Match`, without quotes: a resourceVersion. Undefined for a route that does not heed it. */
  readonly ifMatch: string | undefined
  readonly request: Request
  readonly signal: AbortSignal
}

export interface RestAnswer {
  /** Checked against the route's `response` schema in tests. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** In place of `body`: a stream, such as server-sent events or JSON lines. */
  readonly stream?: ReadableStream<Uint8Array>
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Status = 200 | 201 | 202

interface Common<Query, Body> {
  /** `createSecret`: the operationId of OpenAPI, unique. */
  readonly id: string
  readonly summary: string
  readonly access: Access
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  /** It writes only the version that `If-Match` names; others refuse the header. */
  readonly heedsIfMatch?: true
  /** Fields of the answer that are shown this one time: a kept answer (Idempotency-Key) has not got them. */
  readonly shownOnce?: readonly string[]
  readonly handle: (context: RestContext<Query, Body>) => Promise<RestAnswer>
}

interface Response {
  readonly schema?: z.ZodType
  readonly description: string
}

/** A route as its file writes it. */
export interface RouteEntry<Query = unknown, Body = unknown> extends Common<Query, Body> {
  /** Its path is below `/api/v1`, with `:parameters`. */
  readonly at: `${Method} /${string}`
  /** `status` is 200 unless it says otherwise. */
  readonly response: Response & { readonly status?: Status }
}

export interface RestRoute extends Common<unknown, unknown> {
  readonly method: Method
  readonly path: string
  /** Group in the documentation. */
  readonly tag: string
  readonly response: Response & { readonly status: Status }
}

/** Fixes the types of query and body from their schemas. */
export const route = <Query, Body>(entry: RouteEntry<Query, Body>): RouteEntry =>
  entry as unknown as RouteEntry

export const routesOf = (tag: string, entries: readonly RouteEntry[]): RestRoute[] =>
  entries.map(({ at, response, ...entry }) => {
    const [method, path = ''] = at.split(' ')
    return { ...entry, method: method as Method, path, tag, response: { status: 200, ...response } }
  })

/** The target of a route whose access is in a project, stagelet, agent or team. */
export const requireTarget = ({ target }: Pick<RestContext, 'target'>): KubeObject => {
  if (target === undefined) throw new Error('the route has no target')
  return target
}
