// What a route of the Kubernetes-style API is. As with REST, a route cannot be served without
// saying who may; the server, the reviews of rights and the test of all roles read this.
import { allows, allowsAdmin, teamsWhere, type Principal } from '../../../src/access/principal.ts'
import { resources, type Resource, type Verb } from '../../../src/access/roles.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { Schema } from '../../../src/resources/crd.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { App, AppContext } from '../env.ts'

/** Verbs as Kubernetes names them: who may delete may delete a collection. */
export type KubeVerb = Verb | 'deletecollection'

export interface KubeAccess {
  readonly kind: Kind
  readonly verb: KubeVerb
  /** As error messages name it: `status`, `token`. */
  readonly subresource?: string
  /**
   * Where the right is looked for: `namespace` is the path's, and of a namespace itself its name;
   * `own` answers with what is in the caller's teams; `admin` is for admins of the controller only.
   */
  readonly in: 'namespace' | 'own' | 'admin'
  /** The right, where it is not the one to the kind itself. */
  readonly right?: Resource
}

/** What the OpenAPI document says of a route that is not the usual one of its verb. */
interface RouteDescription {
  readonly id: string
  readonly summary: string
  readonly body?: Schema
  readonly status: 200 | 201
  readonly answer: Schema
}

export interface KubeRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly access: KubeAccess
  readonly describes?: RouteDescription
  readonly handle: (c: AppContext) => Promise<Response>
}

/** Roles speak of kinds by their plural. */
export const rightOf = (kind: Kind): Resource => {
  const right = resources.find((resource) => resource === kind.plural)
  if (right === undefined)
    throw new Error(`no role says who may do what with ${kind.plural}: see src/access/roles.ts`)
  return right
}

const plainVerb = (verb: KubeVerb): Verb => (verb === 'deletecollection' ? 'delete' : verb)

/** The namespace that a request is about. */
const namespaceOf = (c: AppContext, kind: Kind): string | undefined =>
  kind.kind === 'Namespace' ? c.req.param('name') : c.req.param('namespace')

/** 403 in the words of Kubernetes, which kubectl prints as they are. */
export const forbidden = (
  user: string,
  access: Pick<KubeAccess, 'kind' | 'verb' | 'subresource'>,
  at: {
    readonly namespace?: string | undefined
    readonly name?: string | undefined
    readonly hint?: string
  },
): StagelyError => {
  const { kind, verb, subresource } = access
  const { group, plural } = kind
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`
  const what = group === '' ? plural : `${plural}.${group}`
  const named = at.name === undefined ? what : `${what} ${JSON.stringify(at.name)}`
  const place =
    at.namespace === undefined
      ? 'at the cluster scope'
      : `in the namespace ${JSON.stringify(at.namespace)}`
  return new StagelyError(
    'Forbidden',
    `${named} is forbidden: User ${JSON.stringify(user)} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} ${place}${at.hint ?? ''}`,
    { kind: plural, group, ...(at.name === undefined ? {} : { name: at.name }) },
  )
}

/** A machine is in one team only, and often asks in the default namespace by mistake. */
const ownTeamOf = ({ roles, admin }: Principal, namespace: string | undefined): string => {
  const [team, ...more] = [...roles.keys()]
  if (admin || team === undefined || more.length > 0 || team === namespace) return ''
  return `: this token is of the namespace ${JSON.stringify(team)} only: -n ${team}`
}

const mayEnter = (c: AppContext, access: KubeAccess): boolean => {
  const user = c.get('user')
  const verb = plainVerb(access.verb)
  if (access.in === 'own') return true
  if (access.in === 'admin') return allowsAdmin(user, verb)
  const resource = access.right ?? rightOf(access.kind)
  return allows(user, { verb, resource, namespace: namespaceOf(c, access.kind) })
}

/** Forbidden unless the caller may do what the route does. */
export const authorize = (c: AppContext, access: KubeAccess): void => {
  if (mayEnter(c, access)) return
  const at = { namespace: namespaceOf(c, access.kind), name: c.req.param('name') }
  const user = c.get('user')
  throw forbidden(user.name, access, { ...at, hint: ownTeamOf(user, at.namespace) })
}

/** For what is read over all namespaces: those whose objects the caller may see; undefined: all. */
export const visibleNamespaces = (c: AppContext, kind: Kind): readonly string[] | undefined =>
  teamsWhere(c.get('user'), 'list', rightOf(kind))

/** Clients that are generated from Kubernetes' own OpenAPI, such as Python's, end paths with a slash. */
export const withSlash = (path: string): string[] => [path, `${path}/`]

export const mountKubeRoutes = (app: App, routes: readonly KubeRoute[]): void => {
  for (const { method, path, access, handle } of routes)
    // Only reads take a slash at the end: whoever forgot the name must not delete the collection.
    app.on(method, method === 'GET' ? withSlash(path) : [path], (c) => {
      authorize(c, access)
      return handle(c)
    })
  for (const path of new Set(routes.map((route) => route.path)))
    app.all(path, () => {
      throw new StagelyError(
        'MethodNotAllowed',
        'the server does not allow this method on the requested resource',
      )
    })
}
