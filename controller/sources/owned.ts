// What a source (a folder of manifests, a cluster) owns in the store.
import { annotations, type KubeObject } from '../../src/resources/meta.ts'
import { kinds } from '../../src/kinds/index.ts'
import type { Reader } from '../../src/store/store.ts'

export const isOwnedBy = ({ metadata }: KubeObject, source: string): boolean =>
  metadata.annotations?.[annotations.source] === source

/** All objects of the source; of one kind, or in one namespace, where that is given. */
export const listOwned = async (
  reader: Pick<Reader, 'list'>,
  source: string,
  only: { readonly kind?: string; readonly namespace?: string | undefined } = {},
): Promise<KubeObject[]> => {
  const { namespace } = only
  const lists = kinds
    .filter(({ kind, internal }) => internal !== true && kind !== 'Event')
    .filter(({ kind }) => (only.kind ?? kind) === kind)
    .map(({ kind }) => reader.list(kind, namespace === undefined ? {} : { namespace }))
  return (await Promise.all(lists))
    .flatMap(({ items }) => items)
    .filter((object) => isOwnedBy(object, source))
}

/** More than half of its objects, and not just one, is more likely a mistake than meant: somebody must confirm it. */
export const isSuspect = (gone: readonly unknown[], owned: readonly unknown[]): boolean =>
  gone.length > 1 && gone.length > owned.length / 2
