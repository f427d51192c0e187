// The routes of the Kubernetes-style API: one set for each served kind of the registry.
import { apiPathOf } from '../../../src/resources/kind-names.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import type { AppContext } from '../env.ts'
import { checkAnswer } from './answer.ts'
import { deployRight } from './deploy-right.ts'
import { servedKinds } from './discovery.ts'
import { checkTimes, isTrueParam } from './params.ts'
import { serveGet, serveList } from './read.ts'
import { authorizeKube, type KubeAccess, type KubeRoute, type KubeVerb } from './route.ts'
import { serveWatch, type WatchDeps } from './watch.ts'
import {
  serveCreate,
  serveDelete,
  serveDeleteCollection,
  servePatch,
  serveReplace,
} from './write.ts'
import { servePatchStatus, serveReplaceStatus } from './write-status.ts'

export const objectRoutes = (deps: WatchDeps): KubeRoute[] =>
  servedKinds
    .flatMap((kind) => routesOf(deps, kind))
    .map((route) => ({
      ...route,
      handle: (c) => {
        checkAnswer(c)
        checkTimes(c)
        return route.handle(c)
      },
    }))

const routesOf = (deps: WatchDeps, kind: Kind): KubeRoute[] => {
  const base = apiPathOf(kind)
  const all = `${base}/${kind.plural}`
  const collection = kind.namespaced ? `${base}/namespaces/:namespace/${kind.plural}` : all
  // The parameter is called `name` for every kind; a namespace's own path is `/namespaces/{name}`.
  const object = `${collection}/:name`
  const may = (verb: KubeVerb): KubeAccess => ({ kind, verb, in: 'namespace' })
  const own: KubeAccess = { kind, verb: 'list', in: 'own' }
  const read = listOrWatch(deps, kind)
  const inPlace = kind.namespaced ? may('list') : own
  const routes: KubeRoute[] = [
    { method: 'GET', path: collection, access: inPlace, handle: read },
    { method: 'POST', path: collection, access: may('create'), handle: serveCreate(deps, kind) },
    { method: 'GET', path: object, access: may('get'), handle: serveGet(deps, kind) },
    { method: 'PUT', path: object, access: may('update'), handle: serveReplace(deps, kind) },
    { method: 'PATCH', path: object, access: patchAccess(kind), handle: servePatch(deps, kind) },
    { method: 'DELETE', path: object, access: may('delete'), handle: serveDelete(deps, kind) },
  ]
  if (kind.namespaced)
    routes.push(
      { method: 'GET', path: all, access: own, handle: read },
      {
        method: 'DELETE',
        path: collection,
        access: may('deletecollection'),
        handle: serveDeleteCollection(deps, kind),
      },
    )
  return kind.status === undefined ? routes : [...routes, ...statusRoutes(deps, kind, object)]
}

/**
 * Who may deploy may patch the annotation that requests it; the other changes of a patch are checked
 * later.
 */
const patchAccess = (kind: Kind): KubeAccess => ({
  kind,
  verb: 'patch',
  in: 'namespace',
  ...(kind.kind === 'Stagelet' && { right: deployRight }),
})

/** Machines write status; of people, only an admin may. */
const statusRoutes = (deps: WatchDeps, kind: Kind, object: string): KubeRoute[] => {
  const path = `${object}/status`
  const status = { kind, subresource: 'status' }
  const replace = serveReplaceStatus(deps, kind)
  const patch = servePatchStatus(deps, kind)
  return [
    {
      method: 'GET',
      path,
      access: { ...status, verb: 'get', in: 'namespace' },
      handle: serveGet(deps, kind),
    },
    { method: 'PUT', path, access: { ...status, verb: 'update', in: 'admin' }, handle: replace },
    { method: 'PATCH', path, access: { ...status, verb: 'patch', in: 'admin' }, handle: patch },
  ]
}

const listOrWatch = (deps: WatchDeps, kind: Kind): KubeRoute['handle'] => {
  const list = serveList(deps, kind)
  const watch = serveWatch(deps, kind)
  return (c: AppContext) => {
    if (!isTrueParam(c.req.query('watch'))) return list(c)
    if (kind.namespaced && c.req.param('namespace') !== undefined)
      authorizeKube(c, { kind, verb: 'watch', in: 'namespace' })
    return watch(c)
  }
}
