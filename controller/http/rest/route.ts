// The definition of a route of the REST API. One table of routes makes the server, the OpenAPI document
// and the test that tries every route with every role: no route can be served without its right.
import type * as z from 'zod'
import type { Principal } from '../../../src/access/principal.ts'
import type { Resource, Verb } from '../../../src/access/roles.ts'
import type { RestTarget } from '../../../src/kinds/names.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Actor } from '../../../src/store/store.ts'
import type { RestDeps } from './deps.ts'

/** What the path of a route may name. */
export type InTarget = RestTarget | 'team'

/**
 * The right of a route, and how its team is found: from the project, stagelet, agent or team in the
 * path. `self`: everybody who is logged in, for their own data; `admin`: admins of the controller only;
 * `teams`: the answer holds the caller's teams; `public`: nobody needs to be logged in; `session`:
 * whoever is logged in by a browser's session. `placed`: the route reads and writes objects, each of which
 * is judged by its place. A token that is narrowed to a part of a project may use no other route of a
 * project, and one that is narrowed at all no other route of teams.
 */
export type Access =
  | {
      readonly in: InTarget
      readonly verb: Verb
      readonly resource: Resource
      readonly placed?: true
    }
  | {
      readonly in: 'teams'
      readonly verb: Verb
      readonly resource: Resource
      readonly placed?: true
    }
  | { readonly in: 'self' }
  | { readonly in: 'public' }
  | { readonly in: 'session' }
  /** `verb`: what a read-only token of an admin may still do; absent: the route changes something. */
  | { readonly in: 'admin'; readonly verb?: Verb }

/**
 * What a route asks of a browser's session, beside the right. `refused`: it is for tokens only;
 * `confirmed`: the person has proved within the last minutes who they are; `reveal`: the same, and so
 * many a minute.
 */
export type SessionRule = 'refused' | 'confirmed' | 'reveal'

/**
 * Path parameters by their name in `path`. The four parameters with a right are resolved before
 * `handle`.
 */
export interface RestContext<Query = unknown, Body = unknown> {
  readonly deps: RestDeps
  /** On a `public` route nobody: without a name, a team or a right. */
  readonly principal: Principal
  readonly actor: Actor
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  /** The object named by `:project_id`, `:stagelet_id`, `:team` and the like. The caller may see it. */
  readonly target: KubeObject | undefined
  /**
   * The resourceVersion in `If-Match`, without quotes. undefined for a route that does not support the
   * header.
   */
  readonly ifMatch: string | undefined
  /** Why the change is made, where a header says so. */
  readonly note: string | undefined
  readonly request: Request
  readonly signal: AbortSignal
}

export interface RestAnswer {
  /** Where it is another of the route’s: see `dryRun` of its response. */
  readonly status?: Status
  /** Tests check it against the route's `response` schema. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** In place of `body`: a stream, such as server-sent events or JSON lines. */
  readonly stream?: ReadableStream<Uint8Array>
}

type Status = 200 | 201 | 202 | 204 | 303
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

interface Common<Query, Body> {
  /** `createSecret`: the operationId in OpenAPI, unique. */
  readonly id: string
  readonly summary: string
  readonly access: Access
  readonly session?: SessionRule | ((query: Query) => SessionRule | undefined)
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  /** True: writes only the version in `If-Match`. Other routes refuse the header. */
  readonly heedsIfMatch?: true
  /** Fields of the answer that are shown once: a repeated answer (Idempotency-Key) does not have them. */
  readonly shownOnce?: readonly string[]
  /** How many changes the request makes or compares: so much it costs, and many are done by one request at a time. */
  readonly changes?: (body: Body) => number
  readonly handle: (context: RestContext<Query, Body>) => Promise<RestAnswer>
}

interface Response {
  readonly schema?: z.ZodType
  readonly description: string
}

/** A route as its file declares it. */
export interface RouteEntry<Query = unknown, Body = unknown> extends Common<Query, Body> {
  /** Path below `/api/v1`, with `:parameters`. */
  readonly at: `${Method} /${string}`
  /** `status` is 200 by default. `dryRun`: a dry run answers with 200, and this. */
  readonly response: Response & { readonly status?: Status; readonly dryRun?: Response }
}

export interface RestRoute extends Common<unknown, unknown> {
  readonly method: Method
  readonly path: string
  /** Group in the documentation. */
  readonly tag: string
  /** By status. */
  readonly responses: ReadonlyMap<Status, Response>
  readonly status: Status
}

/** Infers the types of query and body from their schemas. */
export const route = <Query, Body>(entry: RouteEntry<Query, Body>): RouteEntry =>
  entry as unknown as RouteEntry

export const routesOf = (tag: string, entries: readonly RouteEntry[]): RestRoute[] =>
  entries.map(({ at, response: { status = 200, dryRun, ...response }, ...entry }) => {
    const [method, path = ''] = at.split(' ')
    const dry = dryRun === undefined ? [] : ([[200, dryRun]] as const)
    const responses = new Map<Status, Response>([[status, response], ...dry])
    return { ...entry, method: method as Method, path, tag, status, responses }
  })

/** The target of a route whose right is in a project, stagelet, agent or team. */
export const requireTarget = ({ target }: Pick<RestContext, 'target'>): KubeObject => {
  if (target === undefined) throw new Error('the route has no target')
  return target
}

/** False for logins, whose answers are kept nowhere. */
export const heedsIdempotencyKey = ({ method, access }: RestRoute): boolean =>
  method === 'POST' && !['public', 'session'].includes(access.in)
