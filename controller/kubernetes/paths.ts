// Paths of the cluster's API, from the one table of kinds.
import type { ObjectRef } from '../../src/resources/meta.ts'
import { apiPathOf, requireKind } from '../../src/resources/registry.ts'

/** The kinds that are followed, in the order in which one needs another. */
export const followedKinds = ['Project', 'Agent', 'StagelySecret', 'Stagelet'] as const

/** All objects of a kind: of one namespace, or of the whole cluster. */
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
