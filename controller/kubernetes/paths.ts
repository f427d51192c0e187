// Paths of the cluster's API, derived from the table of kinds.
import type { ObjectRef } from '../../src/resources/meta.ts'
import { apiPathOf } from '../../src/resources/kind-names.ts'
import { requireKind } from '../../src/kinds/index.ts'

/** The collection of a kind: in one namespace, or in the whole cluster. */
export const collectionPath = (kindName: string, namespace?: string): string => {
  const kind = requireKind(kindName)
  const base = apiPathOf(kind)
  return namespace === undefined
    ? `${base}/${kind.plural}`
    : `${base}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
}

export const objectPath = ({ kind, namespace, name }: ObjectRef): string =>
  `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`

export const secretsPath = (namespace: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`
