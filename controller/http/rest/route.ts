// What a route of the REST API is. One table of these makes the server, the OpenAPI document and the
// test that walks every route with every role: a route cannot be served without saying who may.
import type { z } from 'zod'
import type { Principal } from '../../../src/access/principal.ts'
import type { Resource, Verb } from '../../../src/access/roles.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Actor } from '../../../src/store/store.ts'

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
export interface RestContext<Query, Body> {
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
  readonly status: 200 | 201 | 202 | 204
  /** Checked against the route's `response` schema in tests. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** In place of `body`: a stream, such as server-sent events or JSON lines. */
  readonly stream?: ReadableStream<Uint8Array>
}

export interface RestRoute<Query = unknown, Body = unknown> {
  /** `createSecret`: the operationId of OpenAPI, unique. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`, with `:parameters`. */
  readonly path: string
  /** Group in the documentation. */
  readonly tag: string
  readonly summary: string
  readonly access: Access
  readonly query?: z.ZodType<Query>
  readonly body?: z.ZodType<Body>
  readonly response: {
    readonly status: 200 | 201 | 202 | 204
    readonly schema?: z.ZodType
    readonly description: string
  }
  /** It writes only the version that `If-Match` names; others refuse the header. */
  readonly heedsIfMatch?: true
  /** Fields of the answer that are shown this one time: a kept answer (Idempotency-Key) has not got them. */
  readonly shownOnce?: readonly string[]
  readonly handle: (context: RestContext<Query, Body>) => Promise<RestAnswer>
}

/** Fixes the types of query and body from their schemas. */
export const route = <Query, Body>(definition: RestRoute<Query, Body>): RestRoute =>
  definition as unknown as RestRoute

/** The target of a route whose access is in a project, stagelet, agent or team. */
export const requireTarget = ({
  target,
}: {
  readonly target: KubeObject | undefined
}): KubeObject => {
  if (target === undefined) throw new Error('the route has no target')
  return target
}
