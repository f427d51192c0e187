// coordination.k8s.io/v1 Leases of a test cluster, as far as they are needed: made, read, patched with a
// version, deleted.
import { text } from 'node:stream/consumers'
import type { Handle } from './own-server.ts'

interface Lease {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string }
  readonly spec: Readonly<Record<string, unknown>>
}

const failure = (code: number, reason: string): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  code,
  reason,
  message: reason,
})

export const createLeases = (): Handle => {
  const leases = new Map<string, Lease>()
  let version = 100
  const put = (id: string, { metadata, spec }: Lease): Lease => {
    const lease = { metadata: { ...metadata, resourceVersion: String(++version) }, spec }
    leases.set(id, lease)
    return lease
  }
  const create = (namespace: string, given: Lease): [number, object] => {
    const id = `${namespace}/${given.metadata.name}`
    if (leases.has(id)) return [409, failure(409, 'AlreadyExists')]
    return [201, put(id, given)]
  }
  const patch = (id: string, given: Partial<Lease>): [number, object] => {
    const lease = leases.get(id)
    if (lease === undefined) return [404, failure(404, 'NotFound')]
    const { resourceVersion } = given.metadata ?? {}
    if (resourceVersion !== undefined && resourceVersion !== lease.metadata.resourceVersion)
      return [409, failure(409, 'Conflict')]
    return [200, put(id, { ...lease, spec: { ...lease.spec, ...given.spec } })]
  }
  return (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://cluster')
    const match =
      /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/([^/]+)\/leases(?:\/(.+))?$/.exec(pathname)
    if (match === null) return false
    const [, namespace = '', name] = match
    const id = `${namespace}/${name}`
    const send = ([status, body]: [number, object]): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    const found = leases.get(id)
    const gone: [number, object] = [404, failure(404, 'NotFound')]
    if (request.method === 'GET') send(found === undefined ? gone : [200, found])
    else if (request.method === 'DELETE') send(leases.delete(id) ? [200, found!] : gone)
    else
      void text(request).then((body) => {
        const given = JSON.parse(body) as Lease
        send(request.method === 'POST' ? create(namespace, given) : patch(id, given))
      })
    return true
  }
}
