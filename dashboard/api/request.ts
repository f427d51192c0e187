// A request that changes something: typed by the OpenAPI document, and plain data until it is sent, so that "copy as"
// shows the very request that a button makes. Pure.
import type { paths } from '../../src/generated/rest-types.ts'
import type { JsonValue } from './text.ts'

type Method = 'post' | 'put' | 'patch' | 'delete'

export interface ApiRequest<T = unknown> {
  readonly method: Method
  /** Below /api/v1, its parts encoded. */
  readonly path: string
  readonly body?: JsonValue
  /** Only the type of the answer: it is never set. */
  readonly answer?: T
}

/** `path` is filled in, and encoded. */
export const requestTo = <T = unknown>(
  method: Method,
  path: string,
  body?: unknown,
): ApiRequest<T> => ({ method, path, ...(body !== undefined && { body: body as JsonValue }) })

type Template<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, unknown> ? P : never
}[keyof paths]
type Operation<M extends Method, P extends Template<M>> =
  paths[P] extends Record<M, infer O> ? O : never
type Json200<R> = { [S in keyof R]: S extends number ? JsonOf<R[S]> : never }[keyof R]
type JsonOf<R> = R extends { content: { 'application/json': infer T } } ? T : undefined

type PathOf<O> = O extends { parameters: { path: infer N } } ? N : Readonly<Record<string, string>>
type AnswerOf<O> = O extends { responses: infer R } ? Json200<R> : never
type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? [body: B]
  : O extends { requestBody?: { content: { 'application/json': infer B } } }
    ? [body?: B]
    : []

/** `request('post', '/agents/{agent_id}/revoke', { agent_id })`. */
export const requestApi = <M extends Method, P extends Template<M>>(
  method: M,
  template: P,
  parts: PathOf<Operation<M, P>>,
  ...[body]: Body<Operation<M, P>>
): ApiRequest<AnswerOf<Operation<M, P>>> => {
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent((parts as Readonly<Record<string, string>>)[name] ?? ''),
  )
  return requestTo(method, path, body)
}

/** An id of REST made of names. */
export const objectId = ({
  team,
  name,
}: {
  readonly team: string
  readonly name: string
}): string => `${team}/${name}`
