// The Kubernetes-style API: one set of routes for each served kind of the registry.
import { StagelyError } from '../../../src/kernel/errors.ts'
import type { Kind } from '../../../src/resources/registry.ts'
import type { App, AppContext } from '../env.ts'
import { servedKinds } from './discovery.ts'
import { isTrueParam } from './params.ts'
import { serveGet, serveList } from './read.ts'
import { serveWatch, type WatchDeps } from './watch.ts'
import {
  serveCreate,
  serveDelete,
  serveDeleteCollection,
  servePatch,
  serveReplace,
} from './write.ts'
import { servePatchStatus, serveReplaceStatus } from './write-status.ts'

const notAllowed = (): never => {
  throw new StagelyError(
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  )
}

export const mountObjects = (app: App, deps: WatchDeps): void => {
  for (const kind of servedKinds) mountKind(app, deps, kind)
}

const mountKind = (app: App, deps: WatchDeps, kind: Kind): void => {
  const base = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  const collection = kind.namespaced
    ? `${base}/namespaces/:namespace/${kind.plural}`
    : `${base}/${kind.plural}`
  // The parameter is called `name` for every kind; a namespace's own path is `/namespaces/{name}`.
  const object = `${collection}/:name`
  const list = serveList(deps, kind)
  const watch = serveWatch(deps, kind)
  const read = (c: AppContext): Promise<Response> =>
    isTrueParam(c.req.query('watch')) ? watch(c) : list(c)

  app.get(collection, read)
  app.post(collection, serveCreate(deps, kind))
  app.delete(collection, serveDeleteCollection(deps, kind))
  if (kind.namespaced) {
    app.get(`${base}/${kind.plural}`, read)
    app.all(`${base}/${kind.plural}`, notAllowed)
  }
  app.get(object, serveGet(deps, kind))
  app.put(object, serveReplace(deps, kind))
  app.patch(object, servePatch(deps, kind))
  app.delete(object, serveDelete(deps, kind))
  if (kind.status !== undefined) {
    app.get(`${object}/status`, serveGet(deps, kind))
    app.put(`${object}/status`, serveReplaceStatus(deps, kind))
    app.patch(`${object}/status`, servePatchStatus(deps, kind))
    app.all(`${object}/status`, notAllowed)
  }
  app.all(collection, notAllowed)
  app.all(object, notAllowed)
}
