// The definition of a route of the Kubernetes-style API. As with REST, no route can be served without
// its right. The server, the reviews of rights and the test of all roles use this table.
import { allows, allowsAdmin, teamsWhere, type Principal } from '../../../src/access/principal.ts'
import { resources, type Resource, type Verb } from '../../../src/access/roles.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { Schema } from '../../../src/resources/schemas/crd.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { App, AppContext } from '../env.ts'

/** Kubernetes' verbs; the right to delete includes deletecollection. */
export type KubeVerb = Verb | 'deletecollection'

export interface KubeAccess {
  readonly kind: Kind
  readonly verb: KubeVerb
  /** Name in error messages: `status`, `token`. */
  readonly subresource?: string
  /**
   * Where the right is needed: `namespace`: in the path's namespace (for a namespace: in itself);
   * `own`: the answer holds the objects of the caller's teams; `admin`: admins of the controller only.
   */
  readonly in: 'namespace' | 'own' | 'admin'
  /** The right, when it differs from the right to the kind. */
  readonly right?: Resource
}

/** Description for OpenAPI, when it differs from the usual one of the verb. */
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

/** Roles name kinds by their plural. */
export const rightOf = (kind: Kind): Resource => {
  const right = resources.find((resource) => resource === kind.plural)
  if (right === undefined)
    throw new Error(`no role says who may do what with ${kind.plural}: see src/access/roles.ts`)
  return right
}

const plainVerb = (verb: KubeVerb): Verb => (verb === 'deletecollection' ? 'delete' : verb)

/** The namespace of a request. */
const namespaceOf = (c: AppContext, kind: Kind): string | undefined =>
  kind.kind === 'Namespace' ? c.req.param('name') : c.req.param('namespace')

/** 403 with Kubernetes' message, which kubectl prints unchanged. */
export const kubeForbidden = (
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
    { kind: plural, group, ...defined({ name: at.name }) },
  )
}

/** A hint for machines, which are in one team only: they often use the default namespace by mistake. */
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

/** Forbidden unless the caller has the right of the route. */
export const authorizeKube = (c: AppContext, access: KubeAccess): void => {
  if (mayEnter(c, access)) return
  const at = { namespace: namespaceOf(c, access.kind), name: c.req.param('name') }
  const user = c.get('user')
  throw kubeForbidden(user.name, access, { ...at, hint: ownTeamOf(user, at.namespace) })
}

/** For a read over all namespaces: the namespaces that the caller may see; undefined: all. */
export const visibleNamespaces = (c: AppContext, kind: Kind): readonly string[] | undefined =>
  teamsWhere(c.get('user'), 'list', rightOf(kind))

/** Clients that are generated from Kubernetes' OpenAPI, such as Python's, end paths with a slash. */
export const withSlash = (path: string): string[] => [path, `${path}/`]

export const mountKubeRoutes = (app: App, routes: readonly KubeRoute[]): void => {
  for (const { method, path, access, handle } of routes)
    // Only reads accept the slash: a DELETE with a forgotten name must not delete the collection.
    app.on(method, method === 'GET' ? withSlash(path) : [path], (c) => {
      authorizeKube(c, access)
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
