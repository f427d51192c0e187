// What requests to a cluster ask for, and what its roles give, in the words of RBAC.
import type { IncomingMessage } from 'node:http'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** Each as `VERB GROUP/RESOURCE`. */
export const rightsOf = (rules: readonly Rule[]): string[] =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
    ),
  )

const writes: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch' }

/** The right that a request for a resource needs. */
export const rightFor = ({ method = '', url = '' }: IncomingMessage): string => {
  const { pathname, searchParams } = new URL(url, 'http://cluster')
  const match =
    /^\/api(?:s\/(?<group>[^/]+))?\/[^/]+(?:\/namespaces\/[^/]+)?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<part>.+))?$/.exec(
      pathname,
    )
  if (match === null) return `${method} ${pathname}`
  const { group = '', plural, name, part } = match.groups!
  const reads = name !== undefined ? 'get' : searchParams.get('watch') === 'true' ? 'watch' : 'list'
  const deletes = name === undefined ? 'deletecollection' : 'delete'
  const verb = method === 'GET' ? reads : method === 'DELETE' ? deletes : (writes[method] ?? method)
  return `${verb} ${group}/${plural}${part === undefined ? '' : `/${part}`}`
}
